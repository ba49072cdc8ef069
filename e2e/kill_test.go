package e2e_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"waypost/event"
	"waypost/eventlog"
	"waypost/internal/uid"
)

const (
	killConnections = 64
	killLinks       = 40
)

// killRounds is 20 unless the environment asks for another number.
func killRounds(t *testing.T) int {
	text := os.Getenv("WAYPOST_KILL_ROUNDS")
	if text == "" {
		return 20
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("WAYPOST_KILL_ROUNDS=%q is not a number of rounds", text)
	}
	return n
}

// answered gathers the ids of the clicks whose redirect reached the client.
type answered struct {
	mu  sync.Mutex
	ids map[uid.Click]string // to what was clicked
}

// rounds runs so many rounds. One in which the program said that clicks went
// unlogged proves nothing, and is another time's.
func (a *answered) rounds(t *testing.T, n int, round func() (killed *process)) {
	t.Helper()
	for stalled := 0; n > 0; {
		before := maps.Clone(a.ids)
		if !round().ledgerWasDown() {
			n--
			continue
		}
		a.ids = before
		if stalled++; stalled > 10 {
			t.Fatal("the ledger goes down again and again")
		}
	}
}

// clickable is something to click for a kill test.
type clickable struct {
	name       string // as the ledger's clicks are called
	host, path string
	agent      string
	id         func(*http.Response) (uid.Click, error)
}

// TestNoAnsweredClickIsLost clicks from many connections, kills the server in
// the middle, starts it again, and in the end finds every answered redirect in
// the ledger and in the counts, once.
func TestNoAnsweredClickIsLost(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	got := &answered{ids: map[uid.Click]string{}}
	p := start(t, data, "--apply", "../examples/acme.yaml")
	for i := range killLinks {
		p.create(t, fmt.Sprintf("kill%d", i), `{"pid":"test","c":"kill"}`)
	}
	got.rounds(t, killRounds(t), func() *process {
		clickUntilKilled(t, p, got, killConnections, func() clickable {
			code := fmt.Sprintf("kill%d", rand.IntN(killLinks))
			return clickable{code, "acme.localhost", "/A1b3/" + code, pixel, clickID}
		})
		killed := p
		p = start(t, data)
		return killed
	})
	want := len(got.ids)
	if want < killRounds(t)*killConnections {
		t.Fatalf("only %d clicks were answered: the test tested nothing", want)
	}
	eventually(t, "counting of what was answered", func() bool {
		return p.sum(t, "group_by=metric&template=A1b3") >= int64(want)
	})
	p.counted(t) // what nobody was answered, too
	counted := p.sum(t, "group_by=metric&template=A1b3")
	if err := p.stop(); err != nil {
		t.Fatalf("stop: %v\n%s", err, p.log)
	}
	stored := 0
	for _, n := range checkLedger(t, data, got, func(c *event.Click) string { return c.Code }) {
		stored += n
	}
	if counted != int64(stored) {
		t.Errorf("counted %d clicks, the ledger has %d", counted, stored)
	}
	out, stderr, code := run(t, "verify", "--data", data, "--json")
	if code != 0 {
		t.Errorf("verify ends with %d: %s%s", code, out, stderr)
	}
	var report struct{ Events int }
	if err := json.Unmarshal([]byte(out), &report); err != nil || report.Events != stored {
		t.Errorf("verify recounted %d events (%v), the ledger has %d", report.Events, err, stored)
	}
	t.Logf("%d answered, %d in the ledger, %d counted", want, stored, counted)
}

// clickUntilKilled clicks from all connections and kills the server at a
// random moment.
func clickUntilKilled(t *testing.T, p *process, got *answered, connections int, pick func() clickable) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var clickers sync.WaitGroup
	var answers atomic.Int64
	enough := make(chan struct{})
	for range connections {
		clickers.Go(func() {
			client := noRedirects()
			defer client.CloseIdleConnections()
			for ctx.Err() == nil {
				target := pick()
				resp, _, err := p.click(client, http.MethodGet, target.host, target.path, target.agent)
				if err != nil {
					return // the server is dead
				}
				id, err := target.id(resp)
				if err != nil {
					t.Errorf("click on %s: %v", target.name, err)
					return
				}
				got.mu.Lock()
				got.ids[id] = target.name
				got.mu.Unlock()
				if answers.Add(1) == int64(connections) {
					close(enough)
				}
			}
		})
	}
	select {
	case <-enough:
	case <-time.After(patience):
		t.Fatalf("%d clicks are answered:\n%s", answers.Load(), p.log)
	}
	select { // the random moment
	case <-time.After(time.Duration(20+rand.IntN(400)) * time.Millisecond):
	case <-p.exited:
		t.Errorf("the server ended by itself:\n%s", p.log)
	}
	p.kill()
	cancel()
	clickers.Wait()
}

// counted waits until everything in the ledger is counted.
func (p *process) counted(t *testing.T) {
	t.Helper()
	eventually(t, "the counting to end", func() bool {
		_, metrics := p.call(t, http.MethodGet, "/metrics", "", "")
		return strings.Contains(metrics, "waypost_counting_lag_batches 0\n")
	})
}

// clickID reads the click's id out of the Play referrer.
func clickID(resp *http.Response) (uid.Click, error) {
	if resp.StatusCode != http.StatusFound {
		return 0, fmt.Errorf("status %d", resp.StatusCode)
	}
	target, err := url.Parse(resp.Header.Get("Location"))
	if err != nil {
		return 0, err
	}
	referrer, err := url.ParseQuery(target.Query().Get("referrer"))
	if err != nil {
		return 0, err
	}
	digits, err := base64.StdEncoding.DecodeString(referrer.Get("af_tranid"))
	if err != nil {
		return 0, fmt.Errorf("af_tranid in %s: %w", target, err)
	}
	id, err := strconv.ParseUint(string(digits), 10, 64)
	return uid.Click(id), err
}

// checkLedger reads the ledger's own files and returns how many clicks it has
// of each name.
func checkLedger(t *testing.T, data string, got *answered, name func(*event.Click) string) map[string]int {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ledger, err := eventlog.Open(ctx, eventlog.Config{Dir: filepath.Join(data, "ledger")})
	if err != nil {
		t.Fatal(err)
	}
	defer ledger.Close()
	reader, err := ledger.Read(ctx, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	seen := map[uid.Click]string{}
	stored := map[string]int{}
	for {
		b, ok, err := reader.TryNext(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			break
		}
		for line := range b.Lines() {
			c, err := event.DecodeClick(line)
			if err != nil {
				t.Fatalf("%v: %s", err, line)
			}
			if _, twice := seen[c.ID]; twice {
				t.Errorf("click %s is in the ledger twice", c.ID)
			}
			seen[c.ID] = name(&c)
			stored[seen[c.ID]]++
		}
	}
	lost := 0
	for id, clicked := range got.ids {
		if seen[id] != clicked {
			if lost++; lost <= 5 {
				t.Errorf("click %s on %s was answered; the ledger has %q for it", id, clicked, strings.TrimSpace(seen[id]))
			}
		}
	}
	if lost > 0 {
		t.Errorf("%d answered clicks are not in the ledger", lost)
	}
	return stored
}
