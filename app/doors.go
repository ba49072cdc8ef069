package app

import (
	"net/http"
	"path"

	"waypost/api"
	"waypost/click"
	"waypost/compat/apple"
	"waypost/compat/onelink"
	"waypost/compat/singular"
	"waypost/compat/smartlinks"
	"waypost/ingest"
	"waypost/pipeline"
)

// dialects say what links do when they are clicked. The first is that of links
// made from templates; the others are asked in turn whose a path is.
func dialects() []click.Dialect {
	return []click.Dialect{onelink.Clicks{}, smartlinks.Clicks{}, singular.Clicks{}}
}

// touchers say what clicks are worth as touchpoints.
func touchers() []pipeline.Toucher {
	return []pipeline.Toucher{onelink.Touches{}, smartlinks.Touches{}, singular.Touches{}}
}

// vendor is one dialect's API, or our own for apps: what owns its paths as they
// are on the wire.
type vendor struct {
	owns func(path string) bool
	http.Handler
}

// received is what both listeners take of systems that know a domain alone.
type received struct{ *App }

// Owns reports whether a path is one that Apple's devices post to.
func (received) Owns(path string) bool { return apple.Owns(path) }

// ServeHTTP takes a copy of a postback of Apple's.
func (r received) ServeHTTP(w http.ResponseWriter, q *http.Request) { r.appleCopies.ServeHTTP(w, q) }

func (a *App) vendors() []vendor {
	address := ingest.AddressBehind(a.cfg.TrustedProxies)
	return []vendor{
		{onelink.Owns, onelink.NewAPI(onelink.Config{
			Rules: a.rules, Logger: a.cfg.Logger,
			Origins: a.cfg.CORSOrigins, V1ConflictStatus: a.cfg.V1Conflict, StrictChars: a.cfg.StrictChars,
		})},
		{smartlinks.Owns, smartlinks.NewAPI(smartlinks.Config{Rules: a.rules, Counts: a.store, Logger: a.cfg.Logger})},
		{singular.Owns, singular.NewAPI(singular.Config{Rules: a.rules, Logger: a.cfg.Logger})},
		{ingest.Owns, ingest.NewAPI(ingest.APIConfig{Service: a.intake, Address: address, Logger: a.cfg.Logger})},
		{apple.Owns, a.appleCopies},
		{onelink.OwnsIngest, a.oneLinkReports},
		{smartlinks.OwnsIngest, smartlinks.NewIngest(smartlinks.IngestConfig{
			Intake: a.intake, Directory: a.rules.Directory, Now: a.cfg.Now, Address: address, Logger: a.cfg.Logger,
		})},
		{singular.OwnsIngest, singular.NewIngest(singular.IngestConfig{
			Intake: a.intake, Links: a.store, Directory: a.rules.Directory, Address: address, Now: a.cfg.Now, Logger: a.cfg.Logger,
		})},
	}
}

// apiHandler dispatches the API listener. The vendors' paths go past any mux,
// which would answer an unclean path with a redirect that breaks clients.
func (a *App) apiHandler() http.Handler {
	vendors := a.vendors()
	own := api.New(api.Config{
		Rules: a.rules, Counts: a.store, Explain: a, Form: linkForm{strict: a.cfg.StrictChars},
		Installs: a.attributor, Intake: a.intake, Platform: a.store, Deliveries: a.store, Wake: a.postbacks.Wake,
		Now: a.cfg.Now, Logger: a.cfg.Logger,
	})
	mux := http.NewServeMux()
	mux.Handle(api.Prefix+"/", own)
	mux.HandleFunc("GET /healthz", a.healthz)
	mux.HandleFunc("GET /readyz", a.readyz)
	mux.Handle("GET /metrics", a.metrics())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for i := range vendors {
			if vendors[i].owns(r.URL.Path) {
				vendors[i].ServeHTTP(w, r)
				return
			}
		}
		if path.Clean(r.URL.Path) != r.URL.Path {
			http.NotFound(w, r) // where the mux would redirect
			return
		}
		mux.ServeHTTP(w, r)
	})
}
