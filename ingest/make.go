package ingest

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"waypost/attribution"
	"waypost/event"
	"waypost/internal/device"
	"waypost/internal/fault"
	"waypost/internal/uid"
	"waypost/link"
	"waypost/privacy"
)

// maxAddresses bounds the addresses of one report.
const maxAddresses = 8

// making is one report on its way to the ledger.
type making struct {
	report  *Report
	app     *link.App
	account *link.Account
	now     time.Time
	told    event.Told
}

// prepare makes the event of a report, or says what is wrong with it.
func (s *Service) prepare(ctx context.Context, kind event.Kind, r *Report) (*making, error) {
	app, account, err := s.FindApp(r.App)
	if err != nil {
		return nil, err
	}
	m := &making{report: r, app: app, account: account, now: s.cfg.Now()}
	m.told = event.Told{
		Kind: kind, ID: uid.NewClick(), ReceivedAt: m.now.UnixMilli(), Account: account.ID, App: app.ID, Dialect: r.Dialect,
		Install: strings.TrimSpace(r.Install), User: r.User, Consent: r.Consent, Emulator: r.Emulator, Unsigned: r.Unsigned,
		AppVersion: fact(r.AppVersion), SDK: fact(r.SDK), First: r.First && kind == event.OpenKind, Flags: slices.Clone(r.Flags),
	}
	for _, step := range []func() error{m.checkNames, m.takeContent, m.takeTime} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	m.takeKey()
	m.takeFacts(s.agents)
	if err := s.takePerson(ctx, m); err != nil {
		return nil, err
	}
	return m, nil
}

func (m *making) flag(name string) {
	if !slices.Contains(m.told.Flags, name) {
		m.told.Flags = append(m.told.Flags, name)
	}
}

// checkNames refuses what would name the wrong thing, or nothing.
func (m *making) checkNames() error {
	r := m.report
	if err := needText(FieldInstall, m.told.Install, maxInstall); err != nil {
		return err
	}
	if err := checkText(FieldEventID, r.Key, maxKey); err != nil {
		return err
	}
	need := checkText
	if m.told.Kind == event.IdentifyKind {
		need = needText
	}
	if err := need(FieldUser, r.User, maxUser); err != nil {
		return err
	}
	if m.told.Kind == event.ConsentKind && r.Consent == nil && r.Withhold == nil {
		return fault.Bad(FieldConsent, fault.Missing, "say what the person answered")
	}
	var err error
	if m.told.Withhold, err = withheld(r.Withhold); err != nil {
		return err
	}
	return checkConsent(r.Consent)
}

// takeContent takes over what an open, or an event, is about.
func (m *making) takeContent() (err error) {
	r, t := m.report, &m.told
	if t.Params, err = object(r.Params); err != nil {
		return err
	}
	switch t.Kind {
	case event.OpenKind:
		if err := checkText(FieldOpened, r.OpenedURL, maxURL); err != nil {
			return err
		}
		if err := checkText(FieldToken, r.Clipboard, maxToken); err != nil {
			return err
		}
		t.OpenedClick, t.Clipboard = cmp.Or(r.OpenedClick, ClickInURL(r.OpenedURL)), r.Clipboard
		t.OpenedURL = string(privacy.AppendURL(nil, m.account.IPPolicy, []byte(r.OpenedURL)))
	case event.InAppKind:
		if err := needText(FieldName, r.Name, maxName); err != nil {
			return err
		}
		var likely, known bool
		t.Name = r.Name
		if t.Amount, likely = amount(r.Amount); !likely {
			m.flag(event.AmountFlag)
		}
		if t.Currency, known = currency(r.Currency, t.Amount); !known {
			m.flag(event.CurrencyFlag)
		}
	}
	return nil
}

// takeTime corrects the sender's clock.
func (m *making) takeTime() error {
	c := newClock(m.now, m.report.SentAt)
	at, ok := c.correct(m.report.At)
	if !ok {
		m.flag(event.ClockFlag)
		m.told.ClaimedAt = millis(m.report.At)
	}
	m.told.At = at.UnixMilli()
	if m.told.Kind != event.OpenKind || m.report.Referrer == nil {
		return nil
	}
	if err := checkText(FieldReferrer, m.report.Referrer.Raw, maxReferrer); err != nil {
		return err
	}
	referrer, ok := c.referrer(m.report.Referrer)
	if !ok {
		m.flag(event.ReferrerFlag)
	}
	if *referrer != (event.Referrer{}) {
		m.told.Referrer = referrer
	}
	return nil
}

// takeKey sets what a repetition of the event has, too. Where the sender gives
// neither an id nor a time, only a first start is known again: two equal events
// are two.
func (m *making) takeKey() {
	r, t := m.report, &m.told
	switch {
	case r.Key != "":
		t.Key = r.Key
	case !r.At.IsZero():
		t.Key = HashKey(string(t.Kind), t.Install, t.Name, strconv.FormatInt(r.At.UnixMilli(), 10), t.Amount, t.Currency, string(t.Params))
	case t.First:
		t.Key = "first"
	case t.Kind == event.IdentifyKind:
		t.Key = HashKey(string(t.Kind), t.Install, t.User)
	default:
		t.Key = t.ID.String()
	}
}

// takeFacts takes over what is known of the device. What the report leaves out
// is the User-Agent's, where it speaks of the same platform, and the app's.
func (m *making) takeFacts(agents *device.Detector) {
	d, t := m.report.Device, &m.told
	t.Agent = cut(strings.TrimSpace(m.report.Agent), maxAgent)
	t.Platform, t.OS, t.Model = d.Platform, fact(d.OS), fact(d.Model)
	if t.Agent != "" && t.Agent != "-" {
		said := agents.Detect([]byte(t.Agent), device.Hints{})
		if t.Platform == device.Unknown && said.Platform != device.Web {
			t.Platform = said.Platform
		}
		if t.Platform == said.Platform && t.OS == "" {
			t.OS = said.OSVersion
		}
		if t.Platform == said.Platform && t.Model == "" {
			t.Model = said.Model
		}
	}
	if t.Platform == device.Unknown {
		t.Platform = m.app.Platform
	}
	t.Locale, t.Timezone = strings.ReplaceAll(fact(d.Locale), "_", "-"), fact(d.Timezone)
	if d.Width > 0 && d.Width <= maxScreen && d.Height > 0 && d.Height <= maxScreen {
		t.Width, t.Height = d.Width, d.Height
	}
	t.Country = countryCode(d.Country)
}

// countryCode is a code of ISO 3166-1 alpha-2 in capitals, empty where the text is none.
func countryCode(text string) string {
	c := strings.ToUpper(strings.TrimSpace(text))
	if len(c) != 2 || strings.Trim(c, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return ""
	}
	return c
}

// maxScreen is larger than any screen, pixels.
const maxScreen = 1 << 15

// takePerson takes over what tells people apart, as far as they and their
// account's privacy permit.
func (s *Service) takePerson(ctx context.Context, m *making) error {
	r, t := m.report, &m.told
	consent, err := s.consent(ctx, m)
	if err != nil {
		return err
	}
	var ok bool
	if t.IDs, ok, err = deviceIDs(r.IDs, consent); err != nil {
		return err
	} else if !ok {
		m.flag(event.DeviceIDFlag)
	}
	for _, a := range r.Addresses[:min(len(r.Addresses), maxAddresses)] {
		if a = a.Unmap().WithZone(""); t.Country == "" && a.IsValid() {
			t.Country = s.cfg.Country(a)
		}
		m.keepAddress(string(privacy.AppendAddress(nil, m.account.IPPolicy, a)), s.cfg.Network(a))
	}
	if consent.Measurement == attribution.No {
		m.forgetAddresses()
		t.User, t.Agent = "", ""
	}
	m.tidyNetworks()
	return nil
}

// keepAddress takes over what privacy has left of an address, once, and the
// network that the whole of it belongs to.
func (m *making) keepAddress(kept, network string) {
	t := &m.told
	for i, known := range t.IPs {
		if known == kept && t.Networks[i] == network {
			return
		}
	}
	if kept != "" {
		t.IPs, t.Networks = append(t.IPs, kept), append(t.Networks, network)
	} else if network != "" && !slices.Contains(t.Networks, network) {
		t.Networks = append(t.Networks, network)
	}
}

// forgetAddresses leaves the networks alone, which tell nobody from another.
func (m *making) forgetAddresses() {
	t := &m.told
	t.IPs = nil
	slices.Sort(t.Networks)
	t.Networks = slices.DeleteFunc(slices.Compact(t.Networks), func(n string) bool { return n == "" })
}

// tidyNetworks takes out a list that says nothing.
func (m *making) tidyNetworks() {
	if !slices.ContainsFunc(m.told.Networks, func(n string) bool { return n != "" }) {
		m.told.Networks = nil
	}
}

// consent is what the report says, and what was said of the person before where
// the report is silent. That is asked for where it matters to what is kept; a
// question that cannot be answered refuses the report for now: what a person has
// forbidden is not kept on a guess.
func (s *Service) consent(ctx context.Context, m *making) (attribution.Consent, error) {
	heard, forgotten := s.said.of(person{m.app.ID, m.told.Install}, s.cfg.Decisions)
	permits := func(before attribution.Consent) attribution.Consent {
		return before.After(heard, true).After(m.said(), true)
	}
	nothing := permits(attribution.Consent{})
	if m.report.keepsAlike(nothing, permits(forbidden)) {
		return nothing, nil
	}
	before, err := s.cfg.Decisions.ReadConsent(ctx, m.app.ID, m.told.Install, forgotten, m.now)
	if err != nil {
		err = (&fault.Error{Kind: fault.Unavailable, RetryAfter: retryAfter, Message: "what the person permits cannot be read just now"}).Because(err)
	}
	return permits(before), err
}

// said is what the report says of consent. That nobody is a child counts in a
// report about consent alone; the senders of others may just not know.
func (m *making) said() (said attribution.Said) {
	if m.report.Consent != nil {
		said = saidOf(m.report.Consent)
	}
	if m.told.Kind != event.ConsentKind && said.Child == attribution.No {
		said.Child = ""
	}
	return said
}

// forbidden is everything that a person can forbid.
var forbidden = attribution.Consent{Tracking: attribution.No, Measurement: attribution.No, Advertising: attribution.No, LimitAds: true, Child: true}

// keepsAlike reports whether the same of the report is kept under either consent.
func (r *Report) keepsAlike(a, b attribution.Consent) bool {
	if (a.Measurement == attribution.No) != (b.Measurement == attribution.No) {
		return len(r.IDs)+len(r.Addresses)+len(r.User)+len(r.Agent) == 0
	}
	return a.Measurement == attribution.No || !slices.ContainsFunc(r.IDs, func(id attribution.DeviceID) bool { return a.Permits(id.Kind) != b.Permits(id.Kind) })
}

// retryAfter is when senders may try again after a fault of ours.
const retryAfter = 2 * time.Second

// AddressList is one address as a Report has them; an invalid one is none.
func AddressList(addrs ...netip.Addr) []netip.Addr {
	return slices.DeleteFunc(slices.Clone(addrs), func(a netip.Addr) bool { return !a.IsValid() })
}
