package pipeline

import (
	"cmp"
	"context"
	"slices"
	"time"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/event"
	"waypost/internal/uid"
	"waypost/link"
	"waypost/report"
)

// installKey names an installation.
type installKey struct {
	app     link.AppID
	install string
}

// decidedKey names a conversion.
type decidedKey struct {
	installKey
	conversion attribution.ConversionID
}

// ahead is what a step has made and not yet committed. Its reads answer as the
// store will after the commit, so that a decision does not depend on where
// steps begin and end.
type ahead struct {
	store HistoryStore

	touches    []history.Touch // in the ledger's order
	touchesBy  touchIndex
	touchByID  map[uid.Click]int
	earned     map[uid.Click]history.Earned
	installs   map[installKey]*history.Installation
	installsBy installIndex
	stored     storedInstalls
	decided    map[decidedKey]*history.Decided
	orphans    map[installKey][]history.Orphan
	adopted    []history.Orphan
	counts     report.Counts
	sites      map[history.SiteDay]*attribution.SiteTraffic
	deliveries []history.Delivery
	platform   []event.PlatformConversion // in the ledger's order

	newInstalls []installKey // in the ledger's order, like those below
	newDecided  []decidedKey
	newOrphans  []installKey
}

func newAhead(store HistoryStore) *ahead {
	return &ahead{
		store: store, touchesBy: touchIndex{}, touchByID: map[uid.Click]int{}, earned: map[uid.Click]history.Earned{},
		installs: map[installKey]*history.Installation{}, installsBy: installIndex{}, decided: map[decidedKey]*history.Decided{},
		orphans: map[installKey][]history.Orphan{}, counts: report.Counts{}, sites: map[history.SiteDay]*attribution.SiteTraffic{},
	}
}

// step turns it into what a store commits.
func (h *ahead) step(from, to uint64, forget time.Time) history.Step {
	s := history.Step{
		Projection: History, From: from, To: to, Touches: h.touches, Adopted: h.adopted, Counts: h.counts, Deliveries: h.deliveries, Platform: h.platform, ForgetBefore: forget,
	}
	for _, e := range h.earned {
		s.Earned = append(s.Earned, e)
	}
	for d, counted := range h.sites {
		s.Sites = append(s.Sites, history.SiteCount{SiteDay: d, SiteTraffic: *counted})
	}
	for _, k := range h.newInstalls {
		s.Installations = append(s.Installations, *h.installs[k])
	}
	for _, k := range h.newDecided {
		s.Decided = append(s.Decided, *h.decided[k])
	}
	for _, k := range h.newOrphans {
		s.Orphans = append(s.Orphans, h.orphans[k]...)
	}
	return s
}

func (h *ahead) addTouch(t history.Touch) {
	keys := t.Keys()
	if len(keys) == 0 {
		return
	}
	n := len(h.touches)
	h.touches = append(h.touches, t)
	if _, twice := h.touchByID[t.ID]; !twice {
		h.touchByID[t.ID] = n
	}
	for i, k := range keys {
		if !slices.Contains(keys[:i], k) {
			h.touchesBy.add(k, h.touches, n)
		}
	}
}

// knows reports whether the touch came before.
func (h *ahead) knows(ctx context.Context, t *history.Touch) (bool, error) {
	if _, twice := h.touchByID[t.ID]; twice {
		return true, nil
	}
	found, err := h.store.FindTouches(ctx, []attribution.Lookup{aroundClick(attribution.Key{App: t.Apps[0], Kind: attribution.ClickKey, Value: t.ID.String()}, t.At)})
	return len(found) > 0 && len(found[0]) > 0, err
}

// knowsPlatform reports whether the conversion came before.
func (h *ahead) knowsPlatform(ctx context.Context, c *event.PlatformConversion) (bool, error) {
	for i := range h.platform {
		if p := &h.platform[i]; p.App == c.App && p.Framework == c.Framework && p.Key == c.Key {
			return true, nil
		}
	}
	return h.store.KnowsPlatformConversion(ctx, c.App, c.Framework, c.Key)
}

// earn marks a touch as the conversion's.
func (h *ahead) earn(t *history.Touch, c attribution.ConversionID) {
	touch := *t
	touch.UsedBy, touch.Traffic = "", attribution.Traffic{}
	h.earned[t.ID] = history.Earned{Touch: touch, Conversion: c}
}

// site is what the step adds to what was counted of a site.
func (h *ahead) site(d history.SiteDay) *attribution.SiteTraffic {
	counted := h.sites[d]
	if counted == nil {
		counted = &attribution.SiteTraffic{}
		h.sites[d] = counted
	}
	return counted
}

// readSites returns what was counted of sites, in their order.
func (h *ahead) readSites(ctx context.Context, asked []history.SiteDay) ([]attribution.SiteTraffic, error) {
	found, err := h.store.ReadSites(ctx, asked)
	if err != nil {
		return nil, err
	}
	for i, d := range asked {
		if counted := h.sites[d]; counted != nil {
			found[i].Add(counted)
		}
	}
	return found, nil
}

// candidates returns the touches of lists, each once.
func (h *ahead) candidates(lists [][]history.Touch) (found []history.Touch) {
	seen := map[uid.Click]bool{}
	for _, list := range lists {
		for _, t := range list {
			if !seen[t.ID] {
				seen[t.ID] = true
				found = append(found, h.marked(t))
			}
		}
	}
	return found
}

// findLists returns the touches under each lookup, the newest first, bounded
// by key.
func (h *ahead) findLists(ctx context.Context, asked []attribution.Lookup) ([][]history.Touch, error) {
	stored, err := h.store.FindTouches(ctx, asked)
	if err != nil {
		return nil, err
	}
	lists := make([][]history.Touch, len(asked))
	for i, l := range asked {
		under := h.touchesBy.newest(&l, h.touches)
		if i < len(stored) {
			under = append(under, stored[i]...)
		}
		// Stable, so that of equal age those that came later stay before the others.
		slices.SortStableFunc(under, func(a, b history.Touch) int { return b.At.Compare(a.At) })
		lists[i] = under[:min(len(under), attribution.MaxPerKey)]
	}
	return lists, nil
}

// marked says what the touch has earned by now.
func (h *ahead) marked(t history.Touch) history.Touch {
	if e, ok := h.earned[t.ID]; ok {
		t.UsedBy = e.Conversion
	}
	return t
}

// touch returns a touch that a decision names, or nil.
func (h *ahead) touch(ctx context.Context, id uid.Click, at time.Time) (*history.Touch, error) {
	if e, ok := h.earned[id]; ok {
		t := h.marked(e.Touch)
		return &t, nil
	}
	if n, ok := h.touchByID[id]; ok {
		t := h.touches[n]
		return &t, nil
	}
	t, ok, err := h.store.ReadTouch(ctx, id, at)
	if err != nil || !ok {
		return nil, err
	}
	return &t, nil
}

// installation returns a copy of what is known of an installation, or nil.
func (h *ahead) installation(ctx context.Context, k installKey) (*history.Installation, error) {
	if i := h.installs[k]; i != nil {
		known := *i
		return &known, nil
	}
	i, ok, err := h.store.ReadInstallation(ctx, k.app, k.install)
	if err != nil || !ok {
		return nil, err
	}
	return &i, nil
}

func (h *ahead) isDecided(ctx context.Context, k decidedKey) (bool, error) {
	if h.decided[k] != nil {
		return true, nil
	}
	_, ok, err := h.store.ReadDecided(ctx, k.app, k.install, k.conversion)
	return ok, err
}

func (h *ahead) readDecided(ctx context.Context, k decidedKey) (*history.Decided, error) {
	if d := h.decided[k]; d != nil {
		known := *d
		return &known, nil
	}
	d, ok, err := h.store.ReadDecided(ctx, k.app, k.install, k.conversion)
	if err != nil || !ok {
		return nil, err
	}
	return &d, nil
}

func (h *ahead) decide(d *history.Decided) {
	k := decidedKey{installKey{d.App, d.Install}, d.Conversion}
	known := *d
	if h.decided[k] == nil {
		h.newDecided = append(h.newDecided, k)
	}
	h.decided[k] = &known
}

func (h *ahead) addOrphan(o history.Orphan) {
	k := installKey{o.App, o.Install}
	if _, known := h.orphans[k]; !known {
		h.newOrphans = append(h.newOrphans, k)
	}
	h.orphans[k] = append(slices.DeleteFunc(h.orphans[k], func(old history.Orphan) bool { return old.Conversion == o.Conversion }), o)
}

// orphan returns one of an installation that is not known yet, or nil.
func (h *ahead) orphan(ctx context.Context, k installKey, c attribution.ConversionID) (*history.Orphan, error) {
	for _, o := range h.orphans[k] {
		if o.Conversion == c {
			return &o, nil
		}
	}
	o, ok, err := h.store.ReadOrphan(ctx, k.app, k.install, c)
	if err != nil || !ok {
		return nil, err
	}
	return &o, nil
}

// adopt returns the installation's orphans, the oldest first, which are none
// any more.
func (h *ahead) adopt(ctx context.Context, k installKey) ([]history.Orphan, error) {
	found, err := h.store.ListOrphans(ctx, k.app, k.install)
	if err != nil {
		return nil, err
	}
	for _, o := range found {
		o.Line = nil
		h.adopted = append(h.adopted, o)
	}
	newer := h.orphans[k]
	found = slices.DeleteFunc(found, func(old history.Orphan) bool {
		return slices.ContainsFunc(newer, func(o history.Orphan) bool { return o.Conversion == old.Conversion })
	})
	found = append(found, newer...)
	if len(newer) > 0 {
		h.orphans[k] = nil // and stays among newOrphans
	}
	slices.SortFunc(found, func(a, b history.Orphan) int {
		return cmp.Or(a.ReceivedAt.Compare(b.ReceivedAt), cmp.Compare(a.Conversion, b.Conversion))
	})
	return found, nil
}
