package ingest

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/internal/fault"
	"waypost/internal/reply"
	"waypost/link"
)

// wireAccepted says that a report was kept.
type wireAccepted struct {
	ID         string   `json:"id"`
	Install    string   `json:"install_uuid"`
	Key        string   `json:"key"`
	Flags      []string `json:"flags,omitempty"`
	Ignored    []string `json:"ignored,omitempty"`
	ServerTime int64    `json:"server_time"`
}

// wireAnswer is what an open is answered.
type wireAnswer struct {
	wireAccepted
	Attribution  wireAttribution   `json:"attribution"`
	Reengagement *wireReengagement `json:"reengagement,omitempty"`
	DeepLink     wireDeepLink      `json:"deep_link"`
	AskIn        int64             `json:"ask_in_ms,omitempty"`
}

type wireAttribution struct {
	Status Status `json:"status"`
	*wireCredit
}

// wireCredit is who earned an installation, or won a person back.
type wireCredit struct {
	Method      attribution.Method    `json:"method"`
	MediaSource string                `json:"media_source,omitempty"`
	Partner     link.PartnerID        `json:"partner_id,omitempty"`
	Agency      string                `json:"agency,omitempty"`
	Campaign    string                `json:"campaign,omitempty"`
	CampaignID  string                `json:"campaign_id,omitempty"`
	AdSetID     string                `json:"adset_id,omitempty"`
	AdID        string                `json:"ad_id,omitempty"`
	Site        string                `json:"site_id,omitempty"`
	Link        link.LinkID           `json:"link_id,omitempty"`
	Kind        attribution.TouchKind `json:"touch"`
	At          int64                 `json:"touch_at"`
	ClickID     string                `json:"click_id"`
	Until       int64                 `json:"until,omitempty"`
}

// wireReengagement is a person won back. With Now, it is this open, and Params
// are those of the clicked URL.
type wireReengagement struct {
	*wireCredit
	Now    bool              `json:"now,omitempty"`
	Params map[string]string `json:"params,omitempty"`
}

type wireDeepLink struct {
	Found     bool               `json:"found"`
	Value     string             `json:"value,omitempty"`
	URL       string             `json:"url,omitempty"`
	Params    map[string]string  `json:"params,omitempty"`
	MatchType attribution.Method `json:"match_type,omitempty"`
	ExpiresAt int64              `json:"expires_at,omitempty"`
}

func shape(a *Answer, now time.Time) wireAnswer {
	said := wireAnswer{Attribution: wireAttribution{Status: a.Status}, AskIn: a.AskIn.Milliseconds()}
	if a.Match != nil {
		said.Attribution.wireCredit = creditOf(a.Match, time.Time{})
	}
	if c := a.Installation.Reengagement; lasts(c, now) {
		said.Reengagement = &wireReengagement{wireCredit: creditOf(&c.Match, c.Until), Now: a.Reengagement != nil}
		if a.ReengagementTouch != nil {
			said.Reengagement.Params = clickedParams(a.ReengagementTouch)
		}
	}
	if a.DeepLink == "" {
		return said
	}
	said.DeepLink = wireDeepLink{Found: true, Value: a.DeepLink, ExpiresAt: millis(a.Installation.LinkUntil)}
	if strings.Contains(a.DeepLink, "://") {
		said.DeepLink.URL = a.DeepLink
	}
	if a.Match != nil {
		said.DeepLink.MatchType = a.Match.Method
	}
	// A likely match may be wrong, and parameters may speak of a person.
	if a.Touch != nil && a.Match.Method != attribution.Probabilistic {
		said.DeepLink.Params = clickedParams(a.Touch)
	}
	return said
}

func creditOf(m *attribution.Match, until time.Time) *wireCredit {
	s := m.Source
	return &wireCredit{
		Method: m.Method, MediaSource: s.Name, Partner: s.Partner, Agency: s.Agency, Campaign: s.Campaign, CampaignID: s.CampaignID,
		AdSetID: s.AdSetID, AdID: s.AdID, Site: s.Site, Link: s.Link, Kind: m.Kind, At: millis(m.At), ClickID: m.Touch.String(), Until: millis(until),
	}
}

// clickedParams are those of the clicked URL; of repeated ones the first.
func clickedParams(t *history.Touch) map[string]string {
	values, _ := url.ParseQuery(t.Query) // what cannot be read is left out
	params := make(map[string]string, len(values))
	for name, all := range values {
		params[name] = all[0]
	}
	return params
}

// What becomes of an event of a batch.
const (
	statusAccepted = "accepted"
	statusRefused  = "refused"
	statusRetry    = "retry"
)

type wireResults struct {
	Results    []wireResult `json:"results"`
	Accepted   int          `json:"accepted"`
	Refused    int          `json:"refused"`
	RetryIn    int64        `json:"retry_in_ms,omitempty"`
	Ignored    []string     `json:"ignored,omitempty"`
	ServerTime int64        `json:"server_time"`
}

type wireResult struct {
	ID      string    `json:"event_id"` // as told, else the key that was made
	Status  string    `json:"status"`
	Flags   []string  `json:"flags,omitempty"`
	Error   *wireFlaw `json:"error,omitempty"`
	retryIn time.Duration
}

// wireFlaw has the form of an entry of a problem's errors.
type wireFlaw struct {
	Message  string `json:"message"`
	Location string `json:"location,omitempty"`
}

func (w *wireResult) take(r Result) {
	if r.Err != nil {
		w.refuse(r.Err)
		return
	}
	w.ID, w.Status, w.Flags = r.Receipt.Key, statusAccepted, r.Receipt.Flags
}

func (w *wireResult) refuse(err error) {
	f := fault.As(err)
	w.Status, w.Error = statusRefused, &wireFlaw{f.Message, located(f.Field)}
	switch f.Kind {
	case fault.Unavailable:
		w.Status, w.retryIn = statusRetry, max(f.RetryAfter, time.Millisecond)
	case fault.Internal:
		w.Error.Message = sentence
	}
}

// located is how our own API calls a field.
func located(field string) string {
	switch field {
	case FieldInstall:
		return "install_uuid"
	case FieldUser:
		return "user_id"
	case FieldReferrer:
		return "referrer.raw"
	case FieldPlatform:
		return "app.platform"
	}
	return field
}

// wireProblem is RFC 9457's form, as our other API has it.
type wireProblem struct {
	Title   string     `json:"title"`
	Status  int        `json:"status"`
	Detail  string     `json:"detail"`
	Errors  []wireFlaw `json:"errors,omitempty"`
	RetryIn int64      `json:"retry_in_ms,omitempty"`
}

// sentence is all that is shown of an error of ours.
const sentence = "Something went wrong on our side. It is logged."

// problem turns an error into an answer.
func (a *sdkAPI) problem(err error) reply.Reply {
	f := fault.As(err)
	status := statusOf(f)
	if status == http.StatusInternalServerError {
		a.Logger.Error("sdk call failed", "error", err)
		f = fault.New(fault.Internal, sentence)
	}
	return problem(status, f)
}

func problem(status int, f *fault.Error) reply.Reply {
	p := wireProblem{Title: http.StatusText(status), Status: status, Detail: f.Message, RetryIn: f.RetryAfter.Milliseconds()}
	if f.Field != "" {
		p.Errors = []wireFlaw{{f.Message, located(f.Field)}}
	}
	answer := reply.JSON(status, p).With("Content-Type", "application/problem+json")
	if f.RetryAfter > 0 {
		answer = answer.RetryAfter(f.RetryAfter)
	}
	return answer
}

func statusOf(f *fault.Error) int {
	switch f.Kind {
	case fault.Invalid:
		switch {
		case f == errMedia:
			return http.StatusUnsupportedMediaType
		case f.Field == fieldBody && f.Reason == fault.TooLong:
			return http.StatusRequestEntityTooLarge
		case f.Field == fieldBody:
			return http.StatusBadRequest
		}
		return http.StatusUnprocessableEntity
	case fault.NotFound:
		return http.StatusNotFound
	case fault.Unavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}
