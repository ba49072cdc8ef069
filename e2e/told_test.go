package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"waypost/attribution/history"
	"waypost/store/sqlitestore"
)

// hookSecret signs what the account is told.
const hookSecret = "a-secret-of-the-hook"

// acme is the account of acme.yaml.
const acme = 5899

// heard is one postback as its receiver has it.
type heard struct {
	method, url, body string
	path              string
	query             url.Values
	key, signature    string
	message           hooked // of a body
}

// hooked is what the tests read of a webhook's body.
type hooked struct {
	ID, Kind, Verdict, Partner, Campaign, Amount, Currency, Platform string

	Conversion string   `json:"conversion_id"`
	Match      string   `json:"match_type"`
	Rejection  string   `json:"rejection_reason"`
	Install    string   `json:"installation_id"`
	Event      string   `json:"event_name"`
	Click      string   `json:"click_id"`
	Touch      string   `json:"touch_kind"`
	Network    string   `json:"network_name"`
	Link       int64    `json:"link_id"`
	Tracker    int64    `json:"tracker_id"`
	Again      bool     `json:"is_reengagement"`
	Flags      []string `json:"flags"`
}

// receiver is somebody's server that is told things.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	all    []heard
	answer func(h *heard, w http.ResponseWriter) // nil: 200; called one at a time
}

func newReceiver(t testing.TB) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

// ServeHTTP keeps what it is told.
func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return // the sender was killed: it will say so again
	}
	h := heard{
		method: req.Method, url: "http://" + req.Host + req.RequestURI, body: string(body), path: req.URL.Path, query: req.URL.Query(),
		key: req.Header.Get("Idempotency-Key"), signature: req.Header.Get("Waypost-Signature"),
	}
	if len(body) > 0 && json.Unmarshal(body, &h.message) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, h)
	if r.answer != nil {
		r.answer(&h, w)
	}
}

// heard returns what fits, in the order in which it came.
func (r *receiver) heard(fits func(*heard) bool) []heard {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []heard
	for i := range r.all {
		if fits(&r.all[i]) {
			found = append(found, r.all[i])
		}
	}
	return found
}

// shop is acme with the apps and servers that tell of it, and with those that
// it tells: a partner, who hears what he earned, and the account itself.
type shop struct {
	*testing.T
	p             *process
	data          string
	partner, hook *receiver
	client        *http.Client
}

// newShop starts the program on acme.yaml, its postback led to a free port,
// with a webhook for everything, and with more postbacks. Visitors come from
// the address that they say.
func newShop(t *testing.T, more ...string) *shop {
	t.Helper()
	s := &shop{T: t, data: filepath.Join(t.TempDir(), "data"), partner: newReceiver(t), hook: newReceiver(t), client: noRedirects()}
	t.Cleanup(s.client.CloseIdleConnections)
	s.p = s.start("--apply", s.file(more))
	return s
}

func (s *shop) start(args ...string) *process {
	s.Helper()
	return start(s.T, s.data, append([]string{"--trusted-proxies", "127.0.0.0/8"}, args...)...)
}

// file is acme.yaml with its postback led to the partner, who is told of
// purchases, too, with a webhook for everything, and with more postbacks.
func (s *shop) file(more []string) string {
	s.Helper()
	const fixed, last = "http://127.0.0.1:9099", "&gaid={gaid}\"}\n"
	text, err := os.ReadFile("../examples/acme.yaml")
	if err != nil {
		s.Fatal(err)
	}
	yaml := strings.Replace(string(text), fixed, s.partner.URL, 1)
	head, tail, found := strings.Cut(yaml, last)
	if !found || yaml == string(text) {
		s.Fatalf("acme.yaml has no postback to %s that ends with %s", fixed, last)
	}
	behind := last
	own := []string{
		fmt.Sprintf(`{key: wide-event, partner: wide, on: ["event:purchase"], method: GET, url: "%s/event?click={click_id}&amount={amount}&currency={currency}"}`, s.partner.URL),
		fmt.Sprintf(`{key: hook, on: [install, reinstall, reattribution, reengagement, event, rejected_install, rejected_event, click], method: POST, url: "%s/hook", secret: %s}`, s.hook.URL, hookSecret),
	}
	for _, postback := range append(own, more...) {
		behind += "      - " + postback + "\n"
	}
	file := filepath.Join(s.TempDir(), "acme.yaml")
	if err := os.WriteFile(file, []byte(head+behind+tail), 0o600); err != nil {
		s.Fatal(err)
	}
	return file
}

// visit clicks on a link of acme.localhost from an address and returns where
// the visitor is sent.
func (s *shop) visit(path, agent, from string) *url.URL {
	s.Helper()
	resp, body, err := s.p.click(s.client, http.MethodGet, "acme.localhost", path, agent, "X-Forwarded-For", from)
	if err != nil {
		s.Fatal(err)
	}
	to, err := url.Parse(resp.Header.Get("Location"))
	if err != nil || resp.StatusCode != http.StatusFound {
		s.Fatalf("%s: %d to %s (%v) %.300s", path, resp.StatusCode, to, err, body)
	}
	return to
}

// fromPlay clicks on a link as a phone that is sent to the store, and returns
// the referrer that the store hands to the app.
func (s *shop) fromPlay(path, from string) string {
	s.Helper()
	to := s.visit(path, pixel, from)
	referrer := to.Query().Get("referrer")
	if to.Host != "play.google.com" || referrer == "" {
		s.Fatalf("%s leads to %s, not to the store with a referrer", path, to)
	}
	return referrer
}

// fields is the JSON of what an app tells.
type fields map[string]any

// opened is what an app is told after an open.
type opened struct {
	Install     string   `json:"install_uuid"`
	Flags       []string `json:"flags"`
	AskIn       int      `json:"ask_in_ms"`
	Attribution struct {
		Status, Method, Campaign, Touch string

		Source  string `json:"media_source"`
		Partner int64  `json:"partner_id"`
		Link    int64  `json:"link_id"`
		Click   string `json:"click_id"`
	}
	Reengagement struct {
		Method, Campaign string
		Now              bool
		Params           map[string]string
	}
	DeepLink struct {
		Found bool
		Value string
		Match string `json:"match_type"`
	} `json:"deep_link"`
}

// said are the fields of an Android phone's call; more comes over them.
func said(install, from string, more fields) fields {
	all := fields{
		"app_key": "acme-sdk-key", "app": fields{"bundle": "com.acme.app", "platform": "android"}, "install_uuid": install, "ip": from,
		"device": fields{"os": "android", "os_version": "14", "model": "Pixel 8"},
	}
	for name, value := range more {
		all[name] = value
	}
	return all
}

// first are the fields of the first start of an Android app.
func first(install, from string, more fields) fields {
	all := said(install, from, fields{"is_first_launch": true, "session_id": "first-" + install})
	for name, value := range more {
		all[name] = value
	}
	return all
}

// open tells of a start of the app and returns what was decided. It asks again
// as long as it is told to.
func (s *shop) open(f fields) (told opened) {
	s.Helper()
	eventually(s.T, "an open to be decided", func() bool {
		told = opened{}
		s.tell("/sdk/v1/open", f, &told)
		return told.Attribution.Status != "pending"
	})
	return told
}

// tell makes a call of the SDK's that must succeed.
func (s *shop) tell(path string, f fields, into any) {
	s.Helper()
	body, err := json.Marshal(f)
	if err != nil {
		s.Fatal(err)
	}
	s.p.key("", "").must(s.T, http.MethodPost, path, string(body), into)
}

// event tells of one in-app event.
func (s *shop) event(install, id, name string, more fields) {
	s.Helper()
	e := fields{"event_id": id, "name": name}
	for field, value := range more {
		e[field] = value
	}
	var answer struct{ Accepted int }
	s.tell("/sdk/v1/events", said(install, "", fields{"events": []fields{e}}), &answer)
	if answer.Accepted != 1 {
		s.Errorf("the event %s of %s is not accepted", id, install)
	}
}

// hooked waits until the account has been told of one thing of an installation,
// and returns it. name is an event's, else empty.
func (s *shop) hooked(install, kind, name string) hooked {
	s.Helper()
	var found []heard
	eventually(s.T, fmt.Sprintf("the webhook about the %s %s of %s", kind, name, install), func() bool {
		found = s.hook.heard(func(h *heard) bool {
			m := &h.message
			return m.Install == install && m.Kind == kind && m.Event == name
		})
		return len(found) > 0
	})
	return found[0].message
}

// paid waits until the partner has been told something at a path with a click.
func (s *shop) paid(path, click string) heard {
	s.Helper()
	var found []heard
	eventually(s.T, fmt.Sprintf("the partner to hear of %s at %s", click, path), func() bool {
		found = s.partner.heard(func(h *heard) bool { return h.path == path && h.query.Get("click") == click })
		return len(found) > 0
	})
	return found[0]
}

// counted waits until a count that is grouped by what is asked is as wanted.
func (s *shop) counted(query string, want map[string]int) {
	s.Helper()
	var got map[string]int
	ok := func() bool {
		got = map[string]int{}
		for _, r := range s.p.rows(s.T, query) {
			name := r.Metric
			if r.Link != 0 {
				name += fmt.Sprintf(" %d/%d", r.Link, r.Tracker)
			}
			got[name] += r.Count
		}
		for name, n := range want {
			if got[name] != n {
				return false
			}
		}
		return true
	}
	deadline := time.Now().Add(patience / 3)
	for !ok() {
		if time.Now().After(deadline) {
			s.Fatalf("counts by %s are %v, want %v", query, got, want)
		}
		s.settled()
	}
}

// settled waits until everything in the ledger is decided and counted.
func (s *shop) settled() {
	s.Helper()
	eventually(s.T, "everything to be decided and counted", func() bool {
		_, metrics := s.p.call(s.T, http.MethodGet, "/metrics", "", "")
		return strings.Contains(metrics, "waypost_attribution_lag_batches 0\n") && strings.Contains(metrics, "waypost_counting_lag_batches 0\n")
	})
}

// told is what the API shows of a delivery.
type told struct {
	Postback, Status string
	Attempts         int
}

// deliveries are those of the account that have a status, or all.
func (s *shop) deliveries(status string) []told {
	s.Helper()
	var answer struct{ Deliveries []told }
	query := "?limit=1000"
	if status != "" {
		query += "&status=" + status
	}
	s.p.key("Authorization", "acme-admin-token").must(s.T, http.MethodGet, "/waypost/v1/deliveries"+query, "", &answer)
	return answer.Deliveries
}

// close ends the program, as an operator does, and returns what it kept.
func (s *shop) close() *kept {
	s.Helper()
	s.settled()
	if err := s.p.stop(); err != nil {
		s.Fatalf("stop: %v\n%s", err, s.p.log)
	}
	return s.read()
}

// kept is what stands in the store of a program that has ended.
type kept struct {
	decided    []history.Decided
	deliveries []history.Delivery
}

func (s *shop) read() *kept {
	s.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	store, err := sqlitestore.Open(ctx, sqlitestore.Config{Path: filepath.Join(s.data, "waypost.db")})
	if err != nil {
		s.Fatal(err)
	}
	defer store.Close()
	k := &kept{}
	if err := store.EachDecided(ctx, func(d history.Decided) error {
		k.decided = append(k.decided, d)
		return nil
	}); err != nil {
		s.Fatal(err)
	}
	if k.deliveries, err = store.ListDeliveries(ctx, acme, history.DeliveryFilter{Limit: 1_000_000}); err != nil {
		s.Fatal(err)
	}
	return k
}

// told counts the deliveries of a postback by kind.
func (k *kept) told(postback string) map[string]int {
	n := map[string]int{}
	for i := range k.deliveries {
		if d := &k.deliveries[i]; string(d.Postback) == postback {
			n[d.Kind]++
		}
	}
	return n
}

// of returns the decisions on an installation as "kind event verdict outcome
// method", in the order of these words.
func (k *kept) of(install string) []string {
	var all []string
	for i := range k.decided {
		d := &k.decided[i]
		if d.Install != install {
			continue
		}
		text := fmt.Sprintf("%s %s %s %s", d.Kind, d.Event, d.Decision.Verdict, d.Decision.Outcome)
		if d.Decision.Winner != nil {
			text += " " + string(d.Decision.Winner.Method)
		}
		all = append(all, strings.Join(strings.Fields(text), " "))
	}
	slices.Sort(all)
	return all
}
