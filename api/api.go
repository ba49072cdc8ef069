// Package api is our own REST API: what the vendors' APIs lack, for every link
// whatever API made it. Its contract is served as OpenAPI at
// /waypost/v1/openapi.json.
package api

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"waypost/internal/fault"
	"waypost/link"
	"waypost/manage"
	"waypost/report"
	"waypost/route"
)

// Rules is what the API needs of manage.
type Rules interface {
	Authenticate(secret string) (manage.Actor, error)
	Directory() *link.Directory
	Template(a manage.Actor, id link.TemplateID, needs link.Role) (*link.TemplateView, error)
	Group(a manage.Actor, id link.AppGroupID, needs link.Role) (*link.Group, error)
	CreateLinks(ctx context.Context, a manage.Actor, n []manage.NewLink) ([]manage.LinkResult, error)
	ReadLink(ctx context.Context, a manage.Actor, t link.TemplateID, code string) (link.Link, error)
	TakeCalls(ctx context.Context, account link.AccountID, usage report.UsageName, name link.LimitName, n int64) error
	Apps(a manage.Actor) []*link.App
	WholeAccount(a manage.Actor, id link.AccountID, needs link.Role) error
	Usage(ctx context.Context, a manage.Actor, account link.AccountID, from, to report.Day) ([]report.Usage, error)
}

// Counts is what the API needs of a store's counts.
type Counts interface {
	SumCounts(ctx context.Context, q report.Query) ([]report.Row, error)
	ReadLinkByID(ctx context.Context, id link.LinkID) (link.Link, error)
}

// Explainer tells what a link would do, counting nothing.
type Explainer interface {
	Explain(ctx context.Context, rawURL string) (route.LinkExplanation, error)
}

// LinkForm is how links of the bulk form are described: the OneLink API v2.0's
// words, checked as that API checks them.
type LinkForm interface {
	// NewLink reads the fields data, ttl, brand_domain and renew_ttl; template
	// and code are left to the caller. Faults are Invalid and name the field.
	NewLink(fields map[string]json.RawMessage) (manage.NewLink, error)
}

// Config is what the API is made of; every field must be set.
type Config struct {
	Rules   Rules
	Counts  Counts
	Explain Explainer
	Form    LinkForm

	Installs   Installs
	Intake     Intake
	Platform   PlatformConversions
	Deliveries Deliveries
	Wake       func() // tells who sends deliveries that one is due

	Now    func() time.Time
	Logger *slog.Logger
}

type server struct{ Config }

// Prefix is where everything of this package lives.
const Prefix = "/waypost/v1"

// New returns the API's handler.
func New(cfg Config) http.Handler {
	mux := http.NewServeMux()
	hc := huma.DefaultConfig("Waypost", "1")
	hc.OpenAPIPath = Prefix + "/openapi"
	hc.DocsPath, hc.SchemasPath = "", Prefix+"/schemas"
	hc.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token": {Type: "http", Scheme: "bearer", Description: "A token of the account, as the apply file names it."},
	}
	hc.Security = []map[string][]string{{"token": {}}}
	s := &server{cfg}
	a := humago.New(mux, hc)
	s.registerLinks(a)
	s.registerExplain(a)
	s.registerCounts(a)
	s.registerInstalls(a)
	s.registerDeliveries(a)
	s.registerPlatform(a)
	s.registerUnknownApps(a)
	s.registerUsage(a)
	return mux
}

// Caller is the part of every input that says who calls.
type Caller struct {
	Authorization string `header:"Authorization" doc:"The token, with or without the word Bearer."`
}

func (s *server) actor(c Caller) (manage.Actor, error) {
	secret := strings.TrimSpace(c.Authorization)
	if word, rest, ok := strings.Cut(secret, " "); ok && strings.EqualFold(word, "bearer") {
		secret = strings.TrimSpace(rest)
	}
	return s.Rules.Authenticate(secret)
}

// account returns the one that the call is about: the named one, or the only
// one that the token opens.
func (s *server) account(a manage.Actor, named int64) (link.AccountID, error) {
	id := link.AccountID(named)
	if id == 0 {
		id = a.Account
	}
	if id == 0 {
		return 0, fault.Bad("account", fault.Missing, "this token opens several accounts: name one by its id")
	}
	for _, g := range a.Token.Grants {
		if g.Account == id {
			return id, nil
		}
	}
	return 0, fault.New(fault.NotFound, "no such account for this token")
}

// wholeAccount returns the account that a call is about, where the caller's
// role in all of it includes needs.
func (s *server) wholeAccount(c Caller, named int64, needs link.Role) (link.AccountID, error) {
	actor, err := s.actor(c)
	if err != nil {
		return 0, err
	}
	account, err := s.account(actor, named)
	if err != nil {
		return 0, err
	}
	return account, s.Rules.WholeAccount(actor, account, needs)
}

// answered makes a call's function answer faults as this API does.
func answered[In, Out any](s *server, do func(context.Context, *In) (*Out, error)) func(context.Context, *In) (*Out, error) {
	return func(ctx context.Context, in *In) (*Out, error) {
		out, err := do(ctx, in)
		if err != nil {
			return nil, s.problem(err)
		}
		return out, nil
	}
}

// knownOnly refuses callers without a valid token before their body is read:
// bodies may be large, and anyone can send one.
func (s *server) knownOnly(a huma.API) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		if _, err := s.actor(Caller{Authorization: ctx.Header("Authorization")}); err != nil {
			f := fault.As(err)
			_ = huma.WriteErr(a, ctx, statusOf(f.Kind), f.Message) // fails when the caller has gone
			return
		}
		next(ctx)
	}
}

// problem turns a fault into the API's error reply (RFC 9457).
func (s *server) problem(err error) error {
	f := fault.As(err)
	status := statusOf(f.Kind)
	if status == http.StatusInternalServerError {
		s.Logger.Error("api call failed", "error", err)
		return huma.NewError(status, "Something went wrong on our side. It is logged.")
	}
	detail := &huma.ErrorDetail{Message: f.Message, Location: f.Field}
	if f.Field == "" {
		return withRetry(huma.NewError(status, f.Message), f.RetryAfter)
	}
	return withRetry(huma.NewError(status, f.Message, detail), f.RetryAfter)
}

func withRetry(err error, after time.Duration) error {
	if after <= 0 {
		return err
	}
	return huma.ErrorWithHeaders(err, http.Header{"Retry-After": {retrySeconds(after)}})
}

func statusOf(k fault.Kind) int {
	switch k {
	case fault.Invalid:
		return http.StatusUnprocessableEntity
	case fault.NotFound:
		return http.StatusNotFound
	case fault.Conflict:
		return http.StatusConflict
	case fault.Forbidden:
		return http.StatusForbidden
	case fault.Unauthorized:
		return http.StatusUnauthorized
	case fault.Quota, fault.RateLimited:
		return http.StatusTooManyRequests
	case fault.Unavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}
