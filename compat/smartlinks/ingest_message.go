package smartlinks

import (
	"context"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"waypost/ingest"
	"waypost/internal/fault"
	"waypost/internal/reply"
	"waypost/link"
)

// Actions of messages, in small letters.
const (
	actionInstall     = "install"
	actionEvent       = "event"
	actionSession     = "session"
	actionUpdate      = "update"
	actionIdentity    = "identitylink"
	actionInit        = "init"
	actionPull        = "get_attribution"
	actionTokenAdd    = "push_token_add"
	actionTokenRemove = "push_token_remove"
	actionClick       = "click"
)

// actions lists them as the vendor writes them, for messages.
const actions = "install, event, session, update, identityLink, init, get_attribution, push_token_add, push_token_remove or click"

// message is one thing that an app, or a server for it, tells.
type message struct {
	object // the envelope
	data   object
	action string
	app    *link.App
	now    time.Time
	// Of the request. They are the device's only where the app itself sent it.
	address netip.Addr
	agent   string
}

// actionOf is what an envelope is about: the path says it where it does not.
func actionOf(top object, paths string) string {
	if name := strings.ToLower(top.loose("action")); name != "" {
		return name
	}
	return paths
}

// read makes a message of an envelope.
func (n *Ingest) read(r *http.Request, top object, action string) (*message, error) {
	m := &message{object: top, action: actionOf(top, action), now: n.Now(), address: n.Address(r), agent: r.UserAgent()}
	if m.action == "" {
		return nil, fault.Bad(top.name("action"), fault.Missing, "is required: %s", actions)
	}
	var err error
	if m.app, err = n.app(top); err != nil {
		return nil, err
	}
	var given bool
	if m.data, given, err = top.object("data"); err != nil {
		return nil, err
	}
	if !given && m.isKept() {
		return nil, fault.Bad(top.name("data"), fault.Missing, "is required: an object")
	}
	m.data.at = top.at + "data."
	return m, nil
}

// isKept reports whether the message tells something that goes into the ledger.
func (m *message) isKept() bool {
	switch m.action {
	case actionInit, actionPull, actionTokenAdd, actionTokenRemove:
		return false
	}
	return true
}

// take keeps what a message tells and says what the sender is told.
func (n *Ingest) take(r *http.Request, top object, action string) (reply.Reply, error) {
	m, err := n.read(r, top, action)
	if err != nil {
		return reply.Reply{}, n.Intake.Refuse(err)
	}
	keep := n.Intake.Open
	switch m.action {
	case actionInstall, actionUpdate, actionClick:
	case actionSession:
		if strings.EqualFold(m.data.loose("state"), "pause") {
			return done(), nil // the end of a session is nothing that is kept
		}
	case actionEvent:
		keep = n.Intake.Event
	case actionIdentity:
		keep = n.Intake.Identify
	case actionPull:
		answer, err := n.pull(r.Context(), m)
		if err != nil {
			err = n.Intake.Refuse(err)
		}
		return answer, err
	case actionInit, actionTokenAdd, actionTokenRemove:
		return done(), nil // nothing is configured from here, and no tokens are kept
	default:
		return reply.Reply{}, n.Intake.Refuse(fault.Bad(m.name("action"), fault.Unknown, "must be %s", actions))
	}
	report, err := n.report(m)
	if err != nil {
		return reply.Reply{}, n.Intake.Refuse(err)
	}
	if err := m.keep(r.Context(), keep, report); err != nil {
		return reply.Reply{}, err
	}
	return done(), nil
}

func (m *message) keep(ctx context.Context, keep func(context.Context, ingest.Report) (ingest.Receipt, error), r ingest.Report) error {
	_, err := keep(ctx, r)
	if err == nil {
		return nil
	}
	f := *fault.As(err)
	if name, ok := m.wordFor(f.Field); ok {
		f.Field = name
	}
	return (&f).Because(err)
}

// wordFor is the vendor's name for a field that package ingest names.
func (m *message) wordFor(field string) (string, bool) {
	switch field {
	case ingest.FieldInstall:
		return m.object.name("kochava_device_id"), true
	case ingest.FieldEventID:
		return m.object.name("nt_id"), true
	case ingest.FieldKey, ingest.FieldApp:
		return m.object.name("kochava_app_id"), true
	case ingest.FieldName:
		return m.data.name("event_name"), true
	case ingest.FieldIDs:
		return m.data.name("device_ids"), true
	case ingest.FieldUser:
		return m.data.name("identity_link"), true
	case ingest.FieldReferrer:
		return m.data.name("install_referrer"), true
	case ingest.FieldOpened:
		return m.data.name("url"), true
	case ingest.FieldParams:
		if m.action == actionEvent {
			return m.data.name("event_data"), true
		}
		return strings.TrimSuffix(m.data.at, "."), true
	}
	return "", false
}

// said is what is wrong, the field first.
func said(err error) string {
	f := fault.As(err)
	text := f.Message
	if text == "" {
		text = strings.ReplaceAll(f.Kind.String(), "_", " ")
	}
	if f.Field == "" {
		return text
	}
	if verb, _, _ := strings.Cut(text, " "); verbs[verb] {
		return f.Field + " " + text
	}
	return f.Field + ": " + text
}

// holder is the object that has a field: data, or the envelope, where the
// vendor's oldest tables have it and some clients send it.
func (m *message) holder(name string) object {
	if m.data.isBlank(name) && !m.object.isBlank(name) {
		return m.object
	}
	return m.data
}

// text returns a field's text; empty where it is none.
func (m *message) text(name string) string {
	if text := m.data.loose(name); text != "" {
		return text
	}
	return m.object.loose(name)
}

// isBlank reports whether a field says no more than its absence: null, or a
// text of nothing but blanks.
func (o object) isBlank(field string) bool {
	text, err := o.looseText(field)
	return err == nil && (text == nil || strings.TrimSpace(*text) == "")
}

// loose reads a text or a number without its blanks; empty for everything else.
func (o object) loose(field string) string {
	text, err := o.looseText(field)
	if text == nil || err != nil {
		return ""
	}
	return strings.TrimSpace(*text)
}

// named reads a text that names somebody or something, or a number, without its
// blanks. It must be Unicode as it is: mended, two of them might be one.
func (o object) named(field string) (string, error) {
	text, err := o.looseText(field)
	if text == nil || err != nil {
		return "", err
	}
	if ingest.IsBroken(o.raw(field)) {
		return "", fault.Bad(o.name(field), fault.Malformed, "must be Unicode: half of a surrogate pair is no character")
	}
	return strings.TrimSpace(*text), nil
}

// isSDK reports whether the app itself sent the message, so that the request
// comes from the device.
func (m *message) isSDK() bool {
	return slices.ContainsFunc([]string{"sdk_version", "sdk_protocol"}, func(name string) bool { return m.object.loose(name) != "" })
}
