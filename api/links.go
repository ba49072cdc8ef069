package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"waypost/internal/fault"
	"waypost/link"
	"waypost/manage"
	"waypost/report"
)

// Limits of the bulk form.
const (
	maxBatch     = 10_000
	maxBatchBody = 64 << 20 // 10 000 links of the largest data with room to spare
)

// BulkUsage counts links made by the bulk form, one for each link asked for.
// The OneLink API's monthly limit holds for it, too, with a count of its own
// as v1 and v2.0 have theirs.
const BulkUsage report.UsageName = "waypost.bulk"

type batchInput struct {
	Caller
	RawBody []byte `contentType:"application/json"`
}

// batchBody is the bulk form's request. Items are read one by one, so that a
// broken one fails alone.
type batchBody struct {
	Links []json.RawMessage `json:"links"`
}

// itemFields are what an item may hold; other names are refused, because a
// misspelt one would make a link that nobody asked for.
var itemFields = []string{"template", "id", "data", "ttl", "brand_domain", "renew_ttl"}

// batchOutput answers item by item, in the order of the request.
type batchOutput struct {
	Body struct {
		Created int           `json:"created" doc:"How many links were made."`
		Failed  int           `json:"failed"`
		Results []batchResult `json:"results"`
	}
}

type batchResult struct {
	URL   string      `json:"url,omitempty"`
	ID    string      `json:"id,omitempty"`
	Error *batchError `json:"error,omitempty"`
}

type batchError struct {
	Code    string `json:"code" doc:"invalid, not_found, conflict, forbidden or quota"`
	Field   string `json:"field,omitempty"`
	Message string `json:"message"`
}

func (s *server) registerLinks(a huma.API) {
	huma.Register(a, huma.Operation{
		OperationID: "create-links", Method: http.MethodPost, Path: Prefix + "/links:batch",
		Summary:      "Create up to 10 000 links",
		Description:  "Body: {\"links\":[{\"template\",\"id\",\"data\",\"ttl\",\"brand_domain\",\"renew_ttl\"}…]}, each with the meaning that it has in the OneLink API v2.0 (`id` is its `shortlink_id`). Every item succeeds or fails by itself; the reply is 200 when the body could be read.",
		MaxBodyBytes: maxBatchBody, SkipValidateBody: true, BodyReadTimeout: time.Minute,
		Middlewares: huma.Middlewares{s.knownOnly(a)},
	}, func(ctx context.Context, in *batchInput) (*batchOutput, error) {
		out, err := s.createLinks(ctx, in)
		if err != nil {
			return nil, s.problem(err)
		}
		return out, nil
	})
}

func (s *server) createLinks(ctx context.Context, in *batchInput) (*batchOutput, error) {
	actor, err := s.actor(in.Caller)
	if err != nil {
		return nil, err
	}
	body, err := readBatch(in.RawBody)
	if err != nil {
		return nil, err
	}
	b := batch{results: make([]batchResult, len(body.Links))}
	owners := make([]link.AccountID, len(body.Links))
	asked := map[link.AccountID]int64{}
	items := make([]manage.NewLink, len(body.Links))
	for i := range body.Links {
		if items[i], owners[i], err = s.newLink(actor, body.Links[i]); err != nil {
			b.results[i].Error = itemError(err)
			continue
		}
		asked[owners[i]]++
	}
	refused := map[link.AccountID]error{}
	for owner, n := range asked {
		refused[owner] = s.Rules.TakeCalls(ctx, owner, BulkUsage, link.OneLinkMonthlyWrites, n)
		if refused[owner] != nil && len(asked) == 1 {
			return nil, refused[owner]
		}
	}
	for i := range items {
		switch {
		case b.results[i].Error != nil:
		case refused[owners[i]] != nil:
			b.results[i].Error = itemError(refused[owners[i]])
		default:
			b.wanted, b.places = append(b.wanted, items[i]), append(b.places, i)
		}
	}
	made, err := s.Rules.CreateLinks(ctx, actor, b.wanted)
	if err != nil {
		return nil, err
	}
	return b.answer(made), nil
}

// batch is a bulk call on its way: what is wanted, and where its results go.
type batch struct {
	results []batchResult
	wanted  []manage.NewLink
	places  []int // of wanted[i] in results
}

func (b *batch) answer(made []manage.LinkResult) *batchOutput {
	out := &batchOutput{}
	for i, m := range made {
		r := &b.results[b.places[i]]
		if m.Err != nil {
			r.Error = itemError(m.Err)
			continue
		}
		r.URL, r.ID = m.URL, m.Link.Code
		out.Body.Created++
	}
	out.Body.Results = b.results
	out.Body.Failed = len(b.results) - out.Body.Created
	return out
}

func readBatch(raw []byte) (*batchBody, error) {
	if !utf8.Valid(raw) {
		return nil, fault.Bad("body", fault.Malformed, "the body is not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	body := &batchBody{}
	if err := dec.Decode(body); err != nil {
		return nil, fault.Bad("body", fault.Malformed, "cannot read the body as {\"links\":[…]}: %v", err)
	}
	if _, err := dec.Token(); err != io.EOF { // More would take a closing bracket for the end
		return nil, fault.Bad("body", fault.Malformed, "there is something after the JSON object")
	}
	if n := len(body.Links); n == 0 || n > maxBatch {
		return nil, fault.Bad("links", fault.TooLong, "between 1 and %d links fit into a call, got %d", maxBatch, n)
	}
	return body, nil
}

// newLink reads one item and checks it as the OneLink API v2.0 would.
func (s *server) newLink(a manage.Actor, raw json.RawMessage) (n manage.NewLink, owner link.AccountID, err error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil || fields == nil {
		return n, 0, fault.Bad("links", fault.Malformed, "each of them must be an object")
	}
	for name := range fields {
		if !slices.Contains(itemFields, name) {
			return n, 0, fault.Bad(name, fault.Unknown, "is none of %s", strings.Join(itemFields, ", "))
		}
	}
	template, err := textOf(fields, "template")
	if err != nil {
		return n, 0, err
	}
	id, err := textOf(fields, "id")
	if err != nil {
		return n, 0, err
	}
	t, err := s.Rules.Template(a, link.TemplateID(template), link.Write)
	if err != nil {
		return n, 0, err
	}
	n, err = s.Form.NewLink(fields)
	n.Template, n.Code = t.ID, id
	return n, t.Account, err
}

// textOf returns a field that must be a string; null is no more than absence.
func textOf(fields map[string]json.RawMessage, name string) (text string, err error) {
	if raw := fields[name]; len(raw) > 0 && json.Unmarshal(raw, &text) != nil {
		return "", fault.Bad(name, fault.Malformed, "must be a string")
	}
	return text, nil
}

func itemError(err error) *batchError {
	f := fault.As(err)
	if f.Kind == fault.Internal {
		return &batchError{Code: f.Kind.String(), Message: "Something went wrong on our side."}
	}
	return &batchError{Code: f.Kind.String(), Field: f.Field, Message: f.Message}
}

// retrySeconds is a Retry-After value: whole seconds, rounded up.
func retrySeconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}
