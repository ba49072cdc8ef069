package pipeline

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"waypost/eventlog"
)

const alarm = "it has lost events"

// older closes everything, puts the ledger's files as they were at mark (a
// folder made by copied) in place, and opens again.
func (w *world) older(mark string) {
	w.Helper()
	w.close()
	path := filepath.Join(w.dir, "ledger")
	w.ok(os.RemoveAll(path))
	if mark != "" {
		w.ok(os.CopyFS(path, os.DirFS(mark)))
	}
	w.open()
}

// copied copies the ledger's files as they are now.
func (w *world) copied() (mark string) {
	w.Helper()
	w.close()
	mark = filepath.Join(w.TempDir(), "copy")
	w.ok(os.CopyFS(mark, os.DirFS(filepath.Join(w.dir, "ledger"))))
	w.open()
	return mark
}

func (w *world) alarmed() {
	w.Helper()
	if n := w.log.count(alarm); n != 1 {
		w.Errorf("the loss was told %d times", n)
	}
}

// TestLedgerIsAnOlderCopy: what was counted stays counted, new events are, and
// the counts are provable again.
func TestLedgerIsAnOlderCopy(t *testing.T) {
	t.Parallel()
	for name, crash := range map[string]func(*Config){
		"at once": planned("none"), "trim fails": planned("trim", failedNotKept), "trim is kept": planned("trim", failedButKept),
		"reset fails": planned("reset", failedNotKept), "reset is kept": planned("reset", failedButKept),
		"step fails": planned("step", failedNotKept), "step is kept": planned("step", failedButKept),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.click(60)
			w.ok(w.counter(func(cfg *Config) { cfg.MaxBytes = 6_000 }).CatchUp(t.Context()))
			w.ok(w.counter(func(cfg *Config) { cfg.MaxBytes = 6_000 }).Trim(t.Context()))
			mark := w.copied()
			w.click(40)
			w.ok(w.counter().CatchUp(t.Context()))
			w.older(mark)
			_, err := w.tryCounter(crash)
			if (err == nil) != (name == "at once") {
				t.Fatalf("%s: %v", name, err)
			}
			w.alarmed()
			c := w.counter()
			w.ok(c.CatchUp(t.Context()))
			w.exact(w.clicks)
			w.click(30)
			w.ok(c.CatchUp(t.Context()))
			w.exact(w.clicks)
			w.proven(c)
			if r, err := c.Verify(t.Context(), true); err != nil || r.Repaired {
				t.Fatalf("a repair of nothing: %+v, %v", r, err)
			}
			w.reopen()
			w.proven(w.counter())
			w.exact(w.clicks)
		})
	}
}

// TestLedgerIsGone: an empty one goes on with the numbers after the place.
func TestLedgerIsGone(t *testing.T) {
	t.Parallel()
	for _, bytes := range []int64{0, 6_000, 1} {
		w := newWorld(t)
		w.click(60)
		c := w.counter(func(cfg *Config) { cfg.MaxBytes = bytes })
		w.ok(c.CatchUp(t.Context()))
		w.ok(c.Trim(t.Context()))
		place, trimmed := w.places()
		w.older("")
		w.counter()
		w.alarmed()
		w.reopen() // before anything is appended
		c = w.counter(func(cfg *Config) { cfg.MaxBytes = bytes })
		w.alarmed()
		if s := w.state(); s.Last != place || s.Batches != 0 {
			t.Fatalf("the empty ledger is at %+v, want %d", s, place)
		}
		w.click(30)
		w.ok(c.CatchUp(t.Context()))
		w.exact(w.clicks)
		w.reopen()
		c = w.counter()
		w.ok(c.CatchUp(t.Context()))
		w.exact(w.clicks)
		r, err := c.Verify(t.Context(), false)
		w.ok(err)
		if missing := len(r.Missing) == 1 && r.Missing[0] == (Gap{trimmed + 1, place}); missing != (trimmed < place) || (len(r.Differences) > 0) != missing {
			t.Errorf("report %+v, want batches %d to %d missing", r, trimmed+1, place)
		}
		_, err = c.Verify(t.Context(), true)
		w.ok(err)
		w.exact(w.clicks)
		w.proven(c)
	}
}

// TestVeryOldCopy ends within what is trimmed: nobody can tell what of it is
// counted, so a person decides.
func TestVeryOldCopy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.click(10)
	mark := w.copied()
	w.click(50)
	c := w.counter(func(cfg *Config) { cfg.MaxBytes = 1_000 })
	w.ok(c.CatchUp(t.Context()))
	w.ok(c.Trim(t.Context()))
	w.older(mark)
	_, err := w.tryCounter()
	w.speaks(err, "ledger ends with batch", "very old copy", "move its folder away")
	w.exact(w.clicks)
	w.older("") // as told
	c = w.counter()
	w.click(10)
	w.ok(c.CatchUp(t.Context()))
	w.exact(w.clicks)
}

// outside is a world whose ledger lives on a server of its own, which a test
// can also reach past the ledger.
func outside(t *testing.T) (w *world, js jetstream.JetStream) {
	w = newWorld(t)
	srv, err := natsserver.NewServer(&natsserver.Options{Host: "127.0.0.1", Port: natsserver.RANDOM_PORT,
		NoSigs: true, NoLog: true, JetStream: true, StoreDir: t.TempDir()})
	w.ok(err)
	srv.Start()
	t.Cleanup(func() {
		srv.Shutdown()
		srv.WaitForShutdown()
	})
	if !srv.ReadyForConnections(2 * time.Minute) {
		t.Fatal("the server does not start")
	}
	w.ok(w.ledger.Close())
	w.ledger, err = eventlog.Open(t.Context(), eventlog.Config{URL: srv.ClientURL(), MaxWait: 5 * time.Second})
	w.ok(err)
	t.Cleanup(func() { w.ok(w.ledger.Close()) }) // closing again does nothing
	nc, err := nats.Connect(srv.ClientURL())
	w.ok(err)
	t.Cleanup(nc.Close)
	js, err = jetstream.New(nc)
	w.ok(err)
	return w, js
}

const stream = "WAYPOST_EVENTS"

// TestLedgerEndsEarlyWhileRunning: somebody makes the stream anew. Counting
// stands still with a word, and a new start counts on.
func TestLedgerEndsEarlyWhileRunning(t *testing.T) {
	t.Parallel()
	w, js := outside(t)
	w.click(30)
	c := w.counter()
	stop := running(t, c)
	until(t, c, func(p Progress) bool { return p.Reached == w.state().Last })
	s, err := js.Stream(t.Context(), stream)
	w.ok(err)
	cfg := s.CachedInfo().Config
	w.ok(js.DeleteStream(t.Context(), stream))
	_, err = js.CreateStream(t.Context(), cfg)
	w.ok(err)
	w.logged("counting stands still")
	w.logged(alarm)
	_, err = c.Verify(t.Context(), false)
	w.speaks(err, "ledger ends with 0", "restart waypost")
	stop()
	c = w.counter()
	w.click(20)
	w.ok(c.CatchUp(t.Context()))
	w.exact(w.clicks)
}

// TestGapInTheMiddle: batches are missing among others, some counted and some
// not. What precedes the gap is counted before counting stands still.
func TestGapInTheMiddle(t *testing.T) {
	t.Parallel()
	w, js := outside(t)
	s, err := js.Stream(t.Context(), stream)
	w.ok(err)
	lose := func(clicks int) (seq uint64) {
		w.click(clicks)
		w.append(w.clickSomehow()) // a batch of one
		seq = w.state().Last
		w.ok(s.DeleteMsg(t.Context(), seq))
		return seq
	}
	w.click(20)
	w.append(w.clickSomehow())
	counted := w.state().Last
	w.click(20)
	c := w.counter()
	w.ok(c.CatchUp(t.Context()))
	w.ok(s.DeleteMsg(t.Context(), counted))
	all := len(w.clicks)
	first := lose(10)
	before := w.clicks[:len(w.clicks)-1]
	second := lose(10)
	lost := map[int]bool{len(before): true, len(w.clicks) - 1: true}
	w.click(10)
	if all == len(before) {
		t.Fatal("nothing precedes the gap")
	}

	w.speaks(c.CatchUp(t.Context()), "never counted", "waypost verify --repair")
	w.exact(before)
	r, err := c.Verify(t.Context(), true)
	w.ok(err)
	gaps := []Gap{{counted, counted}, {first, first}, {second, second}}
	for _, gap := range gaps {
		found := false
		for _, m := range r.Missing {
			found = found || m == gap
		}
		if !found {
			t.Errorf("missing %v, want %v", r.Missing, gap)
		}
	}
	present := w.clicks[:0:0]
	for i, click := range w.clicks {
		if !lost[i] {
			present = append(present, click)
		}
	}
	w.exact(present)
	if r := w.proven(c); len(r.Missing) > 0 {
		t.Errorf("accepted, and still missing: %v", r.Missing)
	}
}

// TestUnreadableBatch: a record that the server cannot give, with others behind
// it, is passed by nothing.
func TestUnreadableBatch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.click(30)
	c := w.counter()
	gap := &eventlog.GapError{From: 3, To: w.state().Last}
	w.speaks(c.explainRead(t.Context(), gap), "batch 3", "cannot be read", "--log-accept-loss")
	w.speaks(c.explainRead(t.Context(), &eventlog.GapError{From: 1, To: 2}), "1 to 2", "never counted")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := unreadable(ctx, c.cfg.Ledger, gap); err == nil {
		t.Error("passed without knowing")
	}
}
