package attribution

import "testing"

// TestOddEventsEarnNothing: an event that tells an id of no device follows
// nobody's credit, unless another id of it is good; a switch has it followed.
func TestOddEventsEarnNothing(t *testing.T) {
	t.Parallel()
	junk, good := DeviceID{Kind: GAID, Value: "junk"}, DeviceID{Kind: AndroidID, Value: "a1b2c3d4e5f60718"}
	f := func(name string, ids []DeviceID, rules map[Code]Action, want Verdict) {
		t.Helper()
		c := someInstall()
		c.Kind, c.Event, c.DeviceIDs = InApp, "purchase", ids
		c.InstallCredit = &Credit{From: noon.Add(-day), Match: Match{Touch: 1, Kind: Click}}
		p := DefaultPolicy()
		p.Rules = rules
		if d := Decide(c, nil, &p, noon); d.Verdict != want {
			t.Errorf("%s: %+v", name, d)
		}
	}
	f("no id", nil, nil, Credited)
	f("a zero id", []DeviceID{{Kind: GAID, Value: "00000000-0000-0000-0000-000000000000"}}, nil, Credited)
	f("a malformed id", []DeviceID{junk}, nil, Organic)
	f("a malformed id beside a good one", []DeviceID{junk, good}, nil, Credited)
	f("a malformed id, switched off", []DeviceID{junk}, map[Code]Action{MalformedID: RuleOff}, Credited)
}

// TestImpossibleReferrerTimesEarnNothing: the click that such a referrer names
// is rejected by the rule about clocks, which has a switch.
func TestImpossibleReferrerTimesEarnNothing(t *testing.T) {
	t.Parallel()
	f := func(odd bool, action Action, want Verdict) {
		t.Helper()
		c := someInstall()
		c.Referrer.ClickID, c.OddReferrer = "1", odd
		touch := someTouch(1, day).with(func(t *Touchpoint) { t.ClickID = "1" })
		p := DefaultPolicy()
		p.Rules = map[Code]Action{ClockSuspect: action}
		d := Decide(c, []Touchpoint{touch}, &p, noon)
		if d.Verdict != want || want == Organic && why(d, 1) != ClockSuspect || hasFlag(d, Flag{Code: ClockSuspect}) != (odd && action != RuleOff) {
			t.Errorf("odd %v, %q: %+v", odd, action, d)
		}
	}
	f(false, Reject, Credited)
	f(true, Reject, Organic)
	f(true, FlagIt, Credited)
	f(true, RuleOff, Credited)
}
