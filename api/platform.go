package api

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"waypost/event"
	"waypost/link"
	"waypost/report"
)

// PlatformConversions are those that platforms told of.
type PlatformConversions interface {
	// ListPlatformConversions returns an account's, those that came last first,
	// limit at most, and where the next page begins, 0 after the last.
	ListPlatformConversions(ctx context.Context, account link.AccountID, app link.AppID, before int64, limit int) (found []event.PlatformConversion, next int64, err error)
	// SumPlatformConversions adds them up, ordered by what the query groups by.
	SumPlatformConversions(ctx context.Context, q report.PlatformQuery) ([]report.PlatformRow, error)
}

type platformInput struct {
	Caller
	Account int64  `query:"account" doc:"Needed only for tokens that open several accounts."`
	App     int64  `query:"app" doc:"Only this app, by our number; all of them when absent."`
	Limit   int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
	Cursor  string `query:"cursor" doc:"As next_cursor of the page before has it; the first page when absent. The other parameters stay the same."`
}

type platformOutput struct {
	Body struct {
		Conversions []platformConversion `json:"conversions" doc:"Those that came last first."`
		NextCursor  string               `json:"next_cursor,omitempty" doc:"Asks for the page behind this one; absent on the last."`
	}
}

type platformConversion struct {
	ID           string     `json:"id" doc:"Of the event."`
	ReceivedAt   int64      `json:"received_at" doc:"Unix milliseconds. Platforms wait for a day or more and do not say when it happened."`
	App          link.AppID `json:"app"`
	Framework    string     `json:"framework" doc:"skadnetwork or adattributionkit"`
	Version      string     `json:"framework_version,omitempty" doc:"Of SKAdNetwork."`
	Key          string     `json:"key" doc:"The platform's own name of it, the same when it is sent again."`
	Test         bool       `json:"test,omitempty" doc:"A developer's device sent it. It is never counted."`
	Network      string     `json:"network" doc:"The advertising network's id."`
	Source       string     `json:"source,omitempty" doc:"The network's number of the campaign: the fewer digits, the smaller the crowd."`
	SourceApp    string     `json:"source_app,omitempty" doc:"The app that showed the advertisement, by its number in the store."`
	SourceDomain string     `json:"source_domain,omitempty" doc:"The site that did."`
	Marketplace  string     `json:"marketplace,omitempty" doc:"The store that the app came from."`
	Conversion   string     `json:"conversion" doc:"download, redownload or re-engagement"`
	Won          bool       `json:"won" doc:"The network earned it; else it only assisted."`
	Sequence     int        `json:"sequence" doc:"0: the conversion itself; 1, 2: what the app told later."`
	Interaction  string     `json:"interaction,omitempty" doc:"click or view. AdAttributionKit does not sign it."`
	Value        *int       `json:"value,omitempty" doc:"The app's own, 0 to 63. No signature covers it, coarse_value and country."`
	CoarseValue  string     `json:"coarse_value,omitempty" doc:"low, medium or high"`
	Country      string     `json:"country,omitempty"`
	Flags        []string   `json:"flags,omitempty" doc:"Fields that no platform writes so. They are not added up."`
}

const platformDescription = "Copies of the postbacks of SKAdNetwork and AdAttributionKit that devices sent, verified, each once. " +
	"They name nobody, so none of them belongs to an installation, and `counts` does not hold them. For tokens of the whole account."

func (s *server) registerPlatform(a huma.API) {
	huma.Register(a, huma.Operation{
		OperationID: "platform-conversions", Method: http.MethodGet, Path: Prefix + "/platform-conversions",
		Summary: "Conversions that platforms attributed themselves", Description: platformDescription,
	}, answered(s, s.listPlatform))
	huma.Register(a, huma.Operation{
		OperationID: "platform-sums", Method: http.MethodGet, Path: Prefix + "/platform-conversions/sums",
		Summary:     "Sums of conversions that platforms attributed themselves",
		Description: platformDescription + " Those of developers' devices are left out.",
	}, answered(s, s.sumPlatform))
}

func (s *server) listPlatform(ctx context.Context, in *platformInput) (*platformOutput, error) {
	account, err := s.wholeAccount(in.Caller, in.Account, link.Read)
	if err != nil {
		return nil, err
	}
	before, err := parseCursor(in.Cursor)
	if err != nil {
		return nil, err
	}
	found, next, err := s.Platform.ListPlatformConversions(ctx, account, link.AppID(in.App), before, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &platformOutput{}
	if next != 0 {
		out.Body.NextCursor = strconv.FormatInt(next, 10)
	}
	out.Body.Conversions = make([]platformConversion, len(found))
	for i := range found {
		c := &found[i]
		out.Body.Conversions[i] = platformConversion{
			ID: c.ID.String(), ReceivedAt: c.At, App: c.App, Framework: string(c.Framework), Version: c.FrameworkVersion, Key: c.Key, Test: c.Test,
			Network: c.Network, Source: c.Source, SourceApp: c.SourceApp, SourceDomain: c.SourceDomain, Marketplace: c.Marketplace,
			Conversion: string(c.Conversion), Won: c.Won, Sequence: c.Sequence, Interaction: string(c.Interaction),
			Value: c.Value, CoarseValue: c.Coarse, Country: c.Country, Flags: c.Flags,
		}
	}
	return out, nil
}

type platformSumsInput struct {
	Caller
	Account int64    `query:"account" doc:"Needed only for tokens that open several accounts."`
	App     int64    `query:"app" doc:"Only this app, by our number; all of them when absent."`
	From    string   `query:"from" doc:"First day, UTC, 2006-01-02, on which they were received. 30 days ago when absent."`
	To      string   `query:"to" doc:"Last day. Today when absent."`
	GroupBy []string `query:"group_by,explode" doc:"Any of day, app, framework, network, source, conversion, interaction, sequence, value, coarse_value, country."`
	Limit   int      `query:"limit" minimum:"1" maximum:"10000" default:"1000"`
}

type platformSumsOutput struct {
	Body struct {
		From string        `json:"from"`
		To   string        `json:"to"`
		Rows []platformSum `json:"rows"`
	}
}

// platformSum holds the dimensions that were grouped by, and the sums.
type platformSum struct {
	Day         string     `json:"day,omitempty"`
	App         link.AppID `json:"app,omitempty"`
	Framework   string     `json:"framework,omitempty"`
	Network     string     `json:"network,omitempty"`
	Source      string     `json:"source,omitempty"`
	Conversion  string     `json:"conversion,omitempty"`
	Interaction string     `json:"interaction,omitempty"`
	Sequence    *int       `json:"sequence,omitempty"`
	Value       *int       `json:"value,omitempty" doc:"Absent where the platform tells none."`
	CoarseValue string     `json:"coarse_value,omitempty"`
	Country     string     `json:"country,omitempty"`
	Conversions int64      `json:"conversions" doc:"That the network earned."`
	Assists     int64      `json:"assists" doc:"That another network earned. Devices send no copies of these; networks may hand theirs on."`
	Updates     int64      `json:"updates" doc:"What the apps told later of such conversions: sequences 1 and 2."`
}

func (s *server) sumPlatform(ctx context.Context, in *platformSumsInput) (*platformSumsOutput, error) {
	account, err := s.wholeAccount(in.Caller, in.Account, link.Read)
	if err != nil {
		return nil, err
	}
	q := report.PlatformQuery{Account: account, App: link.AppID(in.App), Limit: in.Limit}
	if q.From, q.To, err = s.days(in.From, in.To, 30); err != nil {
		return nil, err
	}
	if q.GroupBy, err = grouping(in.GroupBy, report.PlatformDimensions()); err != nil {
		return nil, err
	}
	rows, err := s.Platform.SumPlatformConversions(ctx, q)
	if err != nil {
		return nil, err
	}
	out := &platformSumsOutput{}
	out.Body.From, out.Body.To, out.Body.Rows = q.From.String(), q.To.String(), make([]platformSum, len(rows))
	for i := range rows {
		out.Body.Rows[i] = platformSumOf(&rows[i], q.GroupBy)
	}
	return out, nil
}

func platformSumOf(r *report.PlatformRow, by []report.PlatformDimension) platformSum {
	sum := platformSum{
		App: r.App, Framework: r.Framework, Network: r.Network, Source: r.Source, Conversion: r.Conversion, Interaction: r.Interaction,
		Value: r.Value, CoarseValue: r.CoarseValue, Country: r.Country, Conversions: r.Conversions, Assists: r.Assists, Updates: r.Updates,
	}
	if slices.Contains(by, report.PlatformDay) {
		sum.Day = r.Day.String()
	}
	if slices.Contains(by, report.PlatformSequence) {
		sum.Sequence = &r.Sequence
	}
	return sum
}
