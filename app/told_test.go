package app

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"waypost/api"
	"waypost/ingest"
	"waypost/internal/device"
	"waypost/link"
)

const pixel = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36"

// do makes a request and returns its status and body.
func do(t *testing.T, method, address, token, body string) (int, string, http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", token)
	req.Header.Set("User-Agent", pixel)
	if strings.Contains(address, "/A1b3") {
		req.Host = "acme.localhost"
	}
	client := &http.Client{Timeout: patience, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(answer), resp.Header
}

// until asks until the answer has the status and holds the text.
func until(t *testing.T, address, token string, status int, text string) string {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		got, body, _ := do(t, http.MethodGet, address, token, "")
		if got == status && strings.Contains(body, text) {
			return body
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s answers %d %s, want %d and %s", address, got, body, status, text)
		}
	}
}

// install clicks as a phone, and tells the first open that comes of it.
func install(t *testing.T, i *instance, id string) {
	t.Helper()
	_, _, head := do(t, http.MethodGet, "http://"+i.links+"/A1b3?pid=wide&c=spring", "", "")
	store, err := url.Parse(head.Get("Location"))
	if err != nil || store.Query().Get("referrer") == "" {
		t.Fatalf("the click leads to %s (%v)", store, err)
	}
	tell(t, i, id, store.Query().Get("referrer"), "")
}

// tell tells a first open; more are further fields.
func tell(t *testing.T, i *instance, id, referrer, more string) {
	t.Helper()
	body := fmt.Sprintf(`{"app_key":"acme-sdk-key","app":{"bundle":"com.acme.app","platform":"android"},"install_uuid":%q,"session_id":"s-1","is_first_launch":true,
		"device":{"os":"android","os_version":"14","model":"Pixel 8"},"referrer":{"raw":%q}%s}`, id, referrer, more)
	if status, answer, _ := do(t, http.MethodPost, "http://"+i.api+"/sdk/v1/open", "", body); status != 200 {
		t.Fatalf("the open is answered with %d %s", status, answer)
	}
}

// TestUnfilledPostbackIsSeen: one that cannot be sent is in the metrics, and not
// to be retried.
func TestUnfilledPostbackIsSeen(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer receiver.Close()
	i := run(t, Config{Apply: hooked(t, receiver.URL+"/{af_sub1}/in")})
	_, _, head := do(t, http.MethodGet, "http://"+i.links+"/A1b3?pid=other&af_sub1=..", "", "")
	store, err := url.Parse(head.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	tell(t, i, "told", store.Query().Get("referrer"), "")
	base := "http://" + i.api
	until(t, base+"/waypost/v1/deliveries?postback=hook", "acme-read-token", 200, `"status":"given_up"`)
	until(t, base+"/metrics", "", 200, "\nwaypost_postbacks_given_up_total 1\n")
	if status, body, _ := do(t, http.MethodPost, base+"/waypost/v1/deliveries/1/retry", "acme-admin-token", ""); status != 409 || asked.Load() != 0 {
		t.Errorf("a retry is answered with %d %s, the receiver was asked %d times", status, body, asked.Load())
	}
	if err := i.stop(); err != nil {
		t.Error(err)
	}
}

// hooked is acme.yaml with a webhook to a server.
func hooked(t *testing.T, to string) []string {
	t.Helper()
	acme, err := os.ReadFile("../examples/acme.yaml")
	if err != nil {
		t.Fatal(err)
	}
	before, after, ok := strings.Cut(string(acme), "\n  - key: rival\n")
	if !ok {
		t.Fatal("acme.yaml has no account rival behind acme's postbacks")
	}
	hook := fmt.Sprintf("      - {key: hook, on: [install], method: POST, url: %q, secret: a-secret-of-the-hook}\n", to)
	file := filepath.Join(t.TempDir(), "hooked.yaml")
	if err := os.WriteFile(file, []byte(before+hook+"\n  - key: rival\n"+after), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{file}
}

// TestInstallsAreExplained asks for matched and unmatched ones: the API, a
// command beside the server, and one on the directory alone.
func TestInstallsAreExplained(t *testing.T) {
	t.Parallel()
	cfg := Config{Data: filepath.Join(t.TempDir(), "data"), Apply: []string{"../examples/acme.yaml"}}
	i := run(t, cfg)
	install(t, i, "earned")
	tell(t, i, "organic", "", "")
	base := "http://" + i.api + "/waypost/v1/installs/com.acme.app/"
	body := until(t, base+"earned", "acme-read-token", 200, `"verdict":"credited"`)
	for _, want := range []string{`"method":"referrer"`, `"source":"wide"`, `"campaign":"spring"`, `"template":"A1b3"`, `"rejected":[]`, "won: click "} {
		if !strings.Contains(body, want) {
			t.Errorf("%s is not in %s", want, body)
		}
	}
	until(t, base+"organic", "acme-read-token", 200, `"verdict":"organic"`)
	until(t, base+"earned", "rival-admin-token", 404, "no app")

	ask := func(name, app, id, want string) {
		t.Helper()
		ops, done, err := Operate(t.Context(), Config{Data: cfg.Data, MustExist: true})
		if err != nil {
			t.Fatal(err)
		}
		e, err := ops.ExplainInstall(t.Context(), api.InstallRef{App: app, Install: id})
		if text := strings.Join(e.Text, "\n"); err == nil && !strings.Contains(text, want) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %s of %q is explained as %s (%v), want %s", name, id, app, text, err, want)
		}
		v, err := ops.Verify(t.Context(), VerifyOptions{Decisions: true})
		if err != nil || v.Undecided != 0 || len(v.Differences) != 0 || v.Events != 3 || v.Replay == nil || v.Replay.Decisions != 2 || v.Differs() {
			t.Errorf("%s: verify finds %+v (%v)", name, v, err)
		}
		if err := done(); err != nil {
			t.Error(err)
		}
	}
	all := func(name string) {
		t.Helper()
		ask(name, "", "earned", "won: click ")
		ask(name, "26538", "organic", "organic (algorithm ")
		ask(name, "24171", "organic", "no installation")
		ask(name, "", "nobody", "none of")
		ask(name, "typo", "earned", "no app")
	}
	all("beside the server")
	if err := i.stop(); err != nil {
		t.Fatal(err)
	}
	all("on the directory alone")
}

// TestInstallIsDecidedBeforeItIsExplained: nobody else decides on a directory
// without a server.
func TestInstallIsDecidedBeforeItIsExplained(t *testing.T) {
	t.Parallel()
	cfg := Config{Data: filepath.Join(t.TempDir(), "data")}.withDefaults()
	a, err := open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := a.applyFile(t.Context(), "../examples/acme.yaml"); err != nil {
		t.Fatal(err)
	}
	report := ingest.Report{Dialect: link.Own, App: ingest.AppRef{Key: "acme-sdk-key", Name: "com.acme.app", Platform: device.Android}, Install: "waits", First: true}
	if _, err := a.intake.Open(t.Context(), report); err != nil {
		t.Fatal(err)
	}
	if v, err := a.Verify(t.Context(), VerifyOptions{}); err != nil || v.Undecided != 1 {
		t.Errorf("before: %d batches wait (%v)", v.Undecided, err)
	}
	if e, err := a.ExplainInstall(t.Context(), api.InstallRef{Install: "waits"}); err != nil || e.Decision.Verdict != "organic" {
		t.Errorf("it is explained as %+v (%v)", e, err)
	}
	if v, err := a.Verify(t.Context(), VerifyOptions{}); err != nil || v.Undecided != 0 {
		t.Errorf("after: %d batches wait (%v)", v.Undecided, err)
	}
}

// TestDeliveryIsSentAgain gives a webhook up, sends it again by hand, and reads
// of both in the metrics.
func TestDeliveryIsSentAgain(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	keys := make(chan string, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		keys <- r.Header.Get("Idempotency-Key")
		if asked.Add(1) == 1 {
			w.WriteHeader(http.StatusGone)
		}
	}))
	defer receiver.Close()
	i := run(t, Config{Apply: hooked(t, receiver.URL+"/hook?token=hidden-token")})
	tell(t, i, "told", "", `,"ids":{"gaid":"not an id"}`)
	base := "http://" + i.api
	body := until(t, base+"/waypost/v1/deliveries", "acme-read-token", 200, `"status":"given_up"`)
	if strings.Contains(body, "hidden-token") || strings.Contains(body, "a-secret-of-the-hook") || !strings.Contains(body, `"code":410`) {
		t.Errorf("it is shown as %s", body)
	}
	var list struct {
		Deliveries []struct {
			ID  int64
			Key string
		}
	}
	if err := json.Unmarshal([]byte(body), &list); err != nil || len(list.Deliveries) != 1 {
		t.Fatalf("%s: %v", body, err)
	}
	d := list.Deliveries[0]
	until(t, base+"/metrics", "", 200, "\nwaypost_postbacks_given_up_total 1\n")
	retry := fmt.Sprintf("%s/waypost/v1/deliveries/%d/retry", base, d.ID)
	if status, body, _ := do(t, http.MethodPost, retry, "acme-read-token", ""); status != 403 {
		t.Errorf("a reader's retry is answered with %d %s", status, body)
	}
	if status, body, _ := do(t, http.MethodPost, retry, "acme-admin-token", ""); status != 200 {
		t.Errorf("a retry is answered with %d %s", status, body)
	}
	until(t, base+"/waypost/v1/deliveries?status=delivered", "acme-read-token", 200, fmt.Sprintf(`"id":%d,`, d.ID))
	if first, second := <-keys, <-keys; first != d.Key || second != d.Key {
		t.Errorf("the attempts have keys %s and %s, want %s", first, second, d.Key)
	}
	// A report of an app that the account does not have.
	stranger := `{"app_key":"acme-sdk-key","app":{"bundle":"com.acme.typo"},"install_uuid":"x"}`
	if status, body, _ := do(t, http.MethodPost, base+"/sdk/v1/open", "", stranger); status != 404 {
		t.Errorf("an unknown app is answered with %d %s", status, body)
	}
	until(t, base+"/waypost/v1/unknown-apps", "acme-read-token", 200, `{"name":"com.acme.typo","reports":1,`)
	until(t, base+"/waypost/v1/counts?metric=organic_installs", "acme-read-token", 200, `"count":1`)
	for _, want := range []string{
		"waypost_postbacks_delivered_total 1", `waypost_reports_taken_total{kind="open"} 1`, `waypost_reports_refused_total{reason="not_found"} 1`, `waypost_reports_flagged_total{flag="device_id"} 1`,
		"waypost_reports_unknown_apps_total 1", "waypost_reports_unknown_keys_total 0", "waypost_reports_repeated_total 0", "waypost_postback_failures_total 1",
		"waypost_postbacks_waiting 0", "waypost_postbacks_overdue_seconds 0", "waypost_postbacks_held 0", "waypost_onelink_events_dropped_total 0",
		"waypost_onelink_bad_signatures_total 0", "waypost_attribution_lag_batches 0",
	} {
		until(t, base+"/metrics", "", 200, "\n"+want+"\n") // a gauge that takes too long is left out of one answer
	}
	if err := i.stop(); err != nil {
		t.Error(err)
	}
}
