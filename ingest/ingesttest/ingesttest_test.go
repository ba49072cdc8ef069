package ingesttest_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"waypost/attribution/history"
	"waypost/ingest"
	"waypost/ingest/ingesttest"
	"waypost/link"
)

var (
	_ ingest.Ledger    = (*ingesttest.Ledger)(nil)
	_ ingest.Decisions = (*ingesttest.Decisions)(nil)
)

var (
	noon   = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	errOff = errors.New("off")
)

func TestLedgerFailsAsItIsTold(t *testing.T) {
	t.Parallel()
	var l ingesttest.Ledger
	f := func(line string, want error) {
		t.Helper()
		before := l.Count()
		if err := l.Append([]byte(line)); err != want || (l.Count() == before+1) != (want == nil) {
			t.Errorf("%s: got %v, %d lines", line, err, l.Count())
		}
	}
	f("a", nil)
	l.FailAfter(1, errOff)
	f("b", nil)
	f("c", errOff)
	l.Fail(nil)
	f("d", nil)
	l.Fail(errOff)
	f("e", errOff)
	if got := string(l.Last(t)); got != "d" {
		t.Errorf("the last line is %s", got)
	}
	l.Clear()
	if l.Count() != 0 {
		t.Error("it forgets nothing")
	}
}

func TestDecisionsAreWaitedFor(t *testing.T) {
	t.Parallel()
	d := ingesttest.NewDecisions()
	over, end := context.WithCancel(t.Context())
	end()
	if _, ok, err := d.Await(over, 1, "i", "first"); ok || err != nil {
		t.Errorf("undecided: %v %v", ok, err)
	}
	woken := make(chan history.Installation)
	go func() {
		i, _, _ := d.Await(t.Context(), 1, "i", "second")
		woken <- i
	}()
	d.Decide(history.Installation{App: 2, ID: "j"})
	d.Decide(history.Installation{App: 1, ID: "i", DeepLink: "x", LinkUntil: noon})
	if i := <-woken; i.DeepLink != "x" {
		t.Errorf("woken with %+v", i)
	}
	if keys := d.Awaited(); len(keys) != 2 || keys[0] != "first" || keys[1] != "second" {
		t.Errorf("awaited %q", keys)
	}
	d.OrganicAt(noon)
	if i, ok, err := d.Await(t.Context(), 2, "i", ""); !ok || err != nil || i.App != 2 || i.ID != "i" || i.At != noon || i.DeepLink != "" {
		t.Errorf("another app's: %+v %v %v", i, ok, err)
	}
	d.FailAwait(errOff)
	if _, _, err := d.Await(t.Context(), 1, "i", ""); err != errOff {
		t.Errorf("got %v", err)
	}
	if _, ok, err := d.ReadInstallation(t.Context(), 1, "i"); !ok || err != nil {
		t.Errorf("Await alone fails, but reading gives %v %v", ok, err)
	}
}

func TestWhatIsDecidedIsTold(t *testing.T) {
	t.Parallel()
	d := ingesttest.NewDecisions()
	touch := history.Touch{Query: "a=b"}
	touch.ID = 7
	d.Decide(history.Installation{App: 1, ID: "i", DeepLink: "x", LinkUntil: noon}, touch)
	d.Remember(8, history.Touch{Query: "c=d"})
	take := func(key string, app link.AppID, now time.Time, want bool) {
		t.Helper()
		deepLink, ok, err := d.TakeDeepLink(t.Context(), app, "i", key, now)
		if ok != want || (deepLink == "x") != want || err != nil {
			t.Errorf("app %d at %s: %q %v %v", app, now, deepLink, ok, err)
		}
	}
	take("", 2, noon, false)
	take("", 1, noon.Add(time.Millisecond), false)
	take("k", 1, noon, true)
	take("k", 1, noon, true)
	take("other", 1, noon, false)
	take("", 1, noon, false)
	if got, ok, _ := d.ReadTouch(t.Context(), 7, noon); !ok || got.Query != "a=b" {
		t.Errorf("the touch is %+v", got)
	}
	if got, ok, _ := d.ReadTouch(t.Context(), 8, noon); !ok || got.ID != 8 {
		t.Errorf("the remembered touch is %+v", got)
	}
	d.Forget(8)
	if _, ok, _ := d.ReadTouch(t.Context(), 8, noon); ok {
		t.Error("it forgets nothing")
	}
	mark := d.Mark()
	if _, err := d.ReadConsent(t.Context(), 1, "i", mark, noon); err != ingesttest.ErrBehind || d.HasPassed(mark) {
		t.Errorf("behind: %v", err)
	}
	d.Pass()
	if _, err := d.ReadConsent(t.Context(), 1, "i", mark, noon); err != nil || !d.HasPassed(mark) || d.HasPassed(d.Mark()) {
		t.Errorf("not behind: %v", err)
	}
	d.Fail(errOff)
	_, _, first := d.ReadInstallation(t.Context(), 1, "i")
	_, _, second := d.ReadTouch(t.Context(), 7, noon)
	_, _, third := d.TakeDeepLink(t.Context(), 1, "i", "k", noon)
	if first != errOff || second != errOff || third != errOff {
		t.Errorf("got %v, %v, %v", first, second, third)
	}
}
