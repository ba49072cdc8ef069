package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"
)

// patience bounds every wait for a server; it only ends tests that fail.
const patience = 3 * time.Minute

// instance is a whole server in this process.
type instance struct {
	links, api string
	stop       func() error
}

func run(t *testing.T, cfg Config) *instance {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cfg.LinksAddr, cfg.APIAddr = "127.0.0.1:0", "127.0.0.1:0"
	if cfg.Data == "" {
		cfg.Data = filepath.Join(t.TempDir(), "data")
	}
	listening := make(chan [2]string, 1)
	cfg.Listening = func(links, api string) { listening <- [2]string{links, api} }
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, cfg) }()
	i := &instance{stop: func() error { cancel(); return <-ended }}
	select {
	case a := <-listening:
		i.links, i.api = a[0], a[1]
	case err := <-ended:
		cancel()
		t.Fatalf("the server ended: %v", err)
	}
	return i
}

func (i *instance) get(t *testing.T, url, host string) (int, string, http.Header) {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	req.Header.Set("User-Agent", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36")
	req.Header.Set("X-Forwarded-For", "203.0.113.9")
	req.Header.Set("Authorization", "acme-admin-token")
	client := &http.Client{Timeout: patience, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body), resp.Header
}

// TestTwoServersInOneProcess would fail on any state that the process shares.
func TestTwoServersInOneProcess(t *testing.T) {
	t.Parallel()
	acme := run(t, Config{Apply: []string{"../examples/acme.yaml"}})
	empty := run(t, Config{})
	if status, _, head := acme.get(t, "http://"+acme.links+"/A1b3", "acme.localhost"); status != 302 || head.Get("Location") != "https://www.acme.test/" {
		t.Errorf("the first answers %d %s", status, head.Get("Location"))
	}
	if status, body, _ := empty.get(t, "http://"+empty.links+"/A1b3", "acme.localhost"); status != 404 {
		t.Errorf("the second knows the first's host: %d %s", status, body)
	}
	for name, i := range map[string]*instance{"first": acme, "second": empty} {
		for path, want := range map[string]string{"/healthz": "ok", "/readyz": "ready", "/metrics": "waypost_clicks_unlogged_total 0"} {
			if status, body, _ := i.get(t, "http://"+i.api+path, ""); status != 200 || !strings.Contains(body, want) {
				t.Errorf("%s%s: %d %s", name, path, status, body)
			}
		}
		if err := i.stop(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if conn, err := net.Dial("tcp", i.links); err == nil {
			conn.Close()
			t.Errorf("%s still listens after it has stopped", name)
		}
	}
}

func TestCountriesAreCounted(t *testing.T) {
	t.Parallel()
	db, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: "Test-Country", IncludeReservedNetworks: true})
	if err != nil {
		t.Fatal(err)
	}
	_, network, err := net.ParseCIDR("203.0.113.0/24")
	if err != nil {
		t.Fatal(err)
	}
	record := mmdbtype.Map{"country": mmdbtype.Map{"iso_code": mmdbtype.String("DE")}}
	if err := db.Insert(network, record); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "country.mmdb")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.WriteTo(file); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	i := run(t, Config{
		Apply: []string{"../examples/acme.yaml"}, GeoIP: path,
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
	})
	i.get(t, "http://"+i.links+"/A1b3", "acme.localhost")
	url := fmt.Sprintf("http://%s/waypost/v1/counts?group_by=country,metric", i.api)
	want := `"rows":[{"metric":"clicks","country":"DE","count":1}]`
	deadline := time.Now().Add(patience)
	for {
		_, body, _ := i.get(t, url, "")
		if strings.Contains(body, want) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("counts are %s, want %s in them", body, want)
		}
	}
	if err := i.stop(); err != nil {
		t.Error(err)
	}
}

// A verify may take minutes; the end of the program does not wait for it.
func TestStopCancelsWhatIsLeft(t *testing.T) {
	t.Parallel()
	entered, left := make(chan struct{}), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(entered)
		<-r.Context().Done()
		close(left)
	}))
	defer server.Close()
	go func() {
		if resp, err := http.Post(server.URL, "", nil); err == nil {
			resp.Body.Close()
		}
	}()
	<-entered
	late, cancel := context.WithCancel(t.Context())
	cancel()
	stop(late, server.Config)
	select {
	case <-left:
	case <-time.After(patience):
		t.Fatal("a request goes on after its server was stopped")
	}
}

// A demo that cannot make its links says so and ends, where it would otherwise
// wait for nothing.
func TestDemoThatCannotBeShownEnds(t *testing.T) {
	t.Parallel()
	err := Demo(t.Context(), DemoConfig{LinksAddr: "127.0.0.1:0", APIAddr: "127.0.0.1:0", Out: brokenPipe{}})
	if !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("the demo ended with %v", err)
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	f := func(complaint string, cfg Config) {
		t.Helper()
		cfg.Data = filepath.Join(t.TempDir(), "data")
		if err := Run(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), complaint) {
			t.Errorf("%+v: %v, want a complaint about %s", cfg, err, complaint)
		}
	}
	f("--store", Config{Store: "postgres://x"})
	f("--role", Config{Role: "links"})
	f("--role", Config{Role: "nonsense"})
	f("--log-sync", Config{LogSync: "never"})
	f("--log-replicas", Config{LogReplicas: 3})
	f("--log-accept-loss", Config{Log: "nats://127.0.0.1:4222", LogAcceptLoss: true})
	f("--v1-conflict-status", Config{V1Conflict: 418})
	f("--geoip", Config{GeoIP: "no-such-file"})
	f("--links", Config{LinksAddr: "256.0.0.1:x"})
	f("--api", Config{LinksAddr: "127.0.0.1:0", APIAddr: "256.0.0.1:x"})
}
