package e2e_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"waypost/attribution"
	"waypost/attribution/history"
)

const (
	toldRounds      = 5
	toldConnections = 12
)

// fleet are devices whose reports are answered, or not, by a program that dies.
type fleet struct {
	*shop
	mu       sync.Mutex
	next     int
	answered map[string]report // by what is told
	open     []report          // that nobody has answered: they are sent again, as apps do
	stalled  bool              // clicks went unlogged for a while
}

// report is one install, or event, of an installation.
type report struct {
	install, event string // event is empty for the install
	body           string
}

func (r *report) path() string {
	if r.event == "" {
		return "/sdk/v1/open"
	}
	return "/sdk/v1/events"
}

// send reports, and notes whether that was acknowledged.
func (f *fleet) send(client *http.Client, r report) bool {
	status, body, err := f.p.report(client, &reported{http.MethodPost, r.path(), r.body, nil})
	later := err == nil && status == http.StatusServiceUnavailable // as an app takes it
	if err == nil && status != http.StatusOK && !later {
		f.Errorf("%s %s is answered %d %s", r.install, r.event, status, body)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil || later {
		f.open = append(f.open, r)
		return later
	}
	f.answered[r.install+"/"+r.event] = r
	return true
}

// device clicks, installs, and tells of two events, until the program dies.
func (f *fleet) device(client *http.Client) bool {
	f.mu.Lock()
	f.next++
	n := f.next
	f.mu.Unlock()
	install, from := fmt.Sprint("kill-", n), fmt.Sprintf("198.51.%d.%d", 100+n/200, 1+n%200)
	resp, _, err := f.p.click(client, http.MethodGet, "acme.localhost", "/A1b3/kill?clickid="+install, pixel, "X-Forwarded-For", from)
	if err != nil {
		return false // the visitor never came to the store
	}
	to, err := url.Parse(resp.Header.Get("Location"))
	if err != nil || to.Query().Get("referrer") == "" {
		f.Errorf("the click leads to %s, %v", to, err)
		return false
	}
	reports := []fields{first(install, from, fields{"referrer": fields{"raw": to.Query().Get("referrer")}})}
	for _, name := range []string{"purchase", "search"} {
		reports = append(reports, said(install, from, fields{"events": []fields{{"event_id": name, "name": name}}}))
	}
	alive := true
	for i, told := range reports {
		body, err := json.Marshal(told)
		if err != nil {
			f.Error(err)
			return false
		}
		r := report{install: install, body: string(body), event: []string{"", "purchase", "search"}[i]}
		if !alive { // an app keeps what it could not send
			f.mu.Lock()
			f.open = append(f.open, r)
			f.mu.Unlock()
			continue
		}
		alive = f.send(client, r)
	}
	return alive
}

// untilKilled lets devices report, and kills the program at a random moment.
func (f *fleet) untilKilled() {
	f.Helper()
	f.mu.Lock()
	again := f.open
	f.open = nil
	f.mu.Unlock()
	var all sync.WaitGroup
	begun := make(chan struct{})
	var once sync.Once
	for i := range toldConnections {
		all.Go(func() {
			client := noRedirects()
			defer client.CloseIdleConnections()
			for j := i; j < len(again); j += toldConnections {
				f.send(client, again[j])
			}
			for f.device(client) {
				once.Do(func() { close(begun) }) // with that of one device each round proves something
			}
		})
	}
	select {
	case <-begun:
	case <-time.After(patience):
		f.Fatalf("nothing is answered:\n%s", f.p.log)
	}
	select { // the random moment
	case <-time.After(time.Duration(20+rand.IntN(400)) * time.Millisecond):
	case <-f.p.exited:
		f.Errorf("the server ended by itself:\n%s", f.p.log)
	}
	f.p.kill()
	all.Wait()
	f.stalled = f.stalled || f.p.ledgerWasDown()
}

// TestNoAcknowledgedReportIsLost kills the program while devices click, install
// and buy. In the end each acknowledged report is decided once, and everybody
// is told of it under one key.
func TestNoAcknowledgedReportIsLost(t *testing.T) {
	t.Parallel()
	f := &fleet{shop: newShop(t), answered: map[string]report{}}
	f.p.create(t, "kill", `{"pid":"wide","c":"kill"}`)
	for range toldRounds {
		f.untilKilled()
		f.p = f.start()
	}
	eventually(t, "what is left to be taken", func() bool {
		left := f.open
		f.open = nil
		for _, r := range left {
			f.send(f.client, r)
		}
		return len(f.open) == 0
	})
	repeated := 0
	for _, r := range maps.Clone(f.answered) { // and some that were answered long ago
		if repeated++; repeated <= 50 {
			f.send(f.client, r)
		}
	}
	f.settled()
	want := len(f.answered)
	eventually(t, "everybody to be told", func() bool {
		return len(f.hook.heard(func(h *heard) bool { return h.message.Kind != "click" })) >= want && len(f.deliveries("waiting")) == 0
	})
	if f.stalled || f.p.ledgerWasDown() {
		t.Skip("the disk stalled for longer than redirects wait: who clicked meanwhile is known to nobody")
	}
	k := f.close()
	f.decidedOnce(k)
	f.toldOnce(k)
	if out, stderr, code := run(t, "verify", "--decisions", "--data", f.data); code != 0 || !strings.Contains(out, "every decision is what the ledger comes to") {
		t.Errorf("verify ends with %d: %s%s", code, out, stderr)
	}
	t.Logf("%d devices, %d reports acknowledged, %d deliveries", f.next, want, len(k.deliveries))
}

// decidedOnce holds the decisions against what was acknowledged.
func (f *fleet) decidedOnce(k *kept) {
	f.Helper()
	decided := map[string]int{}
	for i := range k.decided {
		d := &k.decided[i]
		decided[d.Install+"/"+d.Event]++
		method := attribution.ByReferrer
		if d.Kind == attribution.InApp {
			method = attribution.Inherited
		}
		if w := d.Decision.Winner; w == nil || w.Method != method || w.Source.Partner != 1201 {
			f.Errorf("%s %s of %s is %s: %+v", d.Kind, d.Event, d.Install, d.Decision.Verdict, w)
		}
	}
	for name := range f.answered {
		if decided[name] != 1 {
			f.Errorf("%s was acknowledged and is decided %d times", name, decided[name])
		}
	}
	if len(decided) != len(f.answered) || len(decided) < toldRounds*3 {
		f.Errorf("%d are decided, %d were acknowledged", len(decided), len(f.answered))
	}
}

// toldOnce holds what the receivers have heard against the outbox, and both
// against what was acknowledged.
func (f *fleet) toldOnce(k *kept) {
	f.Helper()
	rows, kinds := map[string]int{}, map[string]int{}
	for i := range k.deliveries {
		d := &k.deliveries[i]
		rows[d.Key]++
		kinds[string(d.Postback)+" "+d.Kind]++
		if d.Status != history.Delivered {
			f.Errorf("the %s to %s is %s after %d attempts: %d %s", d.Kind, d.Postback, d.Status, d.Attempts, d.Code, d.Answer)
		}
	}
	events := 0
	for name := range f.answered {
		if !strings.HasSuffix(name, "/") {
			events++
		}
	}
	installs := len(f.answered) - events
	for what, n := range map[string]int{"hook install": installs, "hook event": events, "wide-install install": installs, "wide-event event": installs} {
		if kinds[what] != n {
			f.Errorf("the outbox has %d of %s, want %d: %v", kinds[what], what, n, kinds)
		}
	}
	keys := map[string][]string{} // of what was heard
	for _, h := range slices.Concat(f.hook.heard(everything), f.partner.heard(everything)) {
		what := h.path + " " + h.message.Kind + " " + h.message.Conversion + " " + h.message.Click + h.query.Get("click")
		if rows[h.key] != 1 {
			f.Errorf("%s is heard under a key that stands %d times in the outbox", what, rows[h.key])
		}
		if !slices.Contains(keys[what], h.key) {
			keys[what] = append(keys[what], h.key)
		}
	}
	for what, under := range keys {
		if len(under) != 1 {
			f.Errorf("%s is heard under the keys %q", what, under)
		}
	}
	if len(keys) != len(rows) {
		f.Errorf("%d things are heard, the outbox has %d", len(keys), len(rows))
	}
}
