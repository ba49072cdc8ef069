package sqlitestore

import (
	"net/netip"
	"time"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/internal/device"
	"waypost/internal/uid"
	"waypost/link"
)

// What the bodies of touches hold. A name is never given a second meaning.
// Instants are Unix milliseconds, durations nanoseconds.

type touchRow struct {
	ID        uid.Click             `json:"id"`
	Kind      attribution.TouchKind `json:"kind"`
	At        int64                 `json:"at"`
	Account   link.AccountID        `json:"account"`
	Apps      []link.AppID          `json:"apps,omitempty"`
	Source    sourceRow             `json:"source,omitzero"`
	Facts     factsRow              `json:"facts,omitzero"`
	DeviceIDs []deviceIDRow         `json:"ids,omitempty"`
	ClickID   string                `json:"click_id,omitempty"`
	Clipboard string                `json:"clipboard,omitempty"`
	Visitor   string                `json:"visitor,omitempty"`
	Agent     string                `json:"agent,omitempty"`
	Lookbacks lookbacksRow          `json:"lookbacks,omitzero"`
	Defaults  bool                  `json:"default_lookbacks,omitempty"` // Lookbacks are the dialect's
	Claims    claimsRow             `json:"claims,omitzero"`
	Retarget  bool                  `json:"retargeting,omitempty"`
	Owned     bool                  `json:"owned,omitempty"`
	MultiUse  bool                  `json:"multi_use,omitempty"`
	Active    bool                  `json:"count_active,omitempty"`
	Views     bool                  `json:"reengaging_views,omitempty"`
	EventsFor time.Duration         `json:"event_window_ns,omitempty"`
	Bot       string                `json:"bot,omitempty"`
	Dialect   link.Dialect          `json:"dialect,omitempty"`
	Template  link.TemplateID       `json:"template,omitempty"`
	Code      string                `json:"code,omitempty"`
	Host      string                `json:"host,omitempty"`
	Route     string                `json:"route,omitempty"`
	Query     string                `json:"query,omitempty"`
	DeepLink  string                `json:"deep_link,omitempty"`
}

type sourceRow struct {
	Partner    link.PartnerID `json:"partner,omitempty"`
	Name       string         `json:"name,omitempty"`
	Agency     string         `json:"agency,omitempty"`
	Campaign   string         `json:"campaign,omitempty"`
	CampaignID string         `json:"campaign_id,omitempty"`
	AdSetID    string         `json:"ad_set_id,omitempty"`
	AdID       string         `json:"ad_id,omitempty"`
	Site       string         `json:"site,omitempty"`
	Link       link.LinkID    `json:"link,omitempty"`
	Tracker    int64          `json:"tracker,omitempty"`
}

type factsRow struct {
	Platform  device.Platform `json:"platform,omitempty"`
	OSVersion string          `json:"os,omitempty"`
	Model     string          `json:"model,omitempty"`
	Locale    string          `json:"locale,omitempty"`
	Timezone  string          `json:"timezone,omitempty"`
	Width     int             `json:"width,omitempty"`
	Height    int             `json:"height,omitempty"`
	Country   string          `json:"country,omitempty"`
	Addresses []addressRow    `json:"addresses,omitempty"`
}

type addressRow struct {
	IP      netip.Addr          `json:"ip"`
	Cut     bool                `json:"cut,omitempty"`
	Network attribution.Network `json:"network,omitempty"`
}

type deviceIDRow struct {
	Kind  attribution.IDKind `json:"kind"`
	Form  attribution.IDForm `json:"form,omitempty"`
	Value string             `json:"value"`
}

type lookbacksRow struct {
	ClickDeterministic attribution.Lookback `json:"click_deterministic_ns,omitempty"`
	ViewDeterministic  attribution.Lookback `json:"view_deterministic_ns,omitempty"`
	ClickProbabilistic attribution.Lookback `json:"click_probabilistic_ns,omitempty"`
	ViewProbabilistic  attribution.Lookback `json:"view_probabilistic_ns,omitempty"`
	Reengagement       attribution.Lookback `json:"reengagement_ns,omitempty"`
}

type claimsRow struct {
	Limited bool     `json:"limited,omitempty"`
	Events  []string `json:"events,omitempty"`
}

func rowOfTouch(t *history.Touch) touchRow {
	r := touchRow{
		ID: t.ID, Kind: t.Kind, At: t.At.UnixMilli(), Account: t.Account, Apps: t.Apps, Source: sourceRow(t.Source), Facts: rowOfFacts(&t.Facts),
		ClickID: t.ClickID, Clipboard: t.ClipboardToken, Visitor: t.Visitor, Agent: t.Agent, Lookbacks: lookbacksRow(t.Lookbacks), Defaults: t.DefaultLookbacks, Claims: claimsRow(t.Claims),
		Retarget: t.Retargeting, Owned: t.Owned, MultiUse: t.MultiUse, Active: t.CountActive, Views: t.ReengagingViews, EventsFor: t.EventWindow, Bot: t.Bot,
		Dialect: t.Dialect, Template: t.Template, Code: t.Code, Host: t.Host, Route: t.Route, Query: t.Query, DeepLink: t.DeepLink,
	}
	for _, id := range t.DeviceIDs {
		r.DeviceIDs = append(r.DeviceIDs, deviceIDRow(id))
	}
	return r
}

func (r *touchRow) touch() history.Touch {
	t := history.Touch{
		Touchpoint: attribution.Touchpoint{
			ID: r.ID, Kind: r.Kind, At: instant(r.At), Account: r.Account, Apps: r.Apps, Source: attribution.Source(r.Source), Facts: r.Facts.facts(),
			ClickID: r.ClickID, ClipboardToken: r.Clipboard, Visitor: r.Visitor, Agent: r.Agent,
			Lookbacks: attribution.Lookbacks(r.Lookbacks), DefaultLookbacks: r.Defaults, Claims: attribution.Claims(r.Claims),
			Retargeting: r.Retarget, Owned: r.Owned, MultiUse: r.MultiUse, CountActive: r.Active, ReengagingViews: r.Views, EventWindow: r.EventsFor, Bot: r.Bot,
		},
		Dialect: r.Dialect, Template: r.Template, Code: r.Code, Host: r.Host, Route: r.Route, Query: r.Query, DeepLink: r.DeepLink,
	}
	for _, id := range r.DeviceIDs {
		t.DeviceIDs = append(t.DeviceIDs, attribution.DeviceID(id))
	}
	return t
}

func rowOfFacts(f *attribution.Facts) factsRow {
	r := factsRow{
		Platform: f.Platform, OSVersion: f.OSVersion, Model: f.Model, Locale: f.Locale, Timezone: f.Timezone,
		Width: f.Screen.Width, Height: f.Screen.Height, Country: f.Country,
	}
	for _, a := range f.Addresses {
		r.Addresses = append(r.Addresses, addressRow(a))
	}
	return r
}

func (r *factsRow) facts() attribution.Facts {
	f := attribution.Facts{
		Platform: r.Platform, OSVersion: r.OSVersion, Model: r.Model, Locale: r.Locale, Timezone: r.Timezone,
		Screen: attribution.Screen{Width: r.Width, Height: r.Height}, Country: r.Country,
	}
	for _, a := range r.Addresses {
		f.Addresses = append(f.Addresses, attribution.Address(a))
	}
	return f
}
