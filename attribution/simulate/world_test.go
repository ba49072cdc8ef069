package simulate

import (
	"net/netip"
	"testing"
	"time"

	"waypost/attribution"
	"waypost/internal/device"
)

// addresses of the world, by whose they are.
var (
	homes    = []netip.Prefix{netip.MustParsePrefix("91.0.0.0/8"), netip.MustParsePrefix("2003::/16")}
	carriers = []netip.Prefix{netip.MustParsePrefix("80.187.0.0/16")}
	vpns     = []netip.Prefix{netip.MustParsePrefix("185.1.1.0/24")}
	relays   = []netip.Prefix{netip.MustParsePrefix("172.224.1.0/24")}
)

// crowds are the devices that spoke from each address.
func crowds(w *World) map[netip.Prefix]map[int]bool {
	found := map[netip.Prefix]map[int]bool{}
	note := func(from []attribution.Address, device int) {
		for _, p := range prefixes(from) {
			if found[p] == nil {
				found[p] = map[int]bool{}
			}
			found[p][device] = true
		}
	}
	for i := range w.Touches {
		if t := &w.Touches[i]; !w.Fraud[t.ID] {
			note(t.Facts.Addresses, w.Owners[t.ID])
		}
	}
	for _, o := range w.opens {
		note(o.from, o.device)
	}
	return found
}

// least is what a day holds of everything that docs/attribution.md promises, or more.
const least = 15

// TestWorldHoldsWhatItPromises counts the hard cases.
func TestWorldHoldsWhatItPromises(t *testing.T) {
	t.Parallel()
	w := Day(1, people)
	found := map[string]int{}
	countTouches(w, found)
	countConversions(w, found)
	t.Log(found)
	for _, name := range []string{
		"bot", "frozen Android", "Safari 26", "silent web view", "relay that nobody listed", "relay", "IPv6", "household", "carrier", "crowded carrier", "VPN",
		"double click", "retargeting", "SHA-1", "MD5", "flood", "injection",
		"late report", "clock fast", "clock too fast", "clock slow", "clock too slow", "clock a month slow", "denied by the clock", "store without a clock",
		"re-installation by a plain click", "re-installation by a retargeting click", "re-installation after the window", "refusal", "no tracking", "another language", "another line",
	} {
		if found[name] < least {
			t.Errorf("%s: %d, want %d", name, found[name], least)
		}
	}
	if organic := share(found["organic"], len(w.Conversions)); organic < 0.55 || organic > 0.65 {
		t.Errorf("%.0f %% of the installs are organic, want six in ten", 100*organic)
	}
	if rate := share(found["led to by a click"], found["people who click"]); rate < 0.07 || rate > 0.09 {
		t.Errorf("%.1f %% of those who click install, want one in twelve", 100*rate)
	}
}

func countTouches(w *World, found map[string]int) {
	behind := crowds(w)
	last := map[int]*attribution.Touchpoint{} // by device
	for i := range w.Touches {
		touch := &w.Touches[i]
		facts, fraud, owner := &touch.Facts, w.Fraud[touch.ID], w.Owners[touch.ID]
		found["bot"] += one(touch.Bot != "")
		found["frozen Android"] += one(facts.Platform == device.Android && facts.OSVersion == "" && facts.Model == "" && !fraud)
		found["Safari 26"] += one(facts.Platform == device.IOS && facts.OSVersion >= "26")
		found["silent web view"] += one(facts.Platform == device.IOS && facts.OSVersion == "")
		found["flood"] += one(fraud && touch.Source.Link == 99)
		found["injection"] += one(fraud && touch.Source.Link == 98)
		found["retargeting"] += one(touch.Retargeting)
		for _, id := range touch.DeviceIDs {
			found["SHA-1"] += one(id.Form == attribution.SHA1)
			found["MD5"] += one(id.Form == attribution.MD5)
		}
		if fraud || owner == nobody {
			continue
		}
		if before := last[owner]; before == nil {
			found["people who click"]++
		} else if after := touch.At.Sub(before.At); after > 0 && after <= 3*time.Minute && before.Source == touch.Source {
			found["double click"]++
		}
		last[owner] = touch
		from := facts.Addresses[0]
		many := len(behind[prefixes(facts.Addresses)[0]])
		found["IPv6"] += one(from.IP.Is6())
		found["relay"] += one(within(from.IP, relays))
		found["relay that nobody listed"] += one(within(from.IP, relays) && from.Network == "")
		found["household"] += one(within(from.IP, homes) && many > 1)
		found["carrier"] += one(within(from.IP, carriers) && many > 1)
		found["crowded carrier"] += one(within(from.IP, carriers) && many > 5)
		found["VPN"] += one(within(from.IP, vpns))
	}
}

func within(ip netip.Addr, of []netip.Prefix) bool {
	for _, p := range of {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}

func countConversions(w *World, found map[string]int) {
	lastOf := map[int]*attribution.Touchpoint{}
	for i := range w.Touches {
		t := &w.Touches[i]
		if !w.Fraud[t.ID] {
			lastOf[w.Owners[t.ID]] = t
		}
	}
	for i := range w.Conversions {
		c, truth := &w.Conversions[i], &w.Truths[i]
		found["organic"] += one(!truth.Clicked)
		found["led to by a click"] += one(truth.Clicked)
		found["late report"] += one(truth.ReceivedAt.After(truth.OpenedAt))
		off := c.At.Sub(truth.ReceivedAt)
		found["clock fast"] += one(off > 0 && off <= clockSkew)
		found["clock too fast"] += one(off > clockSkew)
		found["clock slow"] += one(off < 0 && off >= -clockSkew)
		found["clock too slow"] += one(off < -clockSkew && off >= -oldestReport)
		found["clock a month slow"] += one(off < -oldestReport)
		found["denied by the clock"] += one(truth.Denied)
		found["store without a clock"] += one(c.Referrer.ClickID != "" && c.Referrer.InstallBeginServerAt.IsZero())
		found["refusal"] += one(c.Consent.Measurement == attribution.No)
		found["no tracking"] += one(c.Consent.Tracking == attribution.No)
		if past := c.Past; past != nil && truth.Clicked {
			inWindow := truth.OpenedAt.Sub(past.At) <= reattribution
			found["re-installation by a plain click"] += one(inWindow && truth.Unmeant)
			found["re-installation by a retargeting click"] += one(inWindow && !truth.Unmeant)
			found["re-installation after the window"] += one(!inWindow)
		}
		if t := lastOf[truth.Device]; truth.Clicked && t != nil {
			found["another language"] += one(t.Facts.Locale != c.Facts.Locale)
			from, to := t.Facts.Addresses[0].IP, c.Facts.Addresses[0].IP
			found["another line"] += one(within(from, homes) && within(to, carriers) || within(from, carriers) && within(to, homes))
		}
	}
}

// TestTruthIsTheDocuments holds the truth's own figures against the document's
// defaults, which the policy has, too: a policy that moves away from them is
// measured by them all the same.
func TestTruthIsTheDocuments(t *testing.T) {
	t.Parallel()
	p := attribution.DefaultPolicy()
	if p.ClockSkew != clockSkew || p.OldestReport != oldestReport || p.Reattribution != reattribution || p.Fraud.ShortTime != fastest {
		t.Errorf("the world believes other defaults than %+v", p)
	}
}
