package simulate

import (
	"crypto/md5"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"waypost/attribution"
	"waypost/internal/device"
)

// journey is a person who clicks, perhaps twice, and perhaps installs. Of a
// hundred who click, eight do.
func (b *builder) journey(p *person) {
	at, from, through, campaign := b.moment(), b.where(p), b.browse(p), b.campaign(p)
	touch := b.click(p, at, from, through, campaign)
	if b.chance(0.2) { // again, because nothing seemed to happen
		at = at.Add(b.between(2*time.Second, 3*time.Minute))
		touch = b.click(p, at, from, through, campaign)
	}
	if !b.chance(0.08) {
		return
	}
	after := b.untilOpen()
	b.install(p, at.Add(after), b.later(p, from, after), touch)
}

// installByHimself is a person who needed no click.
func (b *builder) installByHimself(p *person) {
	b.install(p, b.moment(), b.where(p), noTouch)
}

const noTouch = -1

// untilOpen is the time from click to first open, as a public sample of a
// Chinese network has it.
func (b *builder) untilOpen() time.Duration {
	low := 12 * time.Second // no download is faster
	for _, step := range []struct {
		share float64
		until time.Duration
	}{{0.37, time.Minute}, {0.29, 5 * time.Minute}, {0.09, 10 * time.Minute}, {0.33, time.Hour}, {0.74, 6 * time.Hour}, {0.94, 12 * time.Hour}} {
		if b.chance(step.share) {
			return b.between(low, step.until)
		}
		low = step.until
	}
	return b.between(low, 24*time.Hour)
}

// install reports the first open. touch is the click that led to it, noTouch if none did.
func (b *builder) install(p *person, at time.Time, from *line, touch int) {
	b.installs++
	c := attribution.Conversion{
		ID: attribution.ConversionID(fmt.Sprint("install-", b.installs)), Kind: attribution.Install, At: at, Account: account, App: app,
		Facts: attribution.Facts{
			Platform: p.platform, OSVersion: p.version, Model: p.model.name, Locale: p.locale, Timezone: timezone, Screen: p.model.screen,
			Addresses: b.fromApp(from),
		},
		DeviceIDs: []attribution.DeviceID{b.ownID(p)},
		Consent:   attribution.Consent{Tracking: p.tracking},
	}
	truth := Truth{Device: p.id, Clicked: touch != noTouch, OpenedAt: at, ReceivedAt: at}
	if p.lateReports { // the correction of the clock takes the delay for an offset
		truth.ReceivedAt = at.Add(b.between(0, 3*time.Minute))
		c.At = truth.ReceivedAt
	} else {
		c.At = at.Add(p.clock)
	}
	if p.withoutConsent {
		c.Consent.Measurement = attribution.No
	}
	if b.chance(0.03) { // the app speaks another language than the browser
		c.Facts.Locale = some(b.random, locales)
	}
	if p.had > 0 {
		c.Past = &attribution.PastInstall{At: at.Add(-p.had)}
	}
	if truth.Clicked {
		b.carry(p, &c, &b.Touches[touch], &truth)
	}
	if p.platform == device.Android && b.chance(0.03) {
		b.inject(p, &c, at)
	}
	b.Conversions, b.Truths = append(b.Conversions, c), append(b.Truths, truth)
	b.opens = append(b.opens, open{at, p.id, c.Facts.Addresses})
}

const day = 24 * time.Hour

// carry brings the click's id to the app, as far as the way there can: Play's
// referrer, the clipboard, the device's own id.
func (b *builder) carry(p *person, c *attribution.Conversion, t *attribution.Touchpoint, truth *Truth) {
	began := truth.OpenedAt.Add(-b.between(4*time.Second, 8*time.Second))
	joined := false
	switch {
	case p.platform == device.Android && b.chance(0.85): // the others come from stores without a referrer
		c.Referrer = attribution.Referrer{ClickID: t.ClickID, ClickAt: t.At.Add(p.clock), InstallBeginAt: began.Add(p.clock)}
		if b.chance(0.8) { // the others' stores know the device's clock alone
			c.Referrer.ClickServerAt, c.Referrer.InstallBeginServerAt = t.At, began
		}
		joined = true
	case p.platform == device.IOS && b.chance(0.08):
		t.ClipboardToken = "paste-" + t.ClickID
		c.ClipboardToken = t.ClipboardToken
		joined = true
	}
	if len(t.DeviceIDs) > 0 && !p.withoutConsent {
		joined = true
	}
	iosAllows := p.platform != device.IOS || t.Owned || p.tracking == attribution.Yes
	denied := c.At.Sub(truth.ReceivedAt) > clockSkew || truth.ReceivedAt.Sub(c.At) > oldestReport || c.At.Sub(t.At) < fastest
	switch {
	case p.had > 0 && p.had <= reattribution && !t.Retargeting:
		truth.Unmeant = true
	case joined:
		truth.CarryID, truth.Denied = !denied, denied
	default:
		truth.MayGuess = !p.withoutConsent && iosAllows
	}
}

// inject is malware that saw the download begin, six seconds before the first
// open, and sends a click for it.
func (b *builder) inject(p *person, c *attribution.Conversion, opened time.Time) {
	began := opened.Add(-6 * time.Second)
	c.Referrer.InstallBeginServerAt = began
	at := b.click(p, began.Add(2*time.Second), p.home, browser{agent: "okhttp/4.12.0"}, 98)
	t := &b.Touches[at]
	t.Bot, t.Facts.Platform = "", device.Android
	t.DeviceIDs = []attribution.DeviceID{{Kind: attribution.GAID, Value: p.adID}}
	b.Fraud[t.ID] = true
}

// use is a session of somebody who has the app.
func (b *builder) use(p *person) {
	b.opens = append(b.opens, open{b.moment(), p.id, b.fromApp(b.where(p))})
}

func (b *builder) ownID(p *person) attribution.DeviceID {
	if p.platform == device.IOS {
		return attribution.DeviceID{Kind: attribution.IDFA, Value: p.adID}
	}
	return attribution.DeviceID{Kind: attribution.GAID, Value: p.adID}
}

// hashed is the person's id as one network or another sends it.
func (b *builder) hashed(p *person) attribution.DeviceID {
	id := b.ownID(p)
	switch b.random.IntN(3) {
	case 1:
		sum := sha1.Sum([]byte(id.Value))
		id.Form, id.Value = attribution.SHA1, hex.EncodeToString(sum[:])
	case 2:
		sum := md5.Sum([]byte(id.Value))
		id.Form, id.Value = attribution.MD5, hex.EncodeToString(sum[:])
	}
	return id
}

// sort puts the conversions, and their truths with them, in the order in which
// the server hears of them.
func (b *builder) sort() {
	order := make([]int, len(b.Conversions))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(x, y int) int { return b.Truths[x].ReceivedAt.Compare(b.Truths[y].ReceivedAt) })
	conversions, truths := b.Conversions, b.Truths
	b.Conversions, b.Truths = make([]attribution.Conversion, len(order)), make([]Truth, len(order))
	for i, from := range order {
		b.Conversions[i], b.Truths[i] = conversions[from], truths[from]
	}
}
