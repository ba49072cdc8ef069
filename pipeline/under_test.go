package pipeline

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/event"
	"waypost/internal/device"
	"waypost/internal/uid"
)

// countingStore counts the installations that it has handed out.
type countingStore struct {
	HistoryStore
	questions, found int
}

func (s *countingStore) FindInstallations(ctx context.Context, keys []attribution.Key, since time.Time, most int) ([][]history.Installation, error) {
	lists, err := s.HistoryStore.FindInstallations(ctx, keys, since, most)
	s.questions++
	for _, list := range lists {
		s.found += len(list)
	}
	return lists, err
}

// TestInstallsOfOneAddress: however many there are, known before and new, a step
// reads each a few times at most, and decides what steps of one event do.
func TestInstallsOfOneAddress(t *testing.T) {
	t.Parallel()
	const known, fresh = 150, 150
	p := newPast(t)
	at := noon
	tell := func(install int, change func(*event.Told)) {
		at = at.Add(time.Second)
		p.told(event.OpenKind, fmt.Sprint("install-", install), at, change)
	}
	for n := range known {
		tell(n, first)
	}
	other := p.another()
	one := p.attributor(func(c *AttributorConfig) { c.Store = other })
	one.stepEvents = 1
	a := p.catchUp()
	for n := range known {
		tell(n, nil)
		if n%2 == 0 {
			p.touched(at, nil)
		}
		tell(known+n, first)
	}
	s := &countingStore{HistoryStore: p.store}
	a.cfg.Store = s
	p.ok(a.CatchUp(t.Context()))
	p.ok(one.CatchUp(t.Context()))
	if most := 4 * (known + mostInstallations); s.found > most {
		t.Errorf("%d installations were read, %d would do", s.found, most)
	}
	if s.questions > 2*(known+fresh) {
		t.Errorf("the store was asked %d times for %d installs", s.questions, fresh)
	}
	if got, want := p.everything(p.store), p.everything(other); got != want {
		t.Errorf("in one step:\n%s\nin steps of one event:\n%s", got, want)
	}
}

// TestFoundInstallationsAreAsTheStore: what a step finds before its commit is
// what it finds after, whatever it has changed of what was there.
func TestFoundInstallationsAreAsTheStore(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	phone := attribution.Key{App: androidApp, Kind: attribution.DeviceKey, Value: "gaid:" + someGAID}
	here := attribution.Key{App: androidApp, Kind: attribution.AddressKey, Value: "203.0.113.7/32"}
	there := attribution.Key{App: androidApp, Kind: attribution.AddressKey, Value: "203.0.113.8/32"}
	const all = 3 * mostInstallations
	installs := make([]history.Installation, all)
	for n, minutes := range p.random.Perm(all) {
		at := noon.Add(time.Duration(minutes) * time.Minute)
		installs[n] = history.Installation{Account: 1, App: androidApp, ID: fmt.Sprint("install-", n), At: at, LastActiveAt: noon, Address: []attribution.Key{here}}
		if n%3 > 0 {
			installs[n].Identity = []attribution.Key{phone}
		}
	}
	moved := slices.Clone(installs)
	for n := range moved { // a third leaves the address, and a third comes to the device
		if n%3 == 0 {
			moved[n].Identity = []attribution.Key{phone}
		}
		if n%3 == 1 {
			moved[n].Address = []attribution.Key{there}
		}
	}
	found := func(h *ahead, k attribution.Key) string {
		list, err := h.findInstallations(t.Context(), []attribution.Key{k}, time.Time{})
		p.ok(err)
		var ids []string
		for _, i := range list {
			ids = append(ids, i.ID)
		}
		return strings.Join(ids, " ")
	}
	newest := func(under attribution.Key) string { // by what is known of them all
		list := slices.DeleteFunc(slices.Clone(moved), func(i history.Installation) bool {
			return !slices.Contains(i.Identity, under) && !slices.Contains(i.Address, under)
		})
		slices.SortFunc(list, func(a, b history.Installation) int { return b.At.Compare(a.At) })
		var ids []string
		for _, i := range list[:min(len(list), mostInstallations)] {
			ids = append(ids, i.ID)
		}
		return strings.Join(ids, " ")
	}
	for committed := 0; committed <= all; committed += 32 {
		s := p.another()
		p.ok(s.CommitHistory(t.Context(), history.Step{Projection: History, To: 1, Installations: installs[:committed]}))
		h := newAhead(s)
		for n := range installs {
			if n >= committed {
				h.save(&installs[n])
			}
			if n%50 == 0 { // while it changes
				found(h, phone)
				found(h, here)
			}
			h.save(&moved[n])
		}
		for _, k := range []attribution.Key{phone, here, there} {
			if got, want := found(h, k), newest(k); got != want {
				t.Fatalf("%s with %d of %d committed: %s\nwant %s", k, committed, all, got, want)
			}
		}
		half := newAhead(s) // changes some of them only
		for n := committed; n < all; n++ {
			half.save(&installs[n])
		}
		if got, want := found(half, phone), found(newAheadOf(p, installs), phone); got != want {
			t.Fatalf("with %d of %d committed and none changed: %s\nwant %s", committed, all, got, want)
		}
	}
}

// newAheadOf has made all the installations in one step.
func newAheadOf(p *past, installs []history.Installation) *ahead {
	p.Helper()
	h := newAhead(p.store)
	for i := range installs {
		h.save(&installs[i])
	}
	return h
}

// BenchmarkInstallsOfOneAddress decides installs that share an address in one
// step, with as many clicks from there or without. Four times as many are to take
// about four times as long.
func BenchmarkInstallsOfOneAddress(b *testing.B) {
	const few = 500
	for _, clicks := range []bool{false, true} {
		b.Run(fmt.Sprintf("clicks=%t", clicks), func(b *testing.B) {
			var short, long time.Duration
			for b.Loop() {
				short += decideOneAddress(b, few, clicks)
				long += decideOneAddress(b, 4*few, clicks)
			}
			b.ReportMetric(float64(long)/float64(short), "×/4×installs")
			b.ReportMetric(float64(long.Microseconds())/float64(4*few*b.N), "µs/install")
		})
	}
}

func decideOneAddress(b *testing.B, installs int, clicks bool) time.Duration {
	b.Helper()
	p := newPast(b)
	a := p.attributor()
	g := gathering{hearing: hearing{a, newAhead(p.store), p.directory}}
	began := time.Now()
	for n := range installs {
		at := noon.Add(time.Duration(n) * time.Millisecond).UnixMilli()
		if clicks {
			p.ok(g.hearClick(b.Context(), &event.Click{
				Kind: event.ClickKind, ID: uid.NewClick(), At: at, Account: 1, Template: "A1b3", Host: "acme.localhost", Platform: device.Android, IP: "198.51.100.20",
			}))
		}
		p.ok(g.hear(b.Context(), &event.Told{
			Kind: event.OpenKind, ID: uid.NewClick(), At: at, ReceivedAt: at, Account: 1, App: androidApp, Install: fmt.Sprint(n), Key: fmt.Sprint(n), First: true, IPs: []string{"198.51.100.20"},
		}))
	}
	return time.Since(began)
}
