package api

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"waypost/internal/fault"
	"waypost/link"
	"waypost/manage"
	"waypost/report"
	"waypost/route"
)

type explainInput struct {
	Caller
	URL string `query:"url" required:"true" doc:"A link of the account, with its query if that matters."`
}

type explainOutput struct {
	Body route.LinkExplanation
}

func (s *server) registerExplain(a huma.API) {
	huma.Register(a, huma.Operation{
		OperationID: "explain", Method: http.MethodGet, Path: Prefix + "/explain",
		Summary: "What a link would do on every platform, and why. Counts nothing.",
	}, func(ctx context.Context, in *explainInput) (*explainOutput, error) {
		actor, err := s.actor(in.Caller)
		if err != nil {
			return nil, s.problem(err)
		}
		e, err := s.Explain.Explain(ctx, in.URL)
		if err != nil {
			return nil, s.problem(err)
		}
		if err := s.mayExplain(actor, &e); err != nil {
			return nil, s.problem(err)
		}
		return &explainOutput{Body: e}, nil
	})
}

// mayExplain refuses what is another account's, or another app group's: it is
// not there for this token.
func (s *server) mayExplain(a manage.Actor, e *route.LinkExplanation) error {
	if e.Template != "" {
		_, err := s.Rules.Template(a, e.Template, link.Read)
		return err
	}
	if _, err := s.Rules.Group(a, e.AppGroup, link.Read); err != nil {
		return fault.New(fault.NotFound, "no link that this token may see is at the url")
	}
	return nil
}

type countsInput struct {
	Caller
	Account  int64    `query:"account" doc:"Needed only for tokens that open several accounts."`
	Template string   `query:"template" doc:"Only this template. Needed for tokens that are limited to app groups."`
	ID       string   `query:"id" doc:"Only this link of the template; - for the template's long link."`
	From     string   `query:"from" doc:"First day, UTC, 2006-01-02. 30 days ago when absent."`
	To       string   `query:"to" doc:"Last day. Today when absent."`
	Metric   string   `query:"metric" doc:"Only this metric; all of them when absent."`
	GroupBy  []string `query:"group_by,explode" doc:"Any of template, link, tracker, metric, route, day, platform, country."`
	Limit    int      `query:"limit" minimum:"1" maximum:"10000" default:"1000"`
}

type countsOutput struct {
	Body struct {
		From string     `json:"from"`
		To   string     `json:"to"`
		Rows []countRow `json:"rows"`
	}
}

// countRow holds the dimensions that were grouped by, and the sum.
type countRow struct {
	Template link.TemplateID `json:"template,omitempty"`
	Link     link.LinkID     `json:"link,omitempty"`
	ID       string          `json:"id,omitempty" doc:"The link's code, while the link exists."`
	Tracker  link.Tracker    `json:"tracker,omitempty" doc:"The part of the link that is measured: 1 is its catch-all, its routes follow. Absent where the link is measured as a whole."`
	Metric   report.Metric   `json:"metric,omitempty"`
	Route    string          `json:"route,omitempty"`
	Day      string          `json:"day,omitempty"`
	Platform string          `json:"platform,omitempty"`
	Country  string          `json:"country,omitempty"`
	Count    int64           `json:"count"`
}

// metricsDescription is what the contract says of metrics.
const metricsDescription = "Without `metric`, and not grouped by it, everything is added up. " +
	"`clicks` and `impressions` are people's; `bot_clicks` and `bot_impressions` are kept apart. " +
	"`installs` are new installations that a touch earned, and stand under its link and tracker; `organic_installs` are nobody's and stand under no link; " +
	"`reinstalls` are of devices that had the app, won back by nobody; `reattributions` are those that a retargeting touch won back; " +
	"`reengagements` are people with the app whom a retargeting touch brought back; `sessions` are all other opens of an app after its first; `events` are in-app events that somebody earned, `organic_events` the others; " +
	"`rejected_installs` and `rejected_events` were refused as fraud and count nowhere else. " +
	"A row without link counts what has none: a template's long link, or nobody's."

func (s *server) registerCounts(a huma.API) {
	huma.Register(a, huma.Operation{
		OperationID: "counts", Method: http.MethodGet, Path: Prefix + "/counts",
		Summary:     "Sums of clicks, impressions, installs and in-app events",
		Description: metricsDescription,
	}, func(ctx context.Context, in *countsInput) (*countsOutput, error) {
		out, err := s.sumCounts(ctx, in)
		if err != nil {
			return nil, s.problem(err)
		}
		return out, nil
	})
}

func (s *server) sumCounts(ctx context.Context, in *countsInput) (*countsOutput, error) {
	actor, err := s.actor(in.Caller)
	if err != nil {
		return nil, err
	}
	q := report.Query{Template: link.TemplateID(in.Template), Metric: report.Metric(in.Metric), Limit: in.Limit}
	if q.Account, err = s.account(actor, in.Account); err != nil {
		return nil, err
	}
	if q.From, q.To, err = s.days(in.From, in.To, 30); err != nil {
		return nil, err
	}
	if q.Metric != "" && !slices.Contains(report.Metrics(), q.Metric) {
		return nil, fault.Bad("metric", fault.Unknown, "%q is none of %s", q.Metric, named(report.Metrics()))
	}
	if q.GroupBy, err = grouping(in.GroupBy, report.Dimensions()); err != nil {
		return nil, err
	}
	if err := s.maySee(actor, &q); err != nil {
		return nil, err
	}
	if in.ID != "" {
		var id link.LinkID
		if in.ID != "-" {
			l, err := s.Rules.ReadLink(ctx, actor, q.Template, in.ID)
			if err != nil {
				return nil, err
			}
			id = l.ID
		}
		q.Link = &id
	}
	rows, err := s.Counts.SumCounts(ctx, q)
	if err != nil {
		return nil, err
	}
	out := &countsOutput{}
	out.Body.From, out.Body.To = q.From.String(), q.To.String()
	out.Body.Rows = s.countRows(ctx, rows, q.GroupBy)
	return out, nil
}

// maySee refuses what the token is not for. One that is limited to app groups
// sees the counts of their templates alone, so it has to name one.
func (s *server) maySee(a manage.Actor, q *report.Query) error {
	if q.Template != "" {
		_, err := s.Rules.Template(a, q.Template, link.Read)
		return err
	}
	for _, g := range a.Token.Grants {
		if g.Account == q.Account && len(g.AppGroups) > 0 {
			return fault.Bad("template", fault.Missing, "this token is limited to app groups: name one of their templates")
		}
	}
	return nil
}

func (s *server) countRows(ctx context.Context, rows []report.Row, by []report.Dimension) []countRow {
	out := make([]countRow, len(rows))
	for i, r := range rows {
		out[i] = countRow{
			Template: r.Key.Template, Link: r.Key.Link, Tracker: r.Key.Tracker, Metric: r.Key.Metric, Route: r.Key.Route,
			Platform: r.Key.Platform.String(), Country: r.Key.Country, Count: r.Count,
		}
		if slices.Contains(by, report.ByDay) {
			out[i].Day = r.Key.Day.String()
		}
		if r.Key.Link != 0 {
			// A link that was deleted keeps its counts and loses its name.
			if l, err := s.Counts.ReadLinkByID(ctx, r.Key.Link); err == nil {
				out[i].ID = l.Code
			}
		}
	}
	return out
}

// days reads a range; absent ends are today and so many days before the other.
func (s *server) days(from, to string, back int) (first, last report.Day, err error) {
	last = report.DayOf(s.Now().UnixMilli())
	if to != "" {
		if last, err = report.ParseDay(to); err != nil {
			return 0, 0, fault.Bad("to", fault.Malformed, "%q is not a day such as 2026-01-31", to)
		}
	}
	first = last - report.Day(back)
	if from != "" {
		if first, err = report.ParseDay(from); err != nil {
			return 0, 0, fault.Bad("from", fault.Malformed, "%q is not a day such as 2026-01-31", from)
		}
	}
	if first > last {
		return 0, 0, fault.Bad("from", fault.Malformed, "%s lies after %s", first, last)
	}
	return first, last, nil
}

// grouping reads group_by: names of dimensions, also several in one, with
// commas; each counts once.
func grouping[D ~string](names []string, known []D) (by []D, err error) {
	for _, n := range names {
		for part := range strings.SplitSeq(n, ",") {
			d := D(strings.TrimSpace(part))
			if !slices.Contains(known, d) {
				return nil, fault.Bad("group_by", fault.Unknown, "%q is none of %s", part, named(known))
			}
			if !slices.Contains(by, d) {
				by = append(by, d)
			}
		}
	}
	return by, nil
}

// named lists words for a sentence.
func named[T ~string](words []T) string {
	texts := make([]string, len(words))
	for i, w := range words {
		texts[i] = string(w)
	}
	return strings.Join(texts, ", ")
}

type usageInput struct {
	Caller
	Account int64  `query:"account" doc:"Needed only for tokens that open several accounts."`
	From    string `query:"from" doc:"First day, UTC. 120 days ago when absent."`
	To      string `query:"to" doc:"Last day. Today when absent."`
}

type usageOutput struct {
	Body struct {
		Days   []usageDay   `json:"days"`
		Months []usageMonth `json:"months"`
	}
}

type usageDay struct {
	Day   string           `json:"day"`
	Name  report.UsageName `json:"name" doc:"onelink.v1, onelink.v2, waypost.bulk, …"`
	Calls int64            `json:"calls"`
}

type usageMonth struct {
	Month string           `json:"month"`
	Name  report.UsageName `json:"name"`
	Calls int64            `json:"calls"`
}

func (s *server) registerUsage(a huma.API) {
	huma.Register(a, huma.Operation{
		OperationID: "usage", Method: http.MethodGet, Path: Prefix + "/usage",
		Summary: "Calls that counted against the account's limits, by day and by month of UTC. For tokens of the whole account.",
	}, func(ctx context.Context, in *usageInput) (*usageOutput, error) {
		out, err := s.usage(ctx, in)
		if err != nil {
			return nil, s.problem(err)
		}
		return out, nil
	})
}

func (s *server) usage(ctx context.Context, in *usageInput) (*usageOutput, error) {
	actor, err := s.actor(in.Caller)
	if err != nil {
		return nil, err
	}
	account, err := s.account(actor, in.Account)
	if err != nil {
		return nil, err
	}
	from, to, err := s.days(in.From, in.To, 120)
	if err != nil {
		return nil, err
	}
	rows, err := s.Rules.Usage(ctx, actor, account, from, to)
	if err != nil {
		return nil, err
	}
	out := &usageOutput{}
	out.Body.Days, out.Body.Months = []usageDay{}, []usageMonth{}
	for _, u := range rows {
		out.Body.Days = append(out.Body.Days, usageDay{u.Day.String(), u.Name, u.Calls})
		month := u.Day.Time().Format("2006-01")
		if n := len(out.Body.Months); n > 0 && out.Body.Months[n-1].Month == month && out.Body.Months[n-1].Name == u.Name {
			out.Body.Months[n-1].Calls += u.Calls
			continue
		}
		out.Body.Months = append(out.Body.Months, usageMonth{month, u.Name, u.Calls})
	}
	return out, nil
}
