package api

import (
	"time"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/internal/uid"
	"waypost/link"
	"waypost/pipeline"
)

// Install is an installation with everything that was decided of it. Instants
// are Unix milliseconds; what is not known is left out.
type Install struct {
	Account        link.AccountID `json:"account"`
	App            link.AppID     `json:"app"`
	Install        string         `json:"install"`
	Dialect        link.Dialect   `json:"dialect,omitempty" doc:"The API that told its first start."`
	FirstStartedAt int64          `json:"first_started_at"`
	LastActiveAt   int64          `json:"last_active_at,omitempty"`
	Decision       Decision       `json:"decision"`
	Reengagement   *Reengagement  `json:"reengagement,omitempty" doc:"The last time that the person was won back."`
	DeepLink       string         `json:"deep_link,omitempty" doc:"The deferred deep link that one of its opens is told."`
	DeepLinkUntil  int64          `json:"deep_link_until,omitempty"`
	DeepLinkToldAt int64          `json:"deep_link_told_at,omitempty" doc:"When it was first told; absent: not yet."`
	Later          []Decision     `json:"later" doc:"Its other conversions, the newest first, at most 100."`
	Text           []string       `json:"text" doc:"The same in sentences."`
}

// Decision is what became of one conversion, and why.
type Decision struct {
	Conversion   attribution.ConversionID   `json:"conversion"`
	Kind         attribution.ConversionKind `json:"kind" doc:"install, open or event"`
	Event        string                     `json:"event,omitempty"`
	Amount       string                     `json:"amount,omitempty"`
	Currency     string                     `json:"currency,omitempty"`
	At           int64                      `json:"at" doc:"When it happened, as it was judged."`
	ReceivedAt   int64                      `json:"received_at"`
	Version      int                        `json:"version" doc:"Of the algorithm."`
	Outcome      attribution.Outcome        `json:"outcome" doc:"install, reinstall, reattribution, reengagement, session or event"`
	Verdict      attribution.Verdict        `json:"verdict" doc:"credited, organic or refused"`
	RefusedBy    attribution.Code           `json:"refused_by,omitempty" doc:"The rule that refused it."`
	Late         bool                       `json:"late,omitempty" doc:"A touch that came late has changed it."`
	Winner       *Touch                     `json:"winner,omitempty"`
	OwnSource    *Touch                     `json:"own_source,omitempty" doc:"The installation's own, beside the re-engagement that won an event."`
	Contributors []Touch                    `json:"contributors" doc:"Touches that were eligible, in the order in which they would have won."`
	Rejected     []Touch                    `json:"rejected" doc:"Touches that could not win, the newest first."`
	Likeness     Likeness                   `json:"likeness"`
	EventsUntil  int64                      `json:"events_until,omitempty" doc:"How long in-app events follow it."`
	Flags        []string                   `json:"flags,omitempty" doc:"What was odd about the report."`
	Signs        []Sign                     `json:"signs,omitempty" doc:"What looked like fraud and decided nothing."`
}

// Touch is a click or an impression that was considered. Where it is forgotten,
// what only it knew is left out.
type Touch struct {
	Touch    string                `json:"touch" doc:"The click's id."`
	Rule     attribution.Code      `json:"rule,omitempty" doc:"The rule that rejected it."`
	Kind     attribution.TouchKind `json:"kind,omitempty" doc:"click or view"`
	Method   attribution.Method    `json:"method,omitempty" doc:"How it was recognised: referrer, deeplink, clipboard, id_matching, probabilistic or inherited."`
	At       int64                 `json:"at"`
	Lookback int64                 `json:"lookback_seconds,omitempty"`
	Of       attribution.Level     `json:"lookback_of,omitempty" doc:"Who asked for it: link, partner, app, account or default; shared_address where others are known to use the address."`
	Score    float64               `json:"score,omitempty" doc:"Of a probabilistic match, 0 to 1."`
	Signals  []Signal              `json:"signals,omitempty" doc:"What the score is made of."`
	Source
}

// Source is where a touch came from.
type Source struct {
	Partner    link.PartnerID  `json:"partner,omitempty"`
	Name       string          `json:"source,omitempty" doc:"The media source as the link spells it."`
	Agency     string          `json:"agency,omitempty"`
	Campaign   string          `json:"campaign,omitempty"`
	CampaignID string          `json:"campaign_id,omitempty"`
	AdSetID    string          `json:"adset_id,omitempty"`
	AdID       string          `json:"ad_id,omitempty"`
	Site       string          `json:"site,omitempty"`
	Link       link.LinkID     `json:"link,omitempty"`
	Tracker    int64           `json:"tracker,omitempty" doc:"The measured route of the link."`
	Template   link.TemplateID `json:"template,omitempty"`
	Host       string          `json:"host,omitempty"`
	Code       string          `json:"id,omitempty" doc:"The link's code."`
	Platform   string          `json:"platform,omitempty"`
}

// Signal is one thing that touch and installation both knew.
type Signal struct {
	Name   string  `json:"name"`
	Weight int     `json:"weight"`
	Got    float64 `json:"got" doc:"How much of the weight it gave."`
}

// Sign is something that looked odd.
type Sign struct {
	Rule  attribution.Code `json:"rule"`
	Touch string           `json:"touch,omitempty" doc:"Absent where the conversion itself is odd."`
}

// Likeness says how the probabilistic match went.
type Likeness struct {
	Rule       attribution.Code `json:"rule,omitempty" doc:"matched, or why there is no match."`
	Candidates int              `json:"candidates" doc:"Touches that were compared."`
	Best       float64          `json:"best,omitempty" doc:"Score of the likeliest visitor."`
	Next       float64          `json:"next,omitempty" doc:"Score of the second."`
}

// Reengagement is a person won back.
type Reengagement struct {
	Touch
	From  int64 `json:"from"`
	Until int64 `json:"until,omitempty" doc:"How long in-app events follow it."`
}

// InstallOf is the explanation as our own API shows it.
func InstallOf(e *pipeline.Explained) Install {
	i := &e.Installation
	out := Install{
		Account: i.Account, App: i.App, Install: i.ID, Dialect: i.Dialect, FirstStartedAt: millis(i.At), LastActiveAt: millis(i.LastActiveAt),
		Decision: decisionOf(e, &e.Decided), DeepLink: i.DeepLink, DeepLinkUntil: millis(i.LinkUntil), DeepLinkToldAt: millis(e.LinkToldAt), Later: []Decision{}, Text: e.Text(),
	}
	if c := i.Reengagement; c != nil {
		out.Reengagement = &Reengagement{Touch: matchOf(e, &c.Match), From: millis(c.From), Until: millis(c.Until)}
	}
	for n := range e.Later {
		out.Later = append(out.Later, decisionOf(e, &e.Later[n]))
	}
	return out
}

func decisionOf(e *pipeline.Explained, c *history.Decided) Decision {
	d := &c.Decision
	out := Decision{
		Conversion: c.Conversion, Kind: c.Kind, Event: c.Event, Amount: c.Amount, Currency: c.Currency,
		At: millis(d.At), ReceivedAt: millis(c.ReceivedAt), Version: d.Version, Outcome: d.Outcome, Verdict: d.Verdict, RefusedBy: d.Refusal,
		Late: d.Late, Contributors: []Touch{}, Rejected: []Touch{}, EventsUntil: millis(d.EventsUntil), Flags: c.Flags,
		Likeness: Likeness{Rule: d.Likeness.Code, Candidates: d.Likeness.Candidates, Best: fraction(d.Likeness.Best), Next: fraction(d.Likeness.Next)},
	}
	if d.Winner != nil {
		won := matchOf(e, d.Winner)
		out.Winner = &won
	}
	if d.Secondary != nil {
		own := matchOf(e, d.Secondary)
		out.OwnSource = &own
	}
	for i := range d.Assists {
		out.Contributors = append(out.Contributors, matchOf(e, &d.Assists[i]))
	}
	for _, r := range d.Rejected {
		t := Touch{Touch: r.Touch.String(), Rule: r.Code, Method: r.Method, At: millis(r.At), Score: fraction(r.Score)}
		t.remember(e, r.Touch)
		out.Rejected = append(out.Rejected, t)
	}
	for _, f := range d.Flags {
		sign := Sign{Rule: f.Code}
		if f.Touch != 0 {
			sign.Touch = f.Touch.String()
		}
		out.Signs = append(out.Signs, sign)
	}
	return out
}

func matchOf(e *pipeline.Explained, m *attribution.Match) Touch {
	t := Touch{
		Touch: m.Touch.String(), Kind: m.Kind, Method: m.Method, At: millis(m.At), Lookback: int64(m.Lookback / time.Second), Of: m.LookbackOf,
		Score: fraction(m.Score), Source: sourceOf(&m.Source),
	}
	for _, s := range m.Signals {
		t.Signals = append(t.Signals, Signal{Name: s.Name, Weight: s.Weight, Got: float64(s.Weight*s.Got) / 10})
	}
	t.remember(e, m.Touch)
	return t
}

// remember fills what only the touch itself knows.
func (t *Touch) remember(e *pipeline.Explained, id uid.Click) {
	known, ok := e.Touches[id]
	if !ok {
		return
	}
	t.Kind, t.Source = known.Kind, sourceOf(&known.Source)
	t.Template, t.Host, t.Code, t.Platform = known.Template, known.Host, known.Code, known.Facts.Platform.String()
}

func sourceOf(s *attribution.Source) Source {
	return Source{
		Partner: s.Partner, Name: s.Name, Agency: s.Agency, Campaign: s.Campaign, CampaignID: s.CampaignID,
		AdSetID: s.AdSetID, AdID: s.AdID, Site: s.Site, Link: s.Link, Tracker: s.Tracker,
	}
}

func fraction(s attribution.Score) float64 { return float64(s) / 10000 }

// millis is 0 for no time.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
