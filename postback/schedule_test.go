package postback

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"waypost/attribution/history"
)

// In the middle of the jitter attempts are at 0, 1, 5, 15, 30, 60 minutes, 6 and 24 hours.
func TestSchedule(t *testing.T) {
	t.Parallel()
	d, now := history.Delivery{Status: history.Waiting}, noon
	var at []time.Duration
	for d.Status == history.Waiting {
		at = append(at, now.Sub(noon))
		d = Settle(d, Answer{Code: 503}, now, 0.5)
		if d.Status == history.Waiting {
			now = d.DueAt
		}
	}
	want := []time.Duration{0, time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour}
	for i := range want {
		if len(at) != len(want) || at[i] != want[i] {
			t.Fatalf("attempts at %v, want %v", at, want)
		}
	}
	if d.Status != history.GivenUp || d.Attempts != 8 || !d.DueAt.IsZero() {
		t.Errorf("in the end %+v", d)
	}
	d.Status, d.DueAt = history.Waiting, noon // by hand
	if again := Settle(d, Answer{Code: 503}, noon, 0.5); again.Status != history.GivenUp || again.Attempts != 9 {
		t.Errorf("after one more %+v", again)
	}
}

func TestJitter(t *testing.T) {
	t.Parallel()
	for _, random := range []float64{0, 0.25, 0.5, 0.999} {
		d := Settle(history.Delivery{Attempts: 1}, Answer{}, noon, random) // the pause is 4 minutes
		if got, want := d.DueAt.Sub(noon).Seconds(), 240*(0.8+0.4*random); got < want-0.001 || got > want+0.001 {
			t.Errorf("random %v: pause of %v s, want %v", random, got, want)
		}
	}
}

func TestSettle(t *testing.T) {
	t.Parallel()
	f := func(a Answer, want history.DeliveryStatus, wantPause time.Duration) {
		t.Helper()
		d := Settle(history.Delivery{Status: history.Waiting, DueAt: noon}, a, noon, 0.5)
		pause := time.Duration(0)
		if !d.DueAt.IsZero() {
			pause = d.DueAt.Sub(noon)
		}
		if d.Status != want || pause != wantPause || d.Code != a.Code || d.Attempts != 1 {
			t.Errorf("%+v: got %+v with a pause of %s, want %s, %s", a, d, pause, want, wantPause)
		}
	}
	for _, code := range []int{200, 201, 204, 299} {
		f(Answer{Code: code}, history.Delivered, 0)
	}
	for _, code := range []int{301, 302, 304, 307, 308, 400, 401, 403, 404, 409, 410, 422} {
		f(Answer{Code: code, RetryAfter: time.Hour}, history.GivenUp, 0)
	}
	for _, code := range []int{0, 408, 425, 429, 500, 502, 503, 504, 599} {
		f(Answer{Code: code}, history.Waiting, time.Minute)
	}
	f(Answer{Final: true}, history.GivenUp, 0)
	f(Answer{Code: 429, RetryAfter: 10 * time.Second}, history.Waiting, time.Minute)
	f(Answer{Code: 429, RetryAfter: time.Hour}, history.Waiting, time.Hour)
	f(Answer{Code: 503, RetryAfter: 1000 * time.Hour}, history.Waiting, 24*time.Hour)
}

func TestAnswersAreCut(t *testing.T) {
	t.Parallel()
	for _, text := range []string{strings.Repeat("a", 5000), strings.Repeat("ä", 5000), "a" + strings.Repeat("ä", 5000), strings.Repeat("\xff", 5000), strings.Repeat("\x00", 3)} {
		d := Settle(history.Delivery{}, Answer{Code: 200, Text: text}, noon, 0)
		if len(d.Answer) > 2048 || len(d.Answer) < min(len(text), 1) || !utf8.ValidString(d.Answer) || strings.Contains(d.Answer, "\x00") {
			t.Errorf("%q… is kept as %d bytes %q…", text[:3], len(d.Answer), d.Answer[:3])
		}
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	f := func(header string, want time.Duration) {
		t.Helper()
		if got := parseRetryAfter(header, noon); got != want {
			t.Errorf("%q is %s, want %s", header, got, want)
		}
	}
	f("120", 2*time.Minute)
	f(" 120 ", 2*time.Minute)
	f("Fri, 20 Nov 2026 12:01:00 GMT", time.Minute)
	f("Fri, 20 Nov 2026 11:01:00 GMT", 0)
	f("4294967295", 4294967295*time.Second)
	f("99999999999999999999", 0)
	f("-5", 0)
	f("soon", 0)
	f("", 0)
}
