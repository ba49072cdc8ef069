package ingest

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"waypost/event"
	"waypost/internal/device"
	"waypost/internal/fault"
	"waypost/internal/uid"
	"waypost/link"
	"waypost/privacy"
)

// Engagement is a click or an impression that a partner's server reports, or,
// with Opened, an app that the click has opened.
type Engagement struct {
	Dialect link.Dialect
	View    bool // an impression
	App     AppRef
	// Sender and Key are the partner and its own id of this engagement; a
	// repetition has both. Without a Key every report is a new one.
	Sender, Key string
	// Query holds, in the dialect's own parameters as its links have them, what
	// a touch needs: media source, campaign, device ids, lookbacks.
	Query string
	// Address and Agent are the device's, not the server's.
	Address  netip.Addr
	Agent    string
	Device   Device
	Language string // Accept-Language of the device
	// Opened is the link that opened the app, Query then the clicked one's; nil:
	// the report speaks of an app alone.
	Opened *Opened
	// ID is the click's, and At when it happened, where the caller knows; zero: made here, and now.
	ID uid.Click
	At time.Time
}

// Opened is a link that opened an app by itself, past its host.
type Opened struct {
	Link   link.LinkID // that is measured
	Code   string      // as clicked
	Host   string
	Stored string // what the clicked address stands for, see event.Click

	Template link.TemplateID
	Tracker  link.Tracker
	State    event.State
	DeepLink string
}

// maxQuery bounds the query of an engagement, bytes.
const maxQuery = 8 << 10

// Engage takes a click or an impression. It happened when it is received:
// what a partner says about its own clock earns nothing. A repetition, within a
// month, is answered like the first and not kept. It is kept twice where the
// ledger's answer to the first was lost, or where the history is behind what an
// earlier process has kept (Decisions.IsTold).
func (s *Service) Engage(ctx context.Context, e Engagement) (Receipt, error) {
	app, account, err := s.FindApp(e.App)
	if err == nil {
		err = e.check()
	}
	if err != nil {
		s.counters.refuse(err)
		return Receipt{}, err
	}
	click := s.click(&e, app, account)
	receipt := Receipt{ID: click.ID, Account: account.ID, App: app.ID, Key: e.Key, At: time.UnixMilli(click.At), ReceivedAt: time.UnixMilli(click.At)}
	if e.Key == "" {
		err = s.keepEngagement(click)
	} else {
		err = s.engageOnce(ctx, click)
	}
	if err != nil {
		return Receipt{}, err
	}
	return receipt, nil
}

// engageOnce keeps a click whose report may be repeated, unless it is kept
// already. Equal reports at once wait for the first of them: one that was not
// kept is kept by the next. What was told before the process began, or is no
// longer in memory, the history knows; where that cannot be asked, the click is
// kept: the touch stays one, and a count too high is better than a click lost.
func (s *Service) engageOnce(ctx context.Context, click *event.Click) error {
	if !s.engaged.reserve(click.ID) {
		s.counters.repeated.Add(1)
		return nil
	}
	kept := false
	defer func() { s.engaged.settle(click.ID, kept) }()
	// Senders may hang up: they have told of it.
	told, err := s.cfg.Decisions.IsTold(context.WithoutCancel(ctx), click.ID, time.UnixMilli(click.At))
	if err != nil {
		s.cfg.Logger.Error("whether a click is repeated cannot be read; it is kept", "click", click.ID, "error", err)
	}
	if told && err == nil {
		kept = true
		s.counters.repeated.Add(1)
		return nil
	}
	err = s.keepEngagement(click)
	kept = err == nil
	return err
}

func (s *Service) keepEngagement(click *event.Click) error {
	if err := s.append(click.AppendJSON(nil)); err != nil {
		return err
	}
	s.counters.take(click.Kind, nil)
	return nil
}

func (e *Engagement) check() error {
	if err := checkText(FieldEventID, e.Key, maxKey); err != nil {
		return err
	}
	if strings.ContainsAny(e.Query, "\r\n\x00") {
		return fault.Bad(FieldQuery, fault.Malformed, "the query holds control characters")
	}
	if len(e.Query) > maxQuery {
		return fault.Bad(FieldQuery, fault.TooLong, "at most %d bytes, got %d", maxQuery, len(e.Query))
	}
	return nil
}

func (s *Service) click(e *Engagement, app *link.App, account *link.Account) *event.Click {
	c := &event.Click{
		Kind: event.ClickKind, ID: engagementID(e, app.ID), At: s.cfg.Now().UnixMilli(), Account: account.ID, Dialect: e.Dialect,
		Route: event.ServerRoute, Platform: e.Device.Platform, OS: fact(e.Device.OS), Model: fact(e.Device.Model),
		Agent: cut(e.Agent, maxAgent), Language: cut(e.Language, maxAgent),
		IP: string(privacy.AppendAddress(nil, account.IPPolicy, e.Address)),
	}
	if e.View {
		c.Kind = event.ImpressionKind
	}
	if c.Agent != "" {
		said := s.agents.Detect([]byte(c.Agent), device.Hints{})
		c.Browser, c.Bot = said.Browser, said.Bot
		if c.Platform == device.Unknown {
			c.Platform = said.Platform
		}
		if c.Platform == said.Platform && c.OS == "" {
			c.OS = said.OSVersion
		}
		if c.Platform == said.Platform && c.Model == "" {
			c.Model = said.Model
		}
	}
	if c.Platform == device.Unknown {
		c.Platform = app.Platform
	}
	if e.Address.IsValid() {
		address := e.Address.Unmap().WithZone("")
		c.Country, c.Network = s.cfg.Country(address), s.cfg.Network(address)
	}
	query := string(privacy.AppendQuery(nil, account.IPPolicy, []byte(e.Query)))
	if o := e.Opened; o != nil {
		c.Route, c.Link, c.Code, c.Host, c.Stored, c.Query = event.OpenedRoute, o.Link, o.Code, o.Host, o.Stored, query
		c.Template, c.Tracker, c.State, c.DeepLink = o.Template, o.Tracker, o.State, o.DeepLink
		if c.Country == "" {
			c.Country = countryCode(e.Device.Country)
		}
		if !e.At.IsZero() {
			c.At = e.At.UnixMilli()
		}
		return c
	}
	c.Query = event.AppParam + "=" + strconv.FormatInt(int64(app.ID), 10)
	if query != "" {
		c.Query += "&" + strings.TrimPrefix(query, "?")
	}
	return c
}

// engagementID is one and the same for every repetition, also after a restart,
// so that a repeated touch is one touch to attribution.
func engagementID(e *Engagement, app link.AppID) uid.Click {
	if e.ID != 0 {
		return e.ID
	}
	if e.Key == "" {
		return uid.NewClick()
	}
	sum := sha256.Sum256([]byte(HashKey(string(e.Dialect), strconv.FormatBool(e.View), strconv.FormatInt(int64(app), 10), e.Sender, e.Key)))
	return uid.ClickOf(binary.BigEndian.Uint64(sum[:8]))
}
