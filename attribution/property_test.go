package attribution

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"waypost/internal/device"
	"waypost/internal/uid"
	"waypost/link"
)

// history is a random past: few devices, addresses and ids, so that much of it
// collides.
type history struct {
	touches     []Touchpoint
	conversions []*Conversion
}

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

func randomFacts(r *rand.Rand) Facts {
	f := Facts{
		Platform:  pick(r, device.IOS, device.Android, device.Android, device.Android, device.Unknown),
		OSVersion: pick(r, "16", "16", "16", "16.4", "26.1"),
		Model:     pick(r, "", "", "Pixel 10", "Pixel 10", "SM-S931B"),
		Locale:    pick(r, "", "en-US", "en-US", "en-GB"),
		Timezone:  pick(r, "", "Europe/Berlin"),
	}
	for range 1 + r.IntN(2) {
		ip := netip.AddrFrom4([4]byte{203, 0, 113, byte(r.IntN(8))})
		f.Addresses = append(f.Addresses, Address{IP: ip, Network: pick(r, "", "", "", "", "", "", Cellular, Relay, VPN), Cut: r.IntN(8) == 0})
	}
	return f
}

func randomIDs(r *rand.Rand) []DeviceID {
	all := []DeviceID{{GAID, Raw, someGAID}, {GAID, SHA1, sha1Hex(someGAID)}, {GAID, "", otherGAID}, {IDFV, "", otherGAID}, {GAID, "", zeroUUID}, {IDFA, "", "junk"}}
	r.Shuffle(len(all), func(i, k int) { all[i], all[k] = all[k], all[i] })
	return all[:r.IntN(3)]
}

func randomHistory(seed uint64) history {
	r := rand.New(rand.NewPCG(seed, 1))
	names := []string{"", "", "", "", "", "", "a", "b", "c"}
	var h history
	for id := range r.IntN(12) {
		h.touches = append(h.touches, Touchpoint{
			ID: uid.Click(id + 1), Kind: pick(r, Click, Click, View), At: noon.Add(-time.Duration(r.Int64N(int64(9*day))) >> r.IntN(14)),
			Account: 1, Apps: []link.AppID{pick[link.AppID](r, 7, 7, 7, 9)}, Source: Source{Partner: link.PartnerID(r.IntN(3)), Campaign: pick(r, "x", "y")},
			Facts: randomFacts(r), DeviceIDs: randomIDs(r), ClickID: pick(r, names...), ClipboardToken: pick(r, names...), Visitor: pick(r, names...),
			Agent: pick(r, names...), Retargeting: r.IntN(2) == 0, Owned: r.IntN(2) == 0, Bot: pick(r, "", "", "", "crawler"),
			Lookbacks: Lookbacks{ClickDeterministic: Lookback(r.Int64N(int64(40 * day))), ViewProbabilistic: Lookback(time.Hour)},
			Claims:    Claims{Limited: r.IntN(4) == 0, Events: []string{pick(r, InstallEvent, "Login")}},
		})
	}
	for id := range 1 + r.IntN(4) {
		c := &Conversion{
			ID: ConversionID(rune('a' + id)), Kind: pick(r, Install, Install, Open, InApp), Event: "Login", At: noon.Add(time.Duration(id) * time.Minute),
			Account: 1, App: 7, Facts: randomFacts(r), DeviceIDs: randomIDs(r), Referrer: Referrer{ClickID: pick(r, names...)},
			OpenedClickID: pick(r, names...), ClipboardToken: pick(r, names...), Neighbours: pick(r, 0, 0, 0, 2, 7), BadSignature: r.IntN(10) == 0,
			Consent: Consent{Measurement: pick(r, "", "", Yes, No)},
		}
		if c.Kind != Install && r.IntN(12) == 0 {
			c.InstallRefusal = DuplicateDevice
		}
		if r.IntN(3) == 0 {
			c.Past = &PastInstall{At: noon.Add(-time.Duration(r.Int64N(int64(120 * day))))}
		}
		h.conversions = append(h.conversions, c)
	}
	return h
}

// play decides the conversions one after the other, as a ledger does. mix
// changes the order in which the touches are handed in.
func (h history) play(mix func([]Touchpoint)) []Decision {
	p := DefaultPolicy()
	touches := append([]Touchpoint(nil), h.touches...)
	decisions := make([]Decision, 0, len(h.conversions))
	for _, c := range h.conversions {
		mix(touches)
		d := Decide(c, touches, &p, c.At)
		for i := range touches {
			if touches[i].ID == winner(d) && c.Kind != InApp {
				touches[i].UsedBy = c.ID
			}
		}
		decisions = append(decisions, d)
	}
	return decisions
}

const histories = 4000

func TestHistories(t *testing.T) {
	t.Parallel()
	credited, byMethod := 0, map[Method]int{}
	for seed := range uint64(histories) {
		h := randomHistory(seed)
		decisions := h.play(func([]Touchpoint) {})
		counts := map[Verdict]int{}
		earned := map[uid.Click]ConversionID{}
		for i, d := range decisions {
			counts[d.Verdict]++
			checkDecision(t, seed, h.conversions[i], h.touches, d)
			if d.Winner != nil {
				credited++
				byMethod[d.Winner.Method]++
				if other, twice := earned[d.Winner.Touch]; twice && h.conversions[i].Kind != InApp {
					t.Errorf("seed %d: touch %d earned %s and %s", seed, d.Winner.Touch, other, d.Conversion)
				}
				if h.conversions[i].Kind != InApp {
					earned[d.Winner.Touch] = d.Conversion
				}
			}
		}
		if counts[Credited]+counts[Organic]+counts[Refused] != len(h.conversions) {
			t.Errorf("seed %d: %v of %d conversions", seed, counts, len(h.conversions))
		}
		checkReplay(t, seed, h, decisions)
	}
	// Histories that credit nobody would prove nothing.
	for _, m := range []Method{ByReferrer, ByOpenedURL, ByClipboard, ByDeviceID, Probabilistic} {
		if byMethod[m] < histories/200 {
			t.Errorf("only %d of %d credits are by %s", byMethod[m], credited, m)
		}
	}
}

// checkDecision holds what is true of every decision.
func checkDecision(t *testing.T, seed uint64, c *Conversion, touches []Touchpoint, d Decision) {
	t.Helper()
	if (d.Winner != nil) != (d.Verdict == Credited) || (d.Refusal != "") != (d.Verdict == Refused) {
		t.Errorf("seed %d: verdict %s, winner %+v, refusal %q", seed, d.Verdict, d.Winner, d.Refusal)
	}
	if c.InstallRefusal != "" && d.Verdict != Refused {
		t.Errorf("seed %d: %s of a refused installation is %s", seed, c.Kind, d.Verdict)
	}
	told := len(d.Assists) + len(d.Rejected)
	if d.Winner != nil {
		told++
	}
	if told != len(touches) {
		t.Errorf("seed %d: %d touches, %d are accounted for", seed, len(touches), told)
	}
	eligible := d.Assists
	if d.Winner != nil {
		eligible = append([]Match{*d.Winner}, eligible...)
	}
	for _, m := range eligible {
		var touch Touchpoint
		for _, candidate := range touches {
			if candidate.ID == m.Touch {
				touch = candidate
			}
		}
		age := c.At.Sub(touch.At)
		if age > m.Lookback || age < -5*time.Minute || m.Lookback > 30*day || m.Method == Probabilistic && m.Lookback > day {
			t.Errorf("seed %d: touch %d is %s old, lookback %s, method %s", seed, m.Touch, age, m.Lookback, m.Method)
		}
		if touch.Bot != "" || touch.Apps[0] != c.App || !touch.Claims.Allows(InstallEvent) && c.Kind == Install {
			t.Errorf("seed %d: touch %d may not be eligible: %+v", seed, m.Touch, touch)
		}
		if m.Method == Probabilistic && (c.Consent.Measurement == No || touch.Facts.Platform != c.Facts.Platform || c.Kind != Install) {
			t.Errorf("seed %d: touch %d is not likely at all: %+v", seed, m.Touch, touch)
		}
		if d.Winner.Kind == View && m.Kind == Click {
			t.Errorf("seed %d: a view won beside click %d", seed, m.Touch)
		}
	}
}

// checkReplay decides again: the same, in another order, from candidates that
// were found by key, and after everything has been decided once.
func checkReplay(t *testing.T, seed uint64, h history, first []Decision) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 2))
	shuffled := h.play(func(all []Touchpoint) { r.Shuffle(len(all), func(i, k int) { all[i], all[k] = all[k], all[i] }) })
	p := DefaultPolicy()
	used := append([]Touchpoint(nil), h.touches...)
	for i, c := range h.conversions {
		if !equal(first[i], shuffled[i]) {
			t.Errorf("seed %d: the order of arrival changed %+v to %+v", seed, first[i], shuffled[i])
		}
		found := Decide(c, newIndex(used).find(c, &p), &p, c.At)
		if winner(found) != winner(first[i]) || found.Verdict != first[i].Verdict {
			t.Errorf("seed %d: by key %+v, from all %+v", seed, found, first[i])
		}
		for k := range used {
			if used[k].ID == winner(first[i]) && c.Kind != InApp {
				used[k].UsedBy = c.ID
			}
		}
		if again := Decide(c, used, &p, c.At); winner(again) != winner(first[i]) {
			t.Errorf("seed %d: decided again %+v, first %+v", seed, again, first[i])
		}
	}
}
