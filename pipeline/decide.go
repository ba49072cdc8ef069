package pipeline

import (
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

const (
	// rememberFor is how long touches are found. Reports of conversions may be
	// late by a month, and lookbacks reach back a month from there; what lies
	// further back than this from the report is not looked for, so that it does
	// not matter when it is forgotten.
	rememberFor = 31 * 24 * time.Hour
	// orphanFor is how long an event waits for its installation.
	orphanFor = 7 * 24 * time.Hour
	// linkFor and likelyLinkFor are how long after its click a deferred deep
	// link is told: where the touch names the device, and where it is a guess.
	linkFor       = 24 * time.Hour
	likelyLinkFor = 2 * time.Hour
	// mostOpens is how many opens of an installation are known by their keys.
	mostOpens = 8
)

// News is one thing that the projection has just learned, for who tells others.
// One of Decided, Click and Platform is set.
type News struct {
	Decided      *history.Decided
	Installation *history.Installation // nil: not known
	// Touch is the click itself, or what earned the conversion, or would have
	// if it had not been refused; nil: none, or forgotten.
	Touch *history.Touch
	Told  *event.Told
	Click *event.Click
	// Platform is a conversion that a platform has attributed itself.
	Platform *event.PlatformConversion
}

// hearing decides the events of one step.
type hearing struct {
	*Attributor
	ahead     *ahead
	directory *link.Directory
}

// hear takes one event that an app has told.
func (h *hearing) hear(ctx context.Context, t *event.Told) error {
	known, err := h.ahead.installation(ctx, installKey{t.App, t.Install})
	if err != nil {
		return err
	}
	switch {
	case t.Kind == event.InAppKind:
		return h.hearEvent(ctx, t, known)
	case t.Kind == event.OpenKind && known == nil:
		return h.hearInstall(ctx, t)
	case known == nil && !t.Unsigned:
		return h.hearEarly(ctx, t)
	case known == nil || t.Unsigned && t.Kind != event.OpenKind:
		return nil
	case t.Kind == event.OpenKind && !t.First:
		return h.hearOpen(ctx, t, known)
	case t.Kind == event.OpenKind: // it never ran before, and did: the first one stays
		if !slices.Contains(known.Opens, t.Key) {
			if !t.Unsigned {
				known.Consent = consentOf(t, known.Consent)
			}
			known.Opens = addOpen(known.Opens, t.Key)
			h.ahead.save(known)
		}
	case t.Kind == event.ConsentKind:
		known.Consent, known.Withhold = consentOf(t, known.Consent), withheldBy(t, known.Withhold)
		h.ahead.save(known)
	case t.Kind == event.IdentifyKind:
		known.User = t.User
		h.ahead.save(known)
	}
	return nil
}

// ruling is one conversion and what came of it.
type ruling struct {
	told       *event.Told
	conversion *attribution.Conversion
	decision   attribution.Decision
	candidates []history.Touch
	claim      *attribution.Match // what would have won without the rules about sites; nil: nothing
}

// rule looks for candidates and decides.
func (h *hearing) rule(ctx context.Context, t *event.Told, c *attribution.Conversion) (r ruling, err error) {
	r = ruling{told: t, conversion: c}
	policy, now := h.policies.of(h.directory, t.Account, t.App), instant(t.ReceivedAt)
	if c.At.After(now) && c.At.After(instant(t.At)) { // startedBy has moved it
		now = c.At
	}
	if slices.Contains(t.Flags, event.ClockFlag) && policy.ActionOf(attribution.ClockSuspect) == attribution.Reject {
		c.InstallCredit, c.Reengagement = nil, nil
		r.decision = attribution.Decide(c, nil, policy, now)
		return r, nil
	}
	if c.Kind == attribution.InApp { // most events follow their installation, and need no candidates for that
		if r.decision = attribution.Decide(c, nil, policy, now); r.decision.Verdict != attribution.Organic {
			return r, nil
		}
	}
	asked := c.Lookups(policy)
	for i := range asked {
		if oldest := now.Add(-rememberFor); asked[i].Since.Before(oldest) {
			asked[i].Since = oldest
		}
	}
	if r.candidates, err = h.findCandidates(ctx, c.App, asked, now.Add(-rememberFor)); err != nil {
		return r, err
	}
	points := make([]attribution.Touchpoint, len(r.candidates))
	for i := range r.candidates {
		points[i] = r.candidates[i].Touchpoint
	}
	r.decision = attribution.Decide(c, points, policy, now)
	r.claim = claimOf(&r.decision, c, points, policy, now)
	return r, nil
}

// findCandidates returns the touches under the lookups with what was counted
// around them.
func (h *hearing) findCandidates(ctx context.Context, app link.AppID, asked []attribution.Lookup, oldest time.Time) ([]history.Touch, error) {
	lists, err := h.ahead.findLists(ctx, asked)
	if err != nil {
		return nil, err
	}
	crowd, err := h.findCrowd(ctx, asked, lists, oldest)
	if err != nil {
		return nil, err
	}
	found := h.ahead.candidates(lists)
	countTraffic(found, crowd)
	return found, h.seeSites(ctx, app, found)
}

func (h *hearing) hearInstall(ctx context.Context, t *event.Told) error {
	c := conversionOf(t, attribution.Install, h.directory.App(t.App), attribution.Consent{})
	user, err := h.earlyPerson(ctx, t, c)
	if err != nil {
		return err
	}
	identity, places := c.IdentityKeys(), addressKeys(c)
	sameDevice, err := h.ahead.findInstallations(ctx, identity, time.Time{})
	if err != nil {
		return err
	}
	samePlace, err := h.ahead.findInstallations(ctx, places, c.At.Add(-neighbourSpan))
	if err != nil {
		return err
	}
	remember(c, t.Install, sameDevice, samePlace)
	r, err := h.rule(ctx, t, c)
	if err != nil {
		return err
	}
	if err := h.checkLikeness(ctx, t, &r); err != nil {
		return err
	}
	err = h.countConversion(&r, func() (bool, error) { return h.isNewDevice(ctx, t, identity, sameDevice) })
	if err != nil {
		return err
	}
	orphans, err := h.orphansOf(ctx, t)
	if err != nil {
		return err
	}
	d := &r.decision
	made := &history.Installation{
		Account: t.Account, App: t.App, ID: t.Install, Dialect: t.Dialect, At: d.At, LastActiveAt: d.At, LastOpenAt: d.At, Identity: identity, Address: places,
		User: user, Consent: c.Consent, Withhold: withheldBy(t, orphans.withhold), Conversion: c.ID, Outcome: d.Outcome, Verdict: d.Verdict, Credit: d.Credit(), Opens: []string{t.Key}, Flags: t.Flags,
	}
	if err := h.conclude(ctx, &r, made); err != nil {
		return err
	}
	h.ahead.save(made)
	return h.adopt(ctx, &orphans, made, instant(t.ReceivedAt))
}

func (h *hearing) hearOpen(ctx context.Context, t *event.Told, known *history.Installation) error {
	c := conversionOf(t, attribution.Open, h.directory.App(t.App), known.Consent)
	repeated := slices.Contains(known.Opens, t.Key)
	if !repeated {
		var err error
		if repeated, err = h.ahead.isDecided(ctx, decidedKey{installKey{t.App, t.Install}, c.ID}); err != nil {
			return err
		}
	}
	if repeated {
		return nil
	}
	c.Past, c.Reengagement = &attribution.PastInstall{At: known.At, LastActiveAt: known.LastOpen()}, known.Reengagement
	var err error
	if c.InstallRefusal, err = h.refusalOf(ctx, known); err != nil {
		return err
	}
	r, err := h.rule(ctx, t, c)
	if err != nil {
		return err
	}
	if r.isHeard() {
		h.seen(known, &r)
		known.Opens = addOpen(known.Opens, t.Key)
		if r.decision.Outcome == attribution.Reengagement {
			known.Reengagement, known.ReengagedBy = r.decision.Credit(), t.Key
		}
		h.ahead.save(known)
	}
	if err := h.countConversion(&r, nil); err != nil {
		return err
	}
	return h.conclude(ctx, &r, known)
}

// addOpen adds the key of an open, and drops the oldest of too many.
func addOpen(opens []string, key string) []string {
	opens = append(slices.Clone(opens), key)
	return opens[max(0, len(opens)-mostOpens):]
}

func (h *hearing) hearEvent(ctx context.Context, t *event.Told, known *history.Installation) error {
	id := conversionID(t, attribution.InApp)
	if again, err := h.ahead.isDecided(ctx, decidedKey{installKey{t.App, t.Install}, id}); err != nil || again {
		return err
	}
	c := conversionOf(t, attribution.InApp, h.directory.App(t.App), attribution.Consent{})
	if known == nil {
		var err error
		if _, err = h.earlyPerson(ctx, t, c); err != nil {
			return err
		}
		if known, err = h.join(ctx, t, c); err != nil {
			return err
		}
		if known != nil {
			c.Consent = both(c.Consent, known.Consent)
		}
	} else {
		c.Consent = consentOf(t, known.Consent)
	}
	if known != nil {
		startedBy(c, known)
		c.Past = &attribution.PastInstall{At: known.At, LastActiveAt: known.LastOpen()}
		c.InstallCredit, c.Reengagement = known.Credit, known.Reengagement
		var err error
		if c.InstallRefusal, err = h.refusalOf(ctx, known); err != nil {
			return err
		}
	}
	r, err := h.rule(ctx, t, c)
	if err != nil {
		return err
	}
	if r.isHeard() {
		if known == nil {
			err = h.hearEarly(ctx, t)
		} else {
			h.seen(known, &r)
			h.ahead.save(known)
		}
	}
	if err != nil {
		return err
	}
	return h.conclude(ctx, &r, known)
}

// refusalOf is the rule that refused the installation; empty: none did.
func (h *hearing) refusalOf(ctx context.Context, i *history.Installation) (attribution.Code, error) {
	if i.Verdict != attribution.Refused {
		return "", nil
	}
	d, err := h.ahead.readDecided(ctx, decidedKey{installKey{i.App, i.ID}, i.Conversion})
	if err != nil || d == nil {
		return attribution.RefusedInstall, err
	}
	return d.Decision.Refusal, nil
}

// isHeard reports whether what the conversion says of its installation and its
// person is noted. It is unless the report is forged: a person whose
// installation looks like fraud, or whom a rule of the account's refuses, still
// says what may be done with what he is.
func (r *ruling) isHeard() bool {
	return r.decision.Verdict != attribution.Refused || !r.conversion.BadSignature
}

// startedBy puts an event that says an earlier time than its installation's
// start at that start. The app, or its connections, have mixed up their order:
// nothing happens in an app that was never started.
func startedBy(c *attribution.Conversion, i *history.Installation) {
	if c.At.Before(i.At) {
		c.At = i.At
	}
}

// mostIdentity bounds the keys of one installation: ids come and go with
// people's consent and by resetting them.
const mostIdentity = 64

// seen notes a sign of life of an installation.
func (h *hearing) seen(known *history.Installation, r *ruling) {
	c := r.conversion
	known.LastOpenAt = known.LastOpen() // before LastActiveAt moves on
	if c.Kind == attribution.Open && r.decision.At.After(known.LastOpenAt) {
		known.LastOpenAt = r.decision.At
	}
	if r.decision.At.After(known.LastActiveAt) {
		known.LastActiveAt = r.decision.At
		if places := addressKeys(c); len(places) > 0 {
			known.Address = places
		}
	}
	for _, k := range c.IdentityKeys() {
		if !slices.Contains(known.Identity, k) && len(known.Identity) < mostIdentity {
			known.Identity = append(slices.Clone(known.Identity), k)
		}
	}
	if r.told.User != "" {
		known.User = r.told.User
	}
	if r.told.Consent != nil {
		known.Consent = c.Consent
	}
	known.Withhold = withheldBy(r.told, known.Withhold)
}

// conclude records a decision with what follows from it.
func (h *hearing) conclude(ctx context.Context, r *ruling, installation *history.Installation) error {
	d, t := &r.decision, r.told
	touch, err := h.touchOfDecision(ctx, r)
	if err != nil {
		return err
	}
	if d.Winner != nil && touch != nil {
		if r.conversion.Kind != attribution.InApp {
			h.ahead.earn(touch, d.Conversion)
		}
		if r.conversion.Kind == attribution.Install {
			offerLink(installation, d, touch)
		}
	}
	decided := &history.Decided{
		Account: t.Account, App: t.App, Install: t.Install, Conversion: d.Conversion, Kind: r.conversion.Kind, Event: t.Name, Amount: t.Amount, Currency: t.Currency,
		ReceivedAt: instant(t.ReceivedAt), Decision: *d, Flags: t.Flags,
	}
	h.ahead.decide(decided)
	h.count(r, touch, 1)
	if installation == nil {
		told := *t // with what was said before, which no installation holds yet
		told.Consent = saidOf(r.conversion.Consent)
		h.tell(News{Decided: decided, Touch: touch, Told: &told})
		return h.orphan(r)
	}
	h.tell(News{Decided: decided, Installation: installation, Touch: touch, Told: t})
	return nil
}

// offerLink keeps the deferred deep link of the touch that won for the first start.
func offerLink(i *history.Installation, d *attribution.Decision, touch *history.Touch) {
	within := linkFor
	if d.Winner.Method == attribution.Probabilistic {
		within = likelyLinkFor
	}
	if _, ok := d.DeepLink(within); ok && touch.DeepLink != "" {
		i.DeepLink, i.LinkUntil = touch.DeepLink, d.Winner.At.Add(within)
	}
}

// touchOfDecision is the touch that earned the conversion, or would have.
func (h *hearing) touchOfDecision(ctx context.Context, r *ruling) (*history.Touch, error) {
	d := &r.decision
	if d.Winner == nil {
		if d.Verdict != attribution.Refused {
			return nil, nil
		}
		for _, rejected := range d.Rejected {
			switch {
			case rejected.Code != d.Refusal || rejected.Method == "":
			case rejected.Method == attribution.Inherited:
				return h.ahead.touch(ctx, rejected.Touch, rejected.At)
			default:
				return r.candidate(rejected.Touch), nil
			}
		}
		return nil, nil
	}
	if t := r.candidate(d.Winner.Touch); t != nil {
		return t, nil
	}
	return h.ahead.touch(ctx, d.Winner.Touch, d.Winner.At)
}

// count adds the decision to its cell, or takes it away again.
func (h *hearing) count(r *ruling, touch *history.Touch, n int64) {
	d := &r.decision
	metric := countedAs(d)
	if metric == "" {
		return
	}
	k := report.Key{
		Account: r.told.Account, Metric: metric, Day: report.DayOf(d.At.UnixMilli()),
		Platform: r.conversion.Facts.Platform, Country: r.conversion.Facts.Country,
	}
	if touch != nil {
		k.Template, k.Link, k.Route = touch.Template, touch.Source.Link, touch.Route
		if tracker := touch.Source.Tracker; tracker > 0 && tracker <= int64(link.MaxTracker) {
			k.Tracker = link.Tracker(tracker)
		}
	}
	if h.ahead.counts[k] += n; h.ahead.counts[k] == 0 {
		delete(h.ahead.counts, k)
	}
}

// countedAs is the metric of a decision; empty for what is not counted.
func countedAs(d *attribution.Decision) report.Metric {
	refused, credited := d.Verdict == attribution.Refused, d.Verdict == attribution.Credited
	switch d.Outcome {
	case attribution.Happening:
		switch {
		case refused:
			return report.RejectedEvents
		case credited:
			return report.Events
		}
		return report.OrganicEvents
	case attribution.Session:
		if refused {
			return ""
		}
		return report.Sessions
	case attribution.Reengagement:
		return report.Reengagements
	}
	switch {
	case refused:
		return report.RejectedInstalls
	case d.Outcome == attribution.Reinstall:
		return report.Reinstalls
	case d.Outcome == attribution.Reattribution:
		return report.Reattributions
	case credited:
		return report.Installs
	}
	return report.OrganicInstalls
}

func (h *hearing) tell(n News) {
	if h.cfg.Outbox != nil {
		h.ahead.deliveries = append(h.ahead.deliveries, h.cfg.Outbox(n)...)
	}
}

// candidate returns a touch that the decision looked at, or nil.
func (r *ruling) candidate(id uid.Click) *history.Touch {
	for i := range r.candidates {
		if r.candidates[i].ID == id {
			return &r.candidates[i]
		}
	}
	return nil
}
