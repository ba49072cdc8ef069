package postback

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"waypost/attribution/history"
	"waypost/link"
)

// A template is never sent, whoever made it due.
func TestTemplateIsNeverSent(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d := due("a", "x.test", 0)
		d.URL += "/{af_sub1}/b"
		o, n := newOutbox(d, due("b", "x.test", 0)), newInternet(always(200), 0)
		_, stop := run(t, o, n)
		defer stop()
		synctest.Wait()
		if d := o.get("a"); d.Status != history.GivenUp || !strings.Contains(d.Answer, "{af_sub1}") || n.sentTo("a") != 0 {
			t.Errorf("%+v, sent %d times", d, n.sentTo("a"))
		}
		if n.sentTo("b") != 1 {
			t.Error("the other one was not sent")
		}
	})
}

// What is given up when it is made is counted, and logged once a minute for
// each postback; the runner looks for the others.
func TestUnfilledAreSeen(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var log bytes.Buffer
		r := NewRunner(Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		given := func(postback string) history.Delivery {
			return history.Delivery{Key: "k", Account: 1, Postback: link.Key(postback), Status: history.GivenUp, Answer: "dots"}
		}
		lines := func(want int) {
			t.Helper()
			if got := strings.Count(log.String(), "is given up"); got != want {
				t.Errorf("%d lines, want %d: %s", got, want, log.String())
			}
		}
		r.Made([]history.Delivery{{Key: "w", Status: history.Waiting}})
		lines(0)
		for range 500 {
			r.Made([]history.Delivery{given("1"), {Key: "w", Status: history.Waiting}, given("2")})
		}
		lines(2)
		if got := r.Counters().GivenUp; got != 1000 {
			t.Errorf("%d are counted", got)
		}
		time.Sleep(quiet)
		r.Made([]history.Delivery{given("1")})
		lines(3)
		if !strings.Contains(log.String(), "unlogged=499") || !strings.Contains(log.String(), "error=dots") {
			t.Errorf("it says %s", log.String())
		}
		if len(r.wake) != 1 {
			t.Error("the runner was not woken")
		}
	})
}
