package eventlog

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nuid"
)

// embedded is a JetStream server in this process: no port, no signal handlers.
type embedded struct {
	cfg  Config
	mark *mark
	cur  atomic.Pointer[conn]
	mu   sync.Mutex // guards srv against mend and close at once
	srv  *natsserver.Server
}

const (
	// startWithin bounds the start. After an unclean stop JetStream reads the
	// whole ledger, so this is generous.
	startWithin = 10 * time.Minute
	// unlimited keeps JetStream from reserving: the disk itself is the limit.
	unlimited = 1 << 60
	// probeBytes must fit on the disk before a broken ledger is tried again.
	probeBytes = 1 << 20
)

func openEmbedded(ctx context.Context, cfg Config) (*embedded, error) {
	if err := os.MkdirAll(cfg.Dir, 0o750); err != nil {
		return nil, explain(cfg.Dir, fmt.Errorf("make the ledger's directory: %w", err))
	}
	if err := probe(cfg.Dir); err != nil {
		return nil, explain(cfg.Dir, err)
	}
	e := &embedded{cfg: cfg}
	if err := e.start(ctx); err != nil {
		return nil, explain(cfg.Dir, err)
	}
	return e, nil
}

// start checks the files, starts the server on them and connects.
func (e *embedded) start(ctx context.Context) error {
	m, err := openMark(e.cfg.Dir)
	if err != nil {
		return err
	}
	if err := e.checkFiles(m); err != nil {
		m.file.Close()
		return err
	}
	log := &serverLog{out: e.cfg.Logger, broken: make(chan error, 1)}
	srv, err := startServer(e.cfg, log)
	if err != nil {
		m.file.Close()
		return err
	}
	fail := func(err error) error {
		stopServer(srv)
		m.file.Close()
		return err
	}
	c, err := connect(ctx, e.cfg, log.broken, nats.InProcessServer(srv), nats.NoReconnect())
	if err != nil {
		return fail(err)
	}
	if err := e.resume(ctx, c, m); err != nil {
		c.close()
		return fail(err)
	}
	e.srv, e.mark = srv, m
	e.cur.Store(c)
	return nil
}

// resume learns the last sequence. Where acked batches are gone (a power loss;
// checkFiles refuses any other), it takes up their numbers with empty batches:
// a projection may have counted them, and must not take new ones for them.
func (e *embedded) resume(ctx context.Context, c *conn, m *mark) error {
	info, err := c.info(ctx)
	if err != nil {
		return fmt.Errorf("ask for the ledger's last sequence: %w", err)
	}
	last := info.State.LastSeq
	if m.seq > last {
		e.cfg.Logger.Error("batches that were acknowledged before the machine stopped are not on the disk",
			"ledger", e.cfg.Dir, "first", last+1, "last", m.seq)
	}
	for last < m.seq {
		if last, err = c.send(last, nil, e.cfg.MaxWait); err != nil {
			return fmt.Errorf("take up the numbers of lost batches: %w", err)
		}
	}
	c.epoch = nuid.Next() + "-" // the ids above are not those of the batches to come
	return m.begin(last)
}

func startServer(cfg Config, log *serverLog) (*natsserver.Server, error) {
	srv, err := natsserver.NewServer(&natsserver.Options{
		DontListen: true, NoSigs: true, NoLog: true, DisableShortFirstPing: true, DisableJetStreamBanner: true,
		JetStream: true, StoreDir: cfg.Dir, JetStreamMaxStore: unlimited, JetStreamMaxMemory: 1 << 20,
		SyncInterval: cfg.SyncInterval, SyncAlways: cfg.SyncAlways, MaxPayload: 2 * maxBatch,
	})
	if err != nil {
		return nil, fmt.Errorf("configure the embedded server: %w", err)
	}
	srv.SetLoggerV2(log, false, false, false)
	srv.Start()
	if !srv.ReadyForConnections(startWithin) || !srv.JetStreamEnabled() {
		stopServer(srv)
		return nil, fmt.Errorf("start the embedded server: %w", log.why())
	}
	return srv, nil
}

func stopServer(srv *natsserver.Server) {
	srv.Shutdown()
	srv.WaitForShutdown()
}

func (e *embedded) send(id uint64, payload []byte, wait time.Duration) (uint64, error) {
	seq, err := e.cur.Load().send(id, payload, wait)
	if err == nil {
		e.mark.set(seq)
	}
	return seq, err
}

func (e *embedded) place() string   { return "in " + e.cfg.Dir }
func (e *embedded) maxPayload() int { return 2 * maxBatch }
func (e *embedded) current() *conn  { return e.cur.Load() }

// mend restarts the server once the disk takes writes again: after a failed
// write JetStream refuses all others until it has read its files anew. The
// commit loop sends nothing meanwhile, as every Append fails.
func (e *embedded) mend(ctx context.Context) error {
	if err := probe(e.cfg.Dir); err != nil {
		return explain(e.cfg.Dir, err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.stop() {
		e.mark.file.Close()
	}
	if err := e.start(ctx); err != nil {
		return explain(e.cfg.Dir, err)
	}
	return nil
}

// stop ends the server if it runs, and reports whether it did. mu is held.
func (e *embedded) stop() bool {
	if e.srv == nil {
		return false
	}
	e.cur.Load().close()
	stopServer(e.srv)
	e.srv = nil
	return true
}

func (e *embedded) close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.stop() {
		return nil // it was down, and its mark is closed
	}
	err := e.sync()
	if err == nil {
		return e.mark.end()
	}
	e.mark.file.Close()
	return explain(e.cfg.Dir, err)
}

// probe writes, syncs and removes a file.
func probe(dir string) error {
	f, err := os.CreateTemp(dir, "probe-*")
	if err != nil {
		return fmt.Errorf("make a file in the ledger's directory: %w", err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if _, err := f.Write(make([]byte, probeBytes)); err != nil {
		return fmt.Errorf("write a file in the ledger's directory: %w", err)
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("sync a file in the ledger's directory: %w", err)
	}
	return nil
}

// explain ends an operator's error with what to change.
func explain(dir string, err error) error {
	advice := "look at the disk that holds it"
	switch {
	case errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT):
		advice = "the disk is full: free some space, or put the data directory (--data) on a larger disk"
	case errors.Is(err, fs.ErrPermission):
		advice = "this user may not write there: change the owner, or choose another data directory (--data)"
	case errors.Is(err, syscall.EROFS):
		advice = "the disk is mounted read-only: remount it, or choose another data directory (--data)"
	case errors.Is(err, syscall.ENOTDIR):
		advice = "a part of that path is a file: choose another data directory (--data)"
	case errors.Is(err, errDamaged):
		advice = "nothing was changed; restore the files, or start once with --log-accept-loss (damaged files are then kept aside in " + filepath.Join(dir, damagedDir) + ")"
	}
	return fmt.Errorf("ledger in %s: %w; %s", dir, err, advice)
}

// serverLog passes the server's warnings and errors on, and notices the ones
// after which it stores nothing: JetStream answers a publish that it could not
// write with silence.
type serverLog struct {
	out    *slog.Logger
	broken chan error
	mu     sync.Mutex
	last   string
}

func (s *serverLog) Noticef(string, ...any) {}
func (s *serverLog) Debugf(string, ...any)  {}
func (s *serverLog) Tracef(string, ...any)  {}

func (s *serverLog) Warnf(format string, args ...any) {
	s.out.Warn("ledger's server: " + s.note(format, args))
}

func (s *serverLog) Errorf(format string, args ...any) { s.failed(s.note(format, args)) }
func (s *serverLog) Fatalf(format string, args ...any) { s.failed(s.note(format, args)) }

func (s *serverLog) note(format string, args []any) string {
	text := fmt.Sprintf(format, args...)
	s.mu.Lock()
	s.last = text
	s.mu.Unlock()
	s.disabled(text)
	return text
}

func (s *serverLog) failed(text string) {
	s.out.Error("ledger's server: " + text)
	if strings.Contains(text, "Critical write error") || strings.Contains(text, "failed to store a msg") {
		s.tell(text)
	}
}

func (s *serverLog) disabled(text string) {
	if strings.Contains(strings.ToLower(text), "disabl") && strings.Contains(text, "JetStream") {
		s.tell(text)
	}
}

func (s *serverLog) tell(text string) {
	select {
	case s.broken <- errors.New(text):
	default: // it knows already
	}
}

// why returns the server's last complaint.
func (s *serverLog) why() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last == "" {
		return errors.New("it did not become ready")
	}
	return errors.New(s.last)
}
