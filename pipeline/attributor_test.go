package pipeline

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/event"
	"waypost/internal/device"
	"waypost/internal/fault"
)

// TestClickToPurchase is the usual way: a click, an install that its store's
// referrer joins to it, the deferred deep link, a purchase.
func TestClickToPurchase(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	c := p.touched(noon, func(c *event.Click) { c.DeepLink, c.Query = "product/12", "pid=mail&c=autumn" })
	open := p.told(event.OpenKind, "device-1", noon.Add(10*time.Minute), came(c))
	p.told(event.InAppKind, "device-1", noon.Add(time.Hour), func(t *event.Told) { t.Name, t.Amount, t.Currency = "purchase", "9.99", "EUR" })
	a := p.catchUp()

	install := p.decided("device-1", attribution.Install, "")
	p.credited(install, c, attribution.ByReferrer)
	p.verdict(install, attribution.Credited, attribution.NewInstall)
	if s := install.Decision.Winner.Source; s.Name != "mail" || s.Campaign != "autumn" {
		t.Errorf("source %+v", s)
	}
	purchase := p.decided("device-1", attribution.InApp, "purchase")
	p.credited(purchase, c, attribution.Inherited)
	if purchase.Amount != "9.99" || purchase.Currency != "EUR" {
		t.Errorf("purchase of %s %s", purchase.Amount, purchase.Currency)
	}
	p.counts(map[string]int64{"installs/0": 1, "events/0": 1})

	i, ok, err := a.Await(t.Context(), androidApp, "device-1", open.Key)
	p.ok(err)
	if !ok || i.Conversion != install.Conversion || i.Outcome != attribution.NewInstall || i.Credit == nil || i.Credit.Match.Touch != c.ID {
		t.Errorf("installation %+v, %v", i, ok)
	}
	e, err := a.ExplainInstall(t.Context(), androidApp, "device-1")
	p.ok(err)
	if text := strings.Join(e.Text(), "\n"); !strings.Contains(text, `"product/12", not told yet, told until `) {
		t.Errorf("the explanation of a link that nobody was told: %s", text)
	}
	for n, key := range []string{"s-1", "s-1", "s-2", ""} {
		deepLink, ok, err := a.TakeDeepLink(t.Context(), androidApp, "device-1", key, noon.Add(20*time.Minute))
		p.ok(err)
		if first := n < 2; ok != first || (deepLink == "product/12") != first {
			t.Errorf("call %d: deep link %q, %v", n, deepLink, ok)
		}
	}
	e, err = a.ExplainInstall(t.Context(), androidApp, "device-1")
	p.ok(err)
	text := strings.Join(e.Text(), "\n")
	for _, want := range []string{"installation device-1", "won: click " + c.ID.String() + " by referrer", "source mail, campaign autumn", "later: event purchase", `"product/12", told already, at ` + textTime(noon.Add(20*time.Minute))} {
		if !strings.Contains(text, want) {
			t.Errorf("the explanation lacks %q:\n%s", want, text)
		}
	}
	if _, err := a.ExplainInstall(t.Context(), androidApp, "nobody"); !fault.Is(err, fault.NotFound) {
		t.Errorf("explained nobody: %v", err)
	}
}

// TestDeepLinkHasATime: it is told for a day after its click.
func TestDeepLinkHasATime(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	c := p.touched(noon, func(c *event.Click) { c.DeepLink = "product/12" })
	p.told(event.OpenKind, "device-1", noon.Add(23*time.Hour), came(c))
	late := p.touched(noon, func(c *event.Click) { c.DeepLink = "product/12" })
	p.told(event.OpenKind, "device-2", noon.Add(25*time.Hour), came(late))
	a := p.catchUp()
	f := func(install string, now time.Time, want bool) {
		t.Helper()
		_, ok, err := a.TakeDeepLink(t.Context(), androidApp, install, "", now)
		p.ok(err)
		if ok != want {
			t.Errorf("%s: %v, want %v", install, ok, want)
		}
	}
	f("device-1", noon.Add(24*time.Hour+time.Millisecond), false)
	f("device-1", noon.Add(24*time.Hour), true)
	f("device-2", noon.Add(25*time.Hour), false)
	f("device-3", noon, false)
	p.credited(p.decided("device-2", attribution.Install, ""), late, attribution.ByReferrer)
}

// TestRepeated: what was told before changes nothing, however often it comes.
func TestRepeated(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	c := p.touched(noon, func(c *event.Click) { c.Query = "gaid=" + someGAID })
	withID := func(t *event.Told) { t.IDs = []event.DeviceID{{Kind: "gaid", Value: someGAID}} }
	open := p.told(event.OpenKind, "device-1", noon.Add(time.Hour), func(t *event.Told) { first(t); withID(t) })
	bought := p.told(event.InAppKind, "device-1", noon.Add(2*time.Hour), func(t *event.Told) { t.Name = "purchase" })
	again := p.told(event.OpenKind, "device-1", noon.Add(20*24*time.Hour), nil)
	early := p.told(event.InAppKind, "device-2", noon, func(t *event.Told) { t.Name = "login" })
	won := p.touched(noon.Add(30*24*time.Hour), func(c *event.Click) { c.Query = "retargeting&gaid=" + someGAID })
	back := p.told(event.OpenKind, "device-1", noon.Add(30*24*time.Hour+time.Minute), withID)
	p.catchUp()
	p.credited(p.decided("device-1", attribution.Install, ""), c, attribution.ByDeviceID)
	p.credited(p.decided("device-1", attribution.Open, ""), won, attribution.ByDeviceID)
	p.counts(map[string]int64{"installs/0": 1, "events/0": 1, "organic_events/0": 1, "reengagements/0": 1, "sessions/0": 1})
	if i, _, err := p.store.ReadInstallation(t.Context(), androidApp, "device-1"); err != nil || i.ReengagedBy != back.Key {
		t.Errorf("won back by open %q, want %q, %v", i.ReengagedBy, back.Key, err)
	}
	before := p.everything(p.store)

	p.touched(noon.Add(30*time.Minute), func(c *event.Click) { c.Query = "gaid=" + someGAID }) // would win now
	for range 2 {
		for _, t := range []event.Told{open, bought, again, early, back} {
			t.ID++
			p.tell(t)
		}
	}
	p.catchUp()
	if after := p.everything(p.store); after != before {
		t.Errorf("repetitions changed\n%s\nto\n%s", before, after)
	}
}

// TestFirstAgain: an installation that says once more that it never ran before
// gets the answer of the first time.
func TestFirstAgain(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	c := p.touched(noon, nil)
	p.told(event.OpenKind, "device-1", noon.Add(time.Hour), came(c))
	p.catchUp()
	before, sums := p.decided("device-1", attribution.Install, ""), p.sums()
	again := p.told(event.OpenKind, "device-1", noon.Add(2*time.Hour), came(p.touched(noon.Add(90*time.Minute), nil)))
	a := p.catchUp()
	if after := p.decided("device-1", attribution.Install, ""); !reflect.DeepEqual(after, before) {
		t.Errorf("decided again: %+v, first %+v", after, before)
	}
	p.counts(sums)
	i, ok, err := a.Await(t.Context(), androidApp, "device-1", again.Key)
	p.ok(err)
	if !ok || i.Credit.Match.Touch != c.ID || !i.LastActiveAt.Equal(noon.Add(time.Hour)) {
		t.Errorf("installation %+v, %v", i, ok)
	}
}

// TestServersRepeat: the report of a click by a partner's server is one touch,
// of the first time, however often it comes, and only for an app of its account.
func TestServersRepeat(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	server := func(query string) func(*event.Click) {
		return func(c *event.Click) {
			c.ID, c.Host, c.Template, c.Route, c.Query = 1234567890123456789, "", "", event.ServerRoute, query
		}
	}
	mine := "waypost_app=7&gaid=" + someGAID
	first := p.touched(noon, server(mine))
	p.touched(noon.Add(time.Minute), server(mine))
	p.catchUp()
	p.touched(noon.Add(9*24*time.Hour), server(mine))
	other := p.touched(noon, func(c *event.Click) { server("waypost_app=8&gaid=" + otherGAID)(c); c.ID++ })
	open := func(install string, after time.Duration, gaid string) history.Decided {
		p.told(event.OpenKind, install, noon.Add(after), func(t *event.Told) { t.First, t.IDs = true, []event.DeviceID{{Kind: "gaid", Value: gaid}} })
		p.catchUp()
		return p.decided(install, attribution.Install, "")
	}
	p.verdict(open("late", 10*24*time.Hour, someGAID), attribution.Organic, attribution.NewInstall)
	p.verdict(open("nobody's", time.Hour, otherGAID), attribution.Organic, attribution.NewInstall)
	for _, c := range []struct {
		click event.Click
		want  bool
	}{{first, true}, {other, false}} {
		touch, ok, err := p.store.ReadTouch(t.Context(), c.click.ID, noon)
		p.ok(err)
		if ok != c.want || ok && len(touch.Apps) != 1 {
			t.Errorf("touch %+v, %v", touch, ok)
		}
	}
}

// TestEventsBeforeTheirInstall are nobody's, and are credited when the install
// comes within seven days.
func TestEventsBeforeTheirInstall(t *testing.T) {
	t.Parallel()
	f := func(name string, late time.Duration, atOnce, credited bool) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPast(t)
			c := p.touched(noon.Add(late-time.Hour), nil)
			p.told(event.InAppKind, "device-1", noon, func(t *event.Told) { t.Name = "login" })
			if !atOnce {
				p.catchUp()
				p.verdict(p.decided("device-1", attribution.InApp, "login"), attribution.Organic, attribution.Happening)
				p.counts(map[string]int64{"organic_events/0": 1})
			}
			p.told(event.OpenKind, "device-1", noon.Add(late), came(c))
			p.catchUp()
			login := p.decided("device-1", attribution.InApp, "login")
			p.credited(p.decided("device-1", attribution.Install, ""), c, attribution.ByReferrer)
			if credited {
				p.credited(login, c, attribution.Inherited)
				p.counts(map[string]int64{"installs/0": 1, "events/0": 1})
			} else {
				p.verdict(login, attribution.Organic, attribution.Happening)
				p.counts(map[string]int64{"installs/0": 1, "organic_events/0": 1})
			}
			if login.Decision.Late != credited {
				t.Errorf("late: %v", login.Decision.Late)
			}
			orphans, err := p.store.ListOrphans(t.Context(), androidApp, "device-1")
			p.ok(err)
			if len(orphans) > 0 {
				t.Errorf("%d orphans are left", len(orphans))
			}
		})
	}
	f("in one step", time.Minute, true, true)
	f("in two steps", time.Minute, false, true)
	f("after seven days", 7*24*time.Hour, false, true)
	f("too late", 7*24*time.Hour+time.Second, false, false)
	f("too late, in one step", 8*24*time.Hour, true, false)
}

// TestEventsAtTheirInstallsTime: an event that another connection of the app
// brings with its first start may say an earlier time than that, whichever of
// them the ledger has first.
func TestEventsAtTheirInstallsTime(t *testing.T) {
	t.Parallel()
	const start = time.Hour
	f := func(name string, at, received time.Duration) {
		for order, installFirst := range map[string]bool{"install first": true, "event first": false} {
			t.Run(name+", "+order, func(t *testing.T) {
				t.Parallel()
				p := newPast(t)
				c := p.touched(noon, nil)
				login := func() {
					p.told(event.InAppKind, "device-1", noon.Add(at), func(t *event.Told) { t.Name, t.ReceivedAt = "login", noon.Add(received).UnixMilli() })
				}
				if !installFirst {
					login()
				}
				p.told(event.OpenKind, "device-1", noon.Add(start), came(c))
				if installFirst {
					login()
				}
				p.catchUp()
				d := p.decided("device-1", attribution.InApp, "login")
				p.credited(d, c, attribution.Inherited)
				if want := noon.Add(max(at, start)); !d.Decision.At.Equal(want) {
					t.Errorf("it happened at %v, want %v", d.Decision.At, want)
				}
				p.counts(map[string]int64{"installs/0": 1, "events/0": 1})
			})
		}
	}
	f("a millisecond before", start-time.Millisecond, start-time.Millisecond)
	f("a day before", start-24*time.Hour, start)
	f("before a start by a clock that is fast", start-6*time.Minute, start-6*time.Minute)
	f("the same time", start, start)
	f("after", 2*start, 2*start)
}

// TestWhatEarnsNothing: bots, links that are not live, hosts of no app group.
func TestWhatEarnsNothing(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	clicks := []event.Click{
		p.touched(noon, func(c *event.Click) { c.Bot = "crawler:Googlebot" }),
		p.touched(noon, func(c *event.Click) { c.State, c.Code = event.Expired, "promo" }),
		p.touched(noon, func(c *event.Click) { c.State, c.Code = event.Gone, "promo" }),
		p.touched(noon, func(c *event.Click) { c.Template, c.Host = "gone", "nowhere.localhost" }),
		p.touched(noon, func(c *event.Click) { c.Account = 2 }), // its template is another's
	}
	for n, c := range clicks {
		p.told(event.OpenKind, string(rune('a'+n)), noon.Add(time.Hour), came(c))
	}
	p.catchUp()
	for n := range clicks {
		p.verdict(p.decided(string(rune('a'+n)), attribution.Install, ""), attribution.Organic, attribution.NewInstall)
	}
	p.counts(map[string]int64{"organic_installs/0": int64(len(clicks))})
}

// TestFactsThatRefuseAClick: each alone keeps an otherwise good click from winning.
func TestFactsThatRefuseAClick(t *testing.T) {
	t.Parallel()
	f := func(name, query string, after time.Duration, change func(*event.Told), credited bool) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPast(t)
			c := p.touched(noon, func(c *event.Click) { c.Query = query })
			p.told(event.OpenKind, "device-1", noon.Add(after), func(t *event.Told) {
				came(c)(t)
				if change != nil {
					change(t)
				}
			})
			p.catchUp()
			if d := p.decided("device-1", attribution.Install, ""); (d.Decision.Winner != nil) != credited {
				t.Errorf("%s", strings.Join(d.Decision.Explain(), "\n"))
			}
		})
	}
	f("nothing", "", 3*time.Hour, nil, true)
	f("the default lookback", "", 8*24*time.Hour, nil, false)
	f("a partner's lookback is kept", "pid=network", time.Hour, nil, true)
	f("a partner's lookback is over", "pid=network", 3*time.Hour, nil, false)
	f("another platform", "", time.Hour, func(t *event.Told) { t.Platform = device.IOS }, false)
	f("an impossible time", "", time.Hour, func(t *event.Told) { t.Flags = []string{"clock"} }, false)
	f("a wrong signature", "", time.Hour, func(t *event.Told) { t.Unsigned = true }, false)
	f("claims nothing", "claims=purchase", time.Hour, nil, false)
	f("too soon", "", time.Second, nil, true) // a referrer proves the click
}

// TestByLikeness: same address, same device, soon after; not when others were there.
func TestByLikeness(t *testing.T) {
	t.Parallel()
	f := func(name, address string, before func(*past), want bool) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPast(t)
			if before != nil {
				before(p)
			}
			c := p.touched(noon, func(c *event.Click) { c.IP = address })
			p.told(event.OpenKind, "device-1", noon.Add(5*time.Minute), func(t *event.Told) {
				first(t)
				t.IPs = []string{"2001:db8::1", address}
			})
			p.catchUp()
			d := p.decided("device-1", attribution.Install, "")
			if want {
				p.credited(d, c, attribution.Probabilistic)
			} else {
				p.verdict(d, attribution.Organic, attribution.NewInstall)
			}
		})
	}
	const address = "203.0.113.7"
	f("alone", address, nil, true)
	f("what privacy left of an address", "203.0.113.0", nil, false)
	f("what privacy left of another", "2001:db8:7::", nil, false)
	f("a crowd of installations at the address", address, func(p *past) {
		for n := range 8 {
			p.told(event.OpenKind, string(rune('a'+n)), noon.Add(-time.Duration(n)*time.Hour), func(t *event.Told) {
				first(t)
				t.IPs = []string{address}
			})
		}
	}, false)
	f("a crowd a day ago", address, func(p *past) {
		for n := range 8 {
			p.told(event.OpenKind, string(rune('a'+n)), noon.Add(-25*time.Hour), func(t *event.Told) {
				first(t)
				t.IPs = []string{address}
			})
		}
	}, true)
}

// TestReinstall: the device had the app, under another installation.
func TestReinstall(t *testing.T) {
	t.Parallel()
	f := func(name string, after time.Duration, query string, want attribution.Outcome) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPast(t)
			withID := func(t *event.Told) { first(t); t.IDs = []event.DeviceID{{Kind: "gaid", Value: someGAID}} }
			p.told(event.OpenKind, "device-1", noon, withID)
			p.touched(noon.Add(after-time.Hour), func(c *event.Click) { c.Query = query + "&gaid=" + someGAID })
			p.told(event.OpenKind, "device-2", noon.Add(after), withID)
			p.told(event.InAppKind, "device-2", noon.Add(after+time.Hour), func(t *event.Told) { t.Name = "login" })
			p.catchUp()
			if d := p.decided("device-2", attribution.Install, ""); d.Decision.Outcome != want {
				t.Errorf("%s", strings.Join(d.Decision.Explain(), "\n"))
			}
			credited := want != attribution.Reinstall
			if d := p.decided("device-2", attribution.InApp, "login"); (d.Decision.Winner != nil) != credited {
				t.Errorf("%s", strings.Join(d.Decision.Explain(), "\n"))
			}
		})
	}
	f("by itself", 89*24*time.Hour, "", attribution.Reinstall)
	f("won back", 89*24*time.Hour, "retargeting", attribution.Reattribution)
	f("after the window", 91*24*time.Hour, "", attribution.NewInstall)
}

// TestConsentAndName of a person stay with the installation.
func TestConsentAndName(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	p.told(event.ConsentKind, "device-1", noon, nil) // before there is one: nothing
	p.told(event.OpenKind, "device-1", noon, func(t *event.Told) { first(t); t.Consent = &event.Consent{Tracking: "yes"} })
	p.told(event.ConsentKind, "device-1", noon.Add(time.Hour), func(t *event.Told) { t.Consent = &event.Consent{Measurement: "no", LimitAds: event.Yes} })
	p.told(event.IdentifyKind, "device-1", noon.Add(time.Hour), func(t *event.Told) { t.User = "ada" })
	p.told(event.IdentifyKind, "device-1", noon.Add(time.Hour), func(t *event.Told) { t.User, t.Unsigned = "eve", true })
	p.catchUp()
	i, ok, err := p.store.ReadInstallation(t.Context(), androidApp, "device-1")
	p.ok(err)
	if want := (attribution.Consent{Tracking: attribution.Yes, Measurement: attribution.No, LimitAds: true}); !ok || i.Consent != want || i.User != "ada" {
		t.Errorf("consent %+v of %q, want %+v of ada", i.Consent, i.User, want)
	}
}

// TestNews: everyone who is to be told hears of each thing once, with what it is about.
func TestNews(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	var heard []News
	p.outbox = func(n News) []history.Delivery {
		heard = append(heard, n)
		key := ""
		if n.Click != nil {
			key = n.Click.ID.String()
		} else {
			key = string(n.Decided.Conversion) + string(n.Decided.Decision.Verdict)
		}
		return []history.Delivery{{Key: key, Account: 1, Status: history.Waiting, DueAt: noon, MadeAt: noon}}
	}
	c := p.touched(noon, nil)
	p.touched(noon, func(c *event.Click) { c.Bot = "tool:curl" })
	open := p.told(event.OpenKind, "device-1", noon.Add(time.Hour), came(c))
	p.catchUp()
	p.told(event.InAppKind, "device-1", noon.Add(2*time.Hour), func(t *event.Told) { t.Name = "login" })
	p.told(event.OpenKind, "device-1", noon.Add(3*time.Hour), nil)
	p.told(event.InAppKind, "device-2", noon.Add(2*time.Hour), func(t *event.Told) { t.Name = "login" })
	p.tell(open)
	p.catchUp()
	if len(heard) != 5 {
		t.Fatalf("%d news, want a click, an install, an event, a session, an event of nobody", len(heard))
	}
	if n := heard[0]; n.Click == nil || n.Touch == nil || n.Touch.ID != c.ID || n.Decided != nil {
		t.Errorf("click %+v", n)
	}
	for i, n := range heard[1:4] {
		if n.Decided == nil || n.Installation == nil || n.Installation.ID != "device-1" || n.Told == nil || (n.Touch != nil) != (i < 2) {
			t.Errorf("news %d: %+v", i+1, n)
		}
	}
	if n := heard[4]; n.Installation != nil || n.Touch != nil || n.Decided.Event != "login" {
		t.Errorf("orphan %+v", n)
	}
	due, err := p.store.DueDeliveries(t.Context(), noon, 100)
	p.ok(err)
	if len(due) != 5 {
		t.Errorf("%d deliveries are due, want 5", len(due))
	}
}

// TestAwait: who waits is woken by the decision of his own open, not earlier and not later.
func TestAwait(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	a := p.attributor()
	expired, cancel := context.WithCancel(t.Context())
	cancel()
	if _, ok, err := a.Await(expired, androidApp, "device-1", "first"); ok || err != nil {
		t.Errorf("answered without a decision: %v, %v", ok, err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); a.Run(ctx) }()
	defer func() { stop(); <-done }()
	wait := func(key string) chan error {
		result := make(chan error, 1)
		go func() {
			i, ok, err := a.Await(t.Context(), androidApp, "device-1", key)
			if err == nil && (!ok || i.ID != "device-1") {
				err = fmt.Errorf("answer to %s: %+v, %v", key, i, ok)
			}
			result <- err
		}()
		return result
	}
	early, second, refused := []chan error{wait("first"), wait("first"), wait("first")}, wait("second"), wait("refused")
	open := func(key string, change func(*event.Told)) {
		p.told(event.OpenKind, "device-1", noon, func(t *event.Told) { t.Key = key; change(t) })
	}
	open("first", first)
	for _, w := range early {
		p.ok(<-w)
	}
	select {
	case err := <-second:
		t.Errorf("the second open was answered before it came: %v", err)
	default:
	}
	open("second", func(*event.Told) {})
	p.ok(<-second)
	open("refused", func(t *event.Told) { t.Unsigned = true })
	p.ok(<-refused)
	p.ok(<-wait("second"))
	p.ok(<-wait("refused"))
	a.waiters.mu.Lock()
	defer a.waiters.mu.Unlock()
	if n := len(a.waiters.all); n > 0 {
		t.Errorf("%d waiters are left", n)
	}
}
