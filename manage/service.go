package manage

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"waypost/link"
)

// Config is what a Service works with. Store is needed, the rest has defaults.
type Config struct {
	Store  Store
	Now    func() time.Time
	Logger *slog.Logger
	// Changed is told the paths of links that were written or removed, after
	// the store has them so: caches forget what they held, absence included.
	Changed func(paths []link.Path)
	// Reloaded is told every configuration that comes into force after New.
	Reloaded func(*link.Directory)
}

// Service is the management rules over a store. Its methods may be called at
// the same time; the store serializes what must not overlap.
type Service struct {
	Config
	directory atomic.Pointer[link.Directory]
	// configure serializes loading and saving, so that an older configuration
	// never replaces a newer one. It is taken after archiving.
	configure sync.Mutex
	stale     bool // the store has a configuration that is not in force; guarded by configure
	rates     rates
	// archiving keeps links and campaigns out of an app group that is being
	// archived: those who make them share it, ArchiveGroup has it alone. It and
	// listed hold within one process, which is all that writes to a store.
	archiving sync.RWMutex
	listed    sync.Mutex // serializes changes of listed links and of campaigns; taken before archiving
	turns     turns
}

// New returns a service with the configuration that the store holds.
func New(ctx context.Context, c Config) (*Service, error) {
	if c.Store == nil {
		return nil, fmt.Errorf("manage needs a store")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Changed == nil {
		c.Changed = func([]link.Path) {}
	}
	s := &Service{Config: c}
	d, err := s.load(ctx)
	if err != nil {
		return nil, err
	}
	s.directory.Store(d)
	return s, nil
}

// Directory returns the configuration in force. It is never nil.
func (s *Service) Directory() *link.Directory { return s.directory.Load() }

// Reload puts the store's configuration in force. When it fails, the one
// before stays.
func (s *Service) Reload(ctx context.Context) error {
	s.configure.Lock()
	defer s.configure.Unlock()
	return s.reload(ctx)
}

// reload is called with configure held.
func (s *Service) reload(ctx context.Context) error {
	d, err := s.load(ctx)
	if err != nil {
		return err
	}
	s.directory.Store(d)
	s.stale = false
	if s.Reloaded != nil {
		s.Reloaded(d)
	}
	return nil
}

func (s *Service) load(ctx context.Context) (*link.Directory, error) {
	catalog, err := s.Store.LoadCatalog(ctx)
	if err != nil {
		return nil, fmt.Errorf("load configuration: %w", err)
	}
	d, err := link.NewDirectory(catalog)
	if err != nil {
		return nil, fmt.Errorf("load configuration: %w", err)
	}
	return d, nil
}

// now returns the time in whole milliseconds, as stores keep it, so that a
// link that was just made equals the one that is read back.
func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Millisecond) }
