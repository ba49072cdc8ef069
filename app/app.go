package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"waypost/click"
	"waypost/compat/onelink"
	"waypost/eventlog"
	"waypost/ingest"
	"waypost/link"
	"waypost/manage"
	"waypost/manage/manifest"
	"waypost/pipeline"
	"waypost/postback"
	"waypost/report"
	"waypost/route"
	"waypost/store/sqlitestore"
)

// App is an opened data directory with everything that works on it. Several
// can live in one process, each on its own directory.
type App struct {
	cfg     Config
	lock    *os.File
	store   *sqlitestore.Store
	ledger  *eventlog.Log
	country *countries
	network func(netip.Addr) string // nil: no lists
	rules   *manage.Service
	counter *pipeline.Counter
	door    *click.Door

	attributor  *pipeline.Attributor
	intake      *ingest.Service
	sender      *postback.Sender
	postbacks   *postback.Runner
	appleCopies http.Handler
	// oneLinkReports keeps counters of its own.
	oneLinkReports *onelink.Ingest

	handler http.Handler // of the API listener
	ready   readiness
}

// Run serves until ctx ends, then drains. Its errors are for the operator.
func Run(ctx context.Context, cfg Config) error {
	cfg = cfg.withDefaults()
	if err := cfg.check(); err != nil {
		return err
	}
	a, err := open(ctx, cfg)
	if err != nil {
		return err
	}
	err = a.serve(ctx)
	return errors.Join(err, a.Close())
}

// open takes the data directory and puts the parts together.
func open(ctx context.Context, cfg Config) (_ *App, err error) {
	a := &App{cfg: cfg}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close())
		}
	}()
	if a.lock, err = lockData(cfg); err != nil {
		return nil, err
	}
	if err := cfg.removeReplays(); err != nil {
		return nil, err
	}
	if a.country, err = openCountries(cfg.GeoIP); err != nil {
		return nil, err
	}
	if a.network, err = openNetworks(cfg.NetworkLists, cfg.Logger); err != nil {
		return nil, err
	}
	_, missing := os.Stat(cfg.storePath())
	if a.store, err = sqlitestore.Open(ctx, sqlitestore.Config{
		Path: cfg.storePath(), Sync: cfg.LogSync == SyncAlways, Logger: cfg.Logger,
	}); err != nil {
		return nil, err
	}
	if a.ledger, err = eventlog.Open(ctx, eventlog.Config{
		Dir: cfg.ledgerPath(), URL: cfg.Log, Replicas: cfg.LogReplicas, SyncAlways: cfg.LogSync == SyncAlways,
		AcceptLoss: cfg.LogAcceptLoss, Logger: cfg.Logger,
	}); err != nil {
		return nil, err
	}
	if errors.Is(missing, fs.ErrNotExist) {
		a.warnOfLostStore(ctx)
	}
	if a.rules, err = manage.New(ctx, manage.Config{
		Store: a.store, Now: cfg.Now, Logger: cfg.Logger, Changed: a.linksChanged,
	}); err != nil {
		return nil, err
	}
	if a.counter, err = pipeline.NewCounter(ctx, pipeline.Config{
		Store: a.store, Ledger: a.ledger, Logger: cfg.Logger, Now: cfg.Now, Renewed: a.linksRenewed,
		MaxAge: cfg.LogMaxAge, MaxBytes: cfg.LogMaxBytes, Others: []report.Projection{pipeline.History},
	}); err != nil {
		return nil, err
	}
	if a.door, err = click.New(click.Config{
		Directory: a.rules.Directory, Links: a.store, Dialects: dialects(), Ledger: a.ledger, Received: received{a}, Logger: cfg.Logger,
		Now: cfg.Now, Country: a.country.lookUp(), Network: a.network, TrustedProxies: cfg.TrustedProxies, CacheAge: cacheAge,
	}); err != nil {
		return nil, err
	}
	if err := a.openAttribution(ctx); err != nil {
		return nil, err
	}
	a.handler = a.apiHandler()
	return a, nil
}

// warnOfLostStore speaks up when the database was made just now beside a
// ledger with events: nothing else would tell that accounts and links are gone.
func (a *App) warnOfLostStore(ctx context.Context) {
	if state, err := a.ledger.State(ctx); err == nil && state.Last > 0 {
		a.cfg.Logger.Warn("the ledger has events, but there was no database: accounts and links are empty; if it was lost, stop and restore waypost.db from a backup",
			"database", a.cfg.storePath(), "batches", state.Last)
	}
}

// cacheAge is long, because one process owns a data directory and announces
// every change to itself: reading a hundred thousand links again each minute
// would take time from the redirects for nothing.
const cacheAge = 15 * time.Minute

// linksChanged and linksRenewed reach the door, which is made after those that tell it.
func (a *App) linksChanged(paths []link.Path) {
	if a.door != nil {
		a.door.Forget(paths)
	}
}

func (a *App) linksRenewed(links []report.Renewed) {
	if a.door == nil {
		return
	}
	for _, l := range links {
		a.door.Renewed(l.Path, l.ExpiresAt)
	}
}

// serve runs both listeners and the loops until ctx ends or one of them fails.
func (a *App) serve(ctx context.Context) error {
	for _, name := range a.cfg.Apply {
		if err := a.applyFile(ctx, name); err != nil {
			return err
		}
	}
	links, err := net.Listen("tcp", a.cfg.LinksAddr)
	if err != nil {
		return fmt.Errorf("cannot listen for clicks: %w; choose another address with --links", err)
	}
	apis, err := net.Listen("tcp", a.cfg.APIAddr)
	if err != nil {
		links.Close()
		return fmt.Errorf("cannot listen for the API: %w; choose another address with --api", err)
	}
	control, err := a.serveControl()
	if err != nil {
		links.Close()
		apis.Close()
		return err
	}
	public := a.door.Server()
	internal := &http.Server{
		Handler: a.handler, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 2 * time.Minute,
		WriteTimeout: 2 * time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
	}
	var loops sync.WaitGroup
	loopCtx, stopLoops := context.WithCancel(context.WithoutCancel(ctx))
	loops.Go(func() { a.counter.Run(loopCtx) })
	loops.Go(func() { a.attributor.Run(loopCtx) })
	loops.Go(func() { a.postbacks.Run(loopCtx) })
	loops.Go(func() { a.intake.Run(loopCtx) })
	loops.Go(func() { a.sweep(loopCtx) })
	failed := make(chan error, 2)
	go func() { failed <- public.Serve(click.Listen(links)) }()
	go func() { failed <- internal.Serve(apis) }()
	a.ready.set(true)
	a.cfg.Logger.Info("serving", "links", links.Addr().String(), "api", apis.Addr().String(), "data", a.cfg.Data)
	if a.cfg.Listening != nil {
		a.cfg.Listening(links.Addr().String(), apis.Addr().String())
	}
	select {
	case <-ctx.Done():
	case err = <-failed:
		err = fmt.Errorf("a listener failed: %w", err)
	}
	a.ready.set(false)
	drain(public, internal, control)
	stopLoops()
	loops.Wait()
	a.cfg.Logger.Info("stopped")
	return err
}

// drainTime leaves a margin below the ten seconds of DESIGN §4.
const drainTime = 7 * time.Second

// drain lets requests that are under way finish, and cancels those that do not
// in time: a verify of a large ledger, which the counting waits for.
func drain(public *fasthttp.Server, internal, control *http.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	var all sync.WaitGroup
	all.Go(func() { _ = public.ShutdownWithContext(ctx) })
	all.Go(func() { stop(ctx, internal) })
	all.Go(func() { stop(ctx, control) })
	all.Wait()
}

func stop(ctx context.Context, s *http.Server) {
	if s.Shutdown(ctx) != nil {
		_ = s.Close() // a request's context ends with its connection
	}
}

// sweepEvery is how often links that expired long ago are removed.
const sweepEvery = 10 * time.Minute

func (a *App) sweep(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		if n, err := a.rules.SweepExpired(ctx); err != nil && ctx.Err() == nil {
			a.cfg.Logger.Error("expired links could not be removed", "error", err)
		} else if n > 0 {
			a.cfg.Logger.Info("removed expired links", "links", n)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (a *App) applyFile(ctx context.Context, name string) error {
	file, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("cannot read the file of --apply: %w", err)
	}
	_, err = a.Apply(ctx, name, file)
	return err
}

// Apply implements Operations.
func (a *App) Apply(ctx context.Context, name string, file []byte) (manage.Applied, error) {
	parsed, err := manifest.Parse(name, file)
	if err != nil {
		return manage.Applied{}, err
	}
	return a.rules.Apply(ctx, parsed)
}

// Explain implements Operations.
func (a *App) Explain(ctx context.Context, rawURL string) (route.LinkExplanation, error) {
	return a.door.Explain(ctx, rawURL)
}

// Close gives the data directory back. Everything acknowledged is in it.
func (a *App) Close() error {
	var errs []error
	if a.sender != nil {
		a.sender.Close()
	}
	if a.ledger != nil {
		errs = append(errs, a.ledger.Close())
	}
	if a.store != nil {
		errs = append(errs, a.store.Close())
	}
	if a.country != nil {
		errs = append(errs, a.country.close())
	}
	if a.lock != nil {
		_ = os.Remove(a.cfg.controlPath())
		errs = append(errs, a.lock.Close())
	}
	return errors.Join(errs...)
}
