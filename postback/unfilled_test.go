package postback

import (
	"strings"
	"testing"
	"testing/synctest"

	"waypost/attribution/history"
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
