package api

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"waypost/attribution/history"
	"waypost/internal/fault"
	"waypost/link"
)

// Deliveries are the postbacks and webhooks that are to be sent, or were.
type Deliveries interface {
	// ListDeliveries returns an account's deliveries that the filter chooses, the
	// newest first.
	ListDeliveries(ctx context.Context, account link.AccountID, f history.DeliveryFilter) ([]history.Delivery, error)
	// RetryDelivery makes an account's delivery due at once and returns it;
	// NotFound when the account has none of that id, Conflict when it can never
	// be sent.
	RetryDelivery(ctx context.Context, account link.AccountID, id int64, now time.Time) (history.Delivery, error)
}

type deliveriesInput struct {
	Caller
	Account  int64  `query:"account" doc:"Needed only for tokens that open several accounts."`
	Status   string `query:"status" enum:"waiting,delivered,given_up" doc:"Only those; all when absent."`
	Postback string `query:"postback" doc:"Only those of the postback with this key in the apply file; all when absent."`
	Limit    int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
	Cursor   string `query:"cursor" doc:"As next_cursor of the page before has it; the first page when absent. The other parameters stay the same."`
}

type deliveriesOutput struct {
	Body struct {
		Deliveries []delivery `json:"deliveries" doc:"The newest first."`
		NextCursor string     `json:"next_cursor,omitempty" doc:"Asks for the page behind this one; absent on the last."`
	}
}

// delivery is a postback or webhook. Instants are Unix milliseconds.
type delivery struct {
	ID       int64                  `json:"id"`
	Key      string                 `json:"key" doc:"As in Idempotency-Key, the same at every attempt."`
	Postback link.Key               `json:"postback" doc:"Its key in the apply file."`
	Kind     string                 `json:"kind" doc:"What it tells: install, event, click, …"`
	Method   string                 `json:"method"`
	URL      string                 `json:"url" doc:"With every macro filled; secrets are shown as xxxxx."`
	Body     string                 `json:"body,omitempty"`
	MadeAt   int64                  `json:"made_at"`
	DueAt    int64                  `json:"due_at,omitempty" doc:"Of the next attempt; in the past while its host rests or is busy."`
	Attempts int                    `json:"attempts"`
	Status   history.DeliveryStatus `json:"status" doc:"waiting, delivered or given_up"`
	Code     int                    `json:"code,omitempty" doc:"HTTP status of the last attempt; absent: there was no answer."`
	Answer   string                 `json:"answer,omitempty" doc:"The first 2 KiB of it, or why there was none."`
}

type retryInput struct {
	Caller
	Account int64 `query:"account" doc:"Needed only for tokens that open several accounts."`
	ID      int64 `path:"id"`
}

type retryOutput struct {
	Body delivery
}

func (s *server) registerDeliveries(a huma.API) {
	huma.Register(a, huma.Operation{
		OperationID: "deliveries", Method: http.MethodGet, Path: Prefix + "/deliveries",
		Summary: "Postbacks and webhooks: what was sent, what came of it, what waits. For tokens of the whole account.",
	}, answered(s, s.listDeliveries))
	huma.Register(a, huma.Operation{
		OperationID: "retry-delivery", Method: http.MethodPost, Path: Prefix + "/deliveries/{id}/retry",
		Summary:     "Send a delivery again, whatever became of it",
		Description: "It goes out at once, with the key that it always had, so that a receiver that keeps keys counts it once. Where every attempt of the schedule was made, it is one more. While one is under way, it follows that one, whatever comes of it. One whose URL could not be filled cannot be sent: 409. Needs the role write, and a token of the whole account.",
	}, answered(s, s.retryDelivery))
}

func (s *server) listDeliveries(ctx context.Context, in *deliveriesInput) (*deliveriesOutput, error) {
	account, err := s.wholeAccount(in.Caller, in.Account, link.Read)
	if err != nil {
		return nil, err
	}
	before, err := parseCursor(in.Cursor)
	if err != nil {
		return nil, err
	}
	found, err := s.Deliveries.ListDeliveries(ctx, account, history.DeliveryFilter{
		Status: history.DeliveryStatus(in.Status), Postback: link.Key(in.Postback), Before: before, Limit: in.Limit + 1,
	})
	if err != nil {
		return nil, err
	}
	out := &deliveriesOutput{}
	if len(found) > in.Limit { // one more than asked: there is another page
		found = found[:in.Limit]
		out.Body.NextCursor = strconv.FormatInt(found[in.Limit-1].ID, 10)
	}
	out.Body.Deliveries = make([]delivery, len(found))
	for i := range found {
		out.Body.Deliveries[i] = deliveryOf(&found[i])
	}
	return out, nil
}

// parseCursor reads where a page begins: behind the delivery with the id that it
// holds. Callers need not know; pages neither repeat nor skip a delivery while new
// ones come in front.
func parseCursor(text string) (before int64, err error) {
	if text == "" {
		return 0, nil
	}
	before, err = strconv.ParseInt(text, 10, 64)
	if err != nil || before <= 0 {
		return 0, fault.Bad("cursor", fault.Malformed, "write next_cursor of the page before, or leave it out for the first")
	}
	return before, nil
}

func (s *server) retryDelivery(ctx context.Context, in *retryInput) (*retryOutput, error) {
	account, err := s.wholeAccount(in.Caller, in.Account, link.Write)
	if err != nil {
		return nil, err
	}
	d, err := s.Deliveries.RetryDelivery(ctx, account, in.ID, s.Now())
	if err != nil {
		return nil, err
	}
	s.Wake()
	return &retryOutput{Body: deliveryOf(&d)}, nil
}

func deliveryOf(d *history.Delivery) delivery {
	return delivery{
		ID: d.ID, Key: d.Key, Postback: d.Postback, Kind: d.Kind, Method: d.Method, URL: withoutSecrets(d.URL), Body: d.Body,
		MadeAt: millis(d.MadeAt), DueAt: millis(d.DueAt), Attempts: d.Attempts, Status: d.Status, Code: d.Code, Answer: d.Answer,
	}
}

// hidden stands where a secret was.
const hidden = "xxxxx"

// withoutSecrets hides a URL's credentials, and the values of parameters whose
// names say that they are secret.
func withoutSecrets(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return hidden // whatever it holds; nothing was ever sent to it
	}
	if u.User != nil {
		u.User = url.User(hidden)
	}
	parameters := strings.Split(u.RawQuery, "&")
	for i, p := range parameters {
		if name, value, _ := strings.Cut(p, "="); value != "" && namesSecret(name) {
			parameters[i] = name + "=" + hidden
		}
	}
	u.RawQuery = strings.Join(parameters, "&")
	return u.String()
}

var (
	secretNames = []string{"key", "auth", "sig", "hash", "pass", "pwd"}
	secretParts = []string{"token", "secret", "password", "passwd", "apikey", "api_key", "api-key", "authkey", "auth_key", "auth-key", "access_key",
		"access-key", "accesskey", "signature", "credential", "authorization"}
)

func namesSecret(escaped string) bool {
	name, err := url.QueryUnescape(escaped)
	if err != nil {
		name = escaped
	}
	name = strings.ToLower(name)
	return slices.Contains(secretNames, name) || slices.ContainsFunc(secretParts, func(part string) bool { return strings.Contains(name, part) })
}
