package sqlitestore

import (
	"time"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/internal/uid"
	"waypost/link"
)

// What the attributes of installations and decisions hold. The words of
// attribution (codes, methods, verdicts) are stored as they are: they do not change.

type installationRow struct {
	Account      link.AccountID           `json:"account"`
	Dialect      link.Dialect             `json:"dialect,omitempty"`
	At           int64                    `json:"at"`
	LastActiveAt int64                    `json:"last_active_at"`
	LastOpenAt   int64                    `json:"last_open_at,omitempty"`
	Identity     []keyRow                 `json:"identity,omitempty"`
	Address      []keyRow                 `json:"address,omitempty"`
	User         string                   `json:"user,omitempty"`
	Consent      consentRow               `json:"consent,omitzero"`
	Withhold     []string                 `json:"withhold,omitempty"`
	Conversion   attribution.ConversionID `json:"conversion,omitempty"`
	Outcome      attribution.Outcome      `json:"outcome,omitempty"`
	Verdict      attribution.Verdict      `json:"verdict,omitempty"`
	Credit       *creditRow               `json:"credit,omitempty"`
	Reengagement *creditRow               `json:"reengagement,omitempty"`
	ReengagedBy  string                   `json:"reengaged_by,omitempty"`
	Opens        []string                 `json:"opens,omitempty"`
	Flags        []string                 `json:"flags,omitempty"`
}

type keyRow struct {
	App   link.AppID          `json:"app"`
	Kind  attribution.KeyKind `json:"kind"`
	Value string              `json:"value"`
}

type consentRow struct {
	Tracking    attribution.Answer `json:"tracking,omitempty"`
	Measurement attribution.Answer `json:"measurement,omitempty"`
	Advertising attribution.Answer `json:"advertising,omitempty"`
	LimitAds    bool               `json:"limit_ads,omitempty"`
	Child       bool               `json:"child,omitempty"`
}

type creditRow struct {
	Match matchRow `json:"match"`
	From  int64    `json:"from"`
	Until int64    `json:"until,omitempty"`
}

type decidedRow struct {
	Account    link.AccountID             `json:"account"`
	Kind       attribution.ConversionKind `json:"kind"`
	Event      string                     `json:"event,omitempty"`
	Amount     string                     `json:"amount,omitempty"`
	Currency   string                     `json:"currency,omitempty"`
	ReceivedAt int64                      `json:"received_at"`
	Flags      []string                   `json:"flags,omitempty"`

	Version   int                      `json:"version"`
	Named     attribution.ConversionID `json:"named"` // the conversion, as the decision names it
	Outcome   attribution.Outcome      `json:"outcome"`
	Verdict   attribution.Verdict      `json:"verdict"`
	At        int64                    `json:"at"`
	Winner    *matchRow                `json:"winner,omitempty"`
	Secondary *matchRow                `json:"secondary,omitempty"`
	Assists   []matchRow               `json:"assists,omitempty"`
	Rejected  []rejectionRow           `json:"rejected,omitempty"`
	Odd       []flagRow                `json:"odd,omitempty"`
	Refusal   attribution.Code         `json:"refusal,omitempty"`
	Likeness  likelihoodRow            `json:"likeness,omitzero"`
	Until     int64                    `json:"events_until,omitempty"`
	Late      bool                     `json:"late,omitempty"`
}

type matchRow struct {
	Touch    uid.Click             `json:"touch"`
	Kind     attribution.TouchKind `json:"kind,omitempty"`
	Method   attribution.Method    `json:"method,omitempty"`
	At       int64                 `json:"at"`
	Lookback time.Duration         `json:"lookback_ns,omitempty"`
	Of       attribution.Level     `json:"lookback_of,omitempty"`
	Source   sourceRow             `json:"source,omitzero"`
	Claims   claimsRow             `json:"claims,omitzero"`
	Score    attribution.Score     `json:"score,omitempty"`
	Signals  []signalRow           `json:"signals,omitempty"`
}

type signalRow struct {
	Name   string `json:"name"`
	Weight int    `json:"weight"`
	Got    int    `json:"got"`
}

type rejectionRow struct {
	Touch  uid.Click          `json:"touch"`
	At     int64              `json:"at"`
	Method attribution.Method `json:"method,omitempty"`
	Score  attribution.Score  `json:"score,omitempty"`
	Code   attribution.Code   `json:"code"`
}

type flagRow struct {
	Code  attribution.Code `json:"code"`
	Touch uid.Click        `json:"touch,omitempty"`
}

type likelihoodRow struct {
	Code       attribution.Code  `json:"code,omitempty"`
	Candidates int               `json:"candidates,omitempty"`
	Best       attribution.Score `json:"best,omitempty"`
	Next       attribution.Score `json:"next,omitempty"`
}

func rowOfInstallation(i *history.Installation) installationRow {
	return installationRow{
		Account: i.Account, Dialect: i.Dialect, At: attributeMillis(i.At), LastActiveAt: attributeMillis(i.LastActiveAt), LastOpenAt: attributeMillis(i.LastOpenAt),
		Identity: rowsOfKeys(i.Identity), Address: rowsOfKeys(i.Address), User: i.User, Consent: consentRow(i.Consent), Withhold: i.Withhold,
		Conversion: i.Conversion, Outcome: i.Outcome, Verdict: i.Verdict, Credit: rowOfCredit(i.Credit), Reengagement: rowOfCredit(i.Reengagement), ReengagedBy: i.ReengagedBy, Opens: i.Opens, Flags: i.Flags,
	}
}

func (r *installationRow) fill(i *history.Installation) {
	i.Account, i.Dialect, i.At = r.Account, r.Dialect, attributeInstant(r.At)
	i.LastActiveAt, i.LastOpenAt = attributeInstant(r.LastActiveAt), attributeInstant(r.LastOpenAt)
	i.Identity, i.Address, i.User, i.Consent, i.Withhold = keysOfRows(r.Identity), keysOfRows(r.Address), r.User, attribution.Consent(r.Consent), r.Withhold
	i.Conversion, i.Outcome, i.Verdict = r.Conversion, r.Outcome, r.Verdict
	i.Credit, i.Reengagement = r.Credit.credit(), r.Reengagement.credit()
	i.ReengagedBy, i.Opens, i.Flags = r.ReengagedBy, r.Opens, r.Flags
}

func rowsOfKeys(keys []attribution.Key) (rows []keyRow) {
	for _, k := range keys {
		rows = append(rows, keyRow(k))
	}
	return rows
}

func keysOfRows(rows []keyRow) (keys []attribution.Key) {
	for _, r := range rows {
		keys = append(keys, attribution.Key(r))
	}
	return keys
}

func rowOfCredit(c *attribution.Credit) *creditRow {
	if c == nil {
		return nil
	}
	return &creditRow{rowOfMatch(&c.Match), attributeMillis(c.From), attributeMillis(c.Until)}
}

func (r *creditRow) credit() *attribution.Credit {
	if r == nil {
		return nil
	}
	return &attribution.Credit{Match: r.Match.match(), From: attributeInstant(r.From), Until: attributeInstant(r.Until)}
}

func rowOfDecided(d *history.Decided) decidedRow {
	x := &d.Decision
	r := decidedRow{
		Account: d.Account, Kind: d.Kind, Event: d.Event, Amount: d.Amount, Currency: d.Currency, ReceivedAt: attributeMillis(d.ReceivedAt), Flags: d.Flags,
		Version: x.Version, Named: x.Conversion, Outcome: x.Outcome, Verdict: x.Verdict, At: attributeMillis(x.At),
		Refusal: x.Refusal, Likeness: likelihoodRow(x.Likeness), Until: attributeMillis(x.EventsUntil), Late: x.Late,
	}
	if x.Winner != nil {
		m := rowOfMatch(x.Winner)
		r.Winner = &m
	}
	if x.Secondary != nil {
		m := rowOfMatch(x.Secondary)
		r.Secondary = &m
	}
	for i := range x.Assists {
		r.Assists = append(r.Assists, rowOfMatch(&x.Assists[i]))
	}
	for _, j := range x.Rejected {
		r.Rejected = append(r.Rejected, rejectionRow{j.Touch, attributeMillis(j.At), j.Method, j.Score, j.Code})
	}
	for _, f := range x.Flags {
		r.Odd = append(r.Odd, flagRow(f))
	}
	return r
}

func (r *decidedRow) fill(d *history.Decided) {
	d.Account, d.Kind, d.Event, d.Amount, d.Currency = r.Account, r.Kind, r.Event, r.Amount, r.Currency
	d.ReceivedAt, d.Flags = attributeInstant(r.ReceivedAt), r.Flags
	x := &d.Decision
	*x = attribution.Decision{
		Version: r.Version, Conversion: r.Named, Outcome: r.Outcome, Verdict: r.Verdict, At: attributeInstant(r.At),
		Refusal: r.Refusal, Likeness: attribution.Likelihood(r.Likeness), EventsUntil: attributeInstant(r.Until), Late: r.Late,
	}
	if r.Winner != nil {
		m := r.Winner.match()
		x.Winner = &m
	}
	if r.Secondary != nil {
		m := r.Secondary.match()
		x.Secondary = &m
	}
	for i := range r.Assists {
		x.Assists = append(x.Assists, r.Assists[i].match())
	}
	for _, j := range r.Rejected {
		x.Rejected = append(x.Rejected, attribution.Rejection{Touch: j.Touch, At: attributeInstant(j.At), Method: j.Method, Score: j.Score, Code: j.Code})
	}
	for _, f := range r.Odd {
		x.Flags = append(x.Flags, attribution.Flag(f))
	}
}

func rowOfMatch(m *attribution.Match) matchRow {
	r := matchRow{
		Touch: m.Touch, Kind: m.Kind, Method: m.Method, At: attributeMillis(m.At), Lookback: m.Lookback, Of: m.LookbackOf,
		Source: sourceRow(m.Source), Claims: claimsRow(m.Claims), Score: m.Score,
	}
	for _, s := range m.Signals {
		r.Signals = append(r.Signals, signalRow(s))
	}
	return r
}

func (r *matchRow) match() attribution.Match {
	m := attribution.Match{
		Touch: r.Touch, Kind: r.Kind, Method: r.Method, At: attributeInstant(r.At), Lookback: r.Lookback, LookbackOf: r.Of,
		Source: attribution.Source(r.Source), Claims: attribution.Claims(r.Claims), Score: r.Score,
	}
	for _, s := range r.Signals {
		m.Signals = append(m.Signals, attribution.Signal(s))
	}
	return m
}
