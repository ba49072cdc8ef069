// Package event holds what happened: clicks and impressions, what apps tell, and
// what platforms attribute themselves. An event is one JSON object on one line of the ledger; docs/events.md
// describes the format for other readers of the stream.
package event

import (
	"encoding/json"
	"errors"
	"fmt"

	"waypost/internal/device"
	"waypost/internal/uid"
	"waypost/link"
)

// Version is the envelope's version. Fields are added without raising it;
// readers ignore the ones they do not know.
const Version = 1

// Kind tells what happened.
type Kind string

// Kinds.
const (
	ClickKind      Kind = "click"
	ImpressionKind Kind = "impression"
)

// State says why a click's link stands in the event, or not.
type State string

// States of the link that was clicked.
const (
	Live    State = ""        // the link itself, or a template's long link
	Expired State = "expired" // its time was over: the template alone decided
	Gone    State = "gone"    // no such link: the template alone decided
	Unread  State = "unread"  // the store did not answer: the template alone decided
)

// Click is one request to a link host that was answered with a destination, or
// with the pixel of an impression.
// Texts from the request are cut to bounds by the click door before they get
// here and may hold any bytes.
type Click struct {
	Kind     Kind // empty: a click; never empty when it was read back
	ID       uid.Click
	At       int64 // Unix milliseconds, when the request was read
	Account  link.AccountID
	Dialect  link.Dialect
	Link     link.LinkID // zero unless the link was live
	Tracker  link.Tracker
	Template link.TemplateID
	Code     string // as clicked; empty for a long link
	State    State
	Host     string // of the request, without port
	Route    string // the rule that chose the destination
	DeepLink string // where in the app the visitor belongs; empty where nothing says so
	// Clipboard tells that the page which it was answered with leaves the click's
	// token on the clipboard.
	Clipboard bool
	Platform  device.Platform
	OS        string // version; empty when not known
	Model     string
	Browser   string // in-app browser
	Bot       string // empty for people
	Country   string
	IP        string // as privacy allows
	Network   string // who runs the address, as attribution names networks; empty where no list holds it
	Agent     string // User-Agent
	Language  string // Accept-Language
	Referrer  string // Referer header
	Query     string // of the clicked URL, raw, without "?"
	Stored    string // parameters that the clicked address stands for, raw: those of Query come over them
}

// wireClick is the ledger's form of a Click, for reading. AppendJSON writes it.
type wireClick struct {
	Version  int             `json:"v"`
	Kind     Kind            `json:"type"`
	ID       uid.Click       `json:"id,string"`
	At       int64           `json:"at"`
	Account  link.AccountID  `json:"account"`
	Dialect  link.Dialect    `json:"dialect"`
	Link     link.LinkID     `json:"link,omitempty"`
	Tracker  link.Tracker    `json:"tracker,omitempty"`
	Template link.TemplateID `json:"template,omitempty"`
	Code     string          `json:"code,omitempty"`
	State    State           `json:"state,omitempty"`
	Host     string          `json:"host,omitempty"`
	Route    string          `json:"route"`
	DeepLink string          `json:"deep_link,omitempty"`
	Clip     bool            `json:"clipboard,omitempty"`
	Platform device.Platform `json:"platform,omitempty"`
	OS       string          `json:"os,omitempty"`
	Model    string          `json:"model,omitempty"`
	Browser  string          `json:"browser,omitempty"`
	Bot      string          `json:"bot,omitempty"`
	Country  string          `json:"country,omitempty"`
	IP       string          `json:"ip,omitempty"`
	Network  string          `json:"network,omitempty"`
	Agent    string          `json:"ua,omitempty"`
	Language string          `json:"lang,omitempty"`
	Referrer string          `json:"ref,omitempty"`
	Query    string          `json:"query,omitempty"`
	Stored   string          `json:"stored,omitempty"`
}

// DecodeClick reads a line that AppendJSON wrote, or one of the documented
// format written by others: a click or an impression. The id, the time and the account must be there.
func DecodeClick(line []byte) (Click, error) {
	if c, ok := scanClick(line); ok {
		return c, nil
	}
	return decodeClick(line)
}

// decodeClick takes any JSON.
func decodeClick(line []byte) (Click, error) {
	var w wireClick
	if err := json.Unmarshal(line, &w); err != nil {
		return Click{}, fmt.Errorf("read click: %w", err)
	}
	if w.Version != Version || w.Kind != ClickKind && w.Kind != ImpressionKind {
		return Click{}, fmt.Errorf("read click: got type %q version %d", w.Kind, w.Version)
	}
	c := Click{
		Kind: w.Kind, ID: w.ID, At: w.At, Account: w.Account, Dialect: w.Dialect, Link: w.Link, Tracker: w.Tracker, Template: w.Template,
		Code: w.Code, State: w.State, Host: w.Host, Route: w.Route, DeepLink: w.DeepLink, Clipboard: w.Clip, Platform: w.Platform, OS: w.OS, Model: w.Model,
		Browser: w.Browser, Bot: w.Bot, Country: w.Country, IP: w.IP, Network: w.Network, Agent: w.Agent, Language: w.Language,
		Referrer: w.Referrer, Query: w.Query, Stored: w.Stored,
	}
	if err := c.check(); err != nil {
		return Click{}, fmt.Errorf("read click: %w", err)
	}
	return c, nil
}

// check says what keeps a line from being a click.
func (c *Click) check() error {
	if c.ID == 0 || c.At <= 0 || c.Account == 0 {
		return errors.New("id, at and account must be set")
	}
	if c.Tracker > link.MaxTracker {
		return fmt.Errorf("got tracker %d, there are at most %d", c.Tracker, link.MaxTracker)
	}
	return nil
}
