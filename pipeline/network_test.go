package pipeline

import (
	"slices"
	"testing"
	"time"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/event"
)

func (p *past) flagged(d history.Decided, code attribution.Code) bool {
	return slices.ContainsFunc(d.Decision.Flags, func(f attribution.Flag) bool { return f.Code == code })
}

// rejected returns why a touch could not win; empty where it could.
func rejected(d history.Decided, c event.Click) attribution.Code {
	for _, r := range d.Decision.Rejected {
		if r.Touch == c.ID {
			return r.Code
		}
	}
	return ""
}

// TestAnonymous: the events say which networks are behind them, and attribution
// judges by that, whatever privacy has left of the addresses.
func TestAnonymous(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	f := func(install, clicked, opened, clickIP string, openIPs ...string) (event.Click, history.Decided) {
		t.Helper()
		c := p.touched(noon, func(c *event.Click) { c.IP, c.Network = clickIP, clicked })
		p.told(event.OpenKind, install, noon.Add(time.Hour), func(t *event.Told) {
			came(c)(t)
			t.IPs, t.Networks = openIPs, nil
			if opened != "" {
				t.Networks = append(make([]string, max(0, len(openIPs)-1)), opened)
			}
		})
		p.catchUp()
		return c, p.decided(install, attribution.Install, "")
	}
	c, d := f("plain", "", "", "203.0.113.7", "203.0.113.7")
	p.credited(d, c, attribution.ByReferrer)
	if len(d.Decision.Flags) > 0 {
		t.Errorf("flags %v", d.Decision.Flags)
	}
	for _, network := range []attribution.Network{attribution.Hosting, attribution.VPN, attribution.Tor} {
		for _, ip := range []string{"203.0.113.8", "203.0.113.0", ""} {
			c, d = f(string(network)+" touch "+ip, string(network), "", ip, "203.0.113.8")
			p.credited(d, c, attribution.ByReferrer)
			if !p.flagged(d, attribution.AnonymousTouch) {
				t.Errorf("a touch of %s through %s has flags %v", ip, network, d.Decision.Flags)
			}
		}
		for n, ips := range [][]string{{"203.0.113.9"}, {"203.0.113.9", "2001:db8::9"}, nil} {
			c, d = f(string(network)+" install "+string(rune('0'+n)), "", string(network), "203.0.113.9", ips...)
			p.verdict(d, attribution.Organic, attribution.NewInstall)
			if !p.flagged(d, attribution.Anonymous) || rejected(d, c) != attribution.Anonymous {
				t.Errorf("an install from %v through %s: %v", ips, network, d.Decision.Explain())
			}
		}
	}
	for _, network := range []attribution.Network{attribution.Relay, attribution.Cellular, attribution.Residential, "unheard of"} {
		c, d = f(string(network), string(network), string(network), "203.0.113.10", "203.0.113.11")
		p.credited(d, c, attribution.ByReferrer)
		if len(d.Decision.Flags) > 0 {
			t.Errorf("%s: flags %v", network, d.Decision.Flags)
		}
	}
}

// TestNetworksAndLikeness: an address of a network that hides people, or of a
// relay, says nothing about where a device is; a carrier's is shared.
func TestNetworksAndLikeness(t *testing.T) {
	t.Parallel()
	f := func(network attribution.Network, age time.Duration, want attribution.Verdict) {
		t.Helper()
		p := newPast(t)
		p.touched(noon.Add(-age), func(c *event.Click) { c.Network = string(network) })
		p.told(event.OpenKind, "device-1", noon, func(t *event.Told) { t.First, t.IPs = true, []string{"203.0.113.7"} })
		p.catchUp()
		if d := p.decided("device-1", attribution.Install, ""); d.Decision.Verdict != want {
			t.Errorf("a click through %q: %v, want %s", network, d.Decision.Explain(), want)
		}
	}
	f("", 2*time.Hour, attribution.Credited)
	f(attribution.Residential, 2*time.Hour, attribution.Credited)
	f(attribution.Cellular, 30*time.Minute, attribution.Credited)
	f(attribution.Cellular, 2*time.Hour, attribution.Organic)
	f(attribution.Relay, 30*time.Minute, attribution.Organic)
	f(attribution.Hosting, 30*time.Minute, attribution.Organic)
}
