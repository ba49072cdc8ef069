package e2e_test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestOneProcessPerDataDirectory(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	p := start(t, data)
	_, stderr, code := run(t, "serve", "--data", data, "--links", "127.0.0.1:0", "--api", "127.0.0.1:0")
	if code != 1 || !strings.Contains(stderr, "in use") || !strings.Contains(stderr, "--data") {
		t.Errorf("a second process ends with %d and says: %s", code, stderr)
	}
	if status, body := p.call(t, http.MethodGet, "/readyz", "", ""); status != http.StatusOK {
		t.Errorf("the first process: readyz %d %s", status, body)
	}
}

func TestCommandsBesideARunningServer(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	p := start(t, data)
	out, stderr, code := run(t, "apply", "--data", data, "-f", "../examples/acme.yaml")
	if code != 0 {
		t.Fatalf("apply ends with %d: %s", code, stderr)
	}
	again, _, _ := run(t, "apply", "--data", data, "-f", "../examples/acme.yaml")
	if out == again || !strings.Contains(again, "unchanged") {
		t.Errorf("applied first: %s\nand again: %s", out, again)
	}
	long := filepath.Join(t.TempDir(), "long.yaml")
	if err := os.WriteFile(long, []byte(strings.Repeat("#", 5<<20)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, stderr, code := run(t, "apply", "--data", data, "-f", long); code != 1 || !strings.Contains(stderr, "longer than 4 MiB") {
		t.Errorf("a file that is too long ends with %d: %s", code, stderr)
	}
	// The running server has it at once.
	p.create(t, "beside", `{"pid":"x","af_web_dp":"https://www.acme.test/beside"}`)
	if resp, _ := p.mustClick(t, "/A1b3/beside", desktop); resp.StatusCode != http.StatusFound {
		t.Errorf("click: %d", resp.StatusCode)
	}
	out, stderr, code = run(t, "explain", "--data", data, "http://acme.localhost:8080/A1b3/beside")
	if code != 0 || !strings.Contains(out, "https://www.acme.test/beside") || !strings.Contains(out, "play.google.com") {
		t.Errorf("explain ends with %d: %s%s", code, out, stderr)
	}
	out, stderr, code = run(t, "verify", "--data", data)
	if code != 0 || !strings.Contains(out, "recounted 1 events") || !strings.Contains(out, "no difference") {
		t.Errorf("verify ends with %d: %s%s", code, out, stderr)
	}
	if err := p.stop(); err != nil {
		t.Fatalf("stop: %v", err)
	}
	// And the same without a server.
	out, stderr, code = run(t, "explain", "--data", data, "http://acme.localhost/A1b3/beside")
	if code != 0 || !strings.Contains(out, "https://www.acme.test/beside") {
		t.Errorf("explain without a server ends with %d: %s%s", code, out, stderr)
	}
	if out, _, code = run(t, "verify", "--data", data); code != 0 || !strings.Contains(out, "recounted 1 events") {
		t.Errorf("verify without a server ends with %d: %s", code, out)
	}
}

// TestInstallIsExplainedOnTheCommandLine: flags may stand before or behind the
// word install.
func TestInstallIsExplainedOnTheCommandLine(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	p := start(t, data, "--apply", "../examples/acme.yaml")
	open := `{"app_key":"acme-sdk-key","app":{"bundle":"com.acme.app","platform":"android"},"install_uuid":"nobodys","session_id":"s-1","is_first_launch":true}`
	eventually(t, "the open to be decided", func() bool {
		status, body := p.call(t, http.MethodPost, "/sdk/v1/open", "", open)
		if status != http.StatusOK {
			t.Fatalf("open: %d %s", status, body)
		}
		return !strings.Contains(body, `"pending"`)
	})
	f := func(want string, code int, args ...string) {
		t.Helper()
		out, stderr, got := run(t, append([]string{"explain"}, args...)...)
		if got != code || !strings.Contains(out+stderr, want) {
			t.Errorf("explain %v ends with %d: %s%s; want %d and %q", args, got, out, stderr, code, want)
		}
	}
	f("install of install/26538/nobodys: organic", 0, "install", "--data", data, "nobodys")
	f("install of install/26538/nobodys: organic", 0, "--data", data, "install", "--app", "com.acme.app", "nobodys")
	f(`"verdict": "organic"`, 0, "--json", "--data", data, "install", "nobodys")
	f("no installation", 1, "install", "--data", data, "--app", "24171", "nobodys")
	f("give the id", 2, "install", "--data", data)
	f("give the id", 2, "install", "--data", data, "nobodys", "--app", "24171")
	f("--app is for", 2, "--data", data, "--app", "24171", "https://acme.localhost/A1b3")
	out, stderr, code := run(t, "verify", "--data", data)
	if code != 0 || !strings.Contains(out, "attribution has caught up") {
		t.Errorf("verify ends with %d: %s%s", code, out, stderr)
	}
}

func TestSimulationRepeats(t *testing.T) {
	t.Parallel()
	first, stderr, code := run(t, "simulate", "--seed", "7", "--days", "2", "--people", "3000")
	again, _, _ := run(t, "simulate", "--seed", "7", "--days", "2", "--people", "3000")
	other, _, _ := run(t, "simulate", "--seed", "8", "--days", "2", "--people", "3000")
	if code != 0 || first != again || first == other || !strings.Contains(first, "| referrer |") || !strings.Contains(first, "| by likeness |") {
		t.Errorf("it ends with %d: %s\n%s\nagain %s\nwith another seed %s", code, stderr, first, again, other)
	}
}

func TestSIGTERMDrains(t *testing.T) {
	t.Parallel()
	p := start(t, filepath.Join(t.TempDir(), "data"), "--apply", "../examples/acme.yaml")
	// A connection that is kept open must not hold the end up.
	client := noRedirects()
	defer client.CloseIdleConnections()
	if _, _, err := p.click(client, http.MethodGet, "acme.localhost", "/A1b3", iphone); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := p.stop(); err != nil {
		t.Fatalf("ended with %v\n%s", err, p.log)
	}
	// 10 s are promised; a connection that holds the end up does so for two minutes.
	if took := time.Since(began); took > time.Minute {
		t.Errorf("took %v to stop", took)
	}
}

func TestWrongUsage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	config := filepath.Join(dir, "waypost.yaml")
	if err := os.WriteFile(config, []byte("lnks: ':1'\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	broken := filepath.Join(dir, "broken.yaml")
	if err := os.WriteFile(broken, []byte("accounts:\n  - key: a\n    nme: x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := func(complaint string, args ...string) {
		t.Helper()
		out, stderr, code := run(t, args...)
		if code == 0 || !strings.Contains(stderr, complaint) {
			t.Errorf("%v ends with %d: %s%s; want a complaint about %q", args, code, out, stderr, complaint)
		}
	}
	data := filepath.Join(dir, "data")
	f("lnks", "serve", "--data", data, "--config", config)
	f("nonsense", "nonsense")
	f("--days 0", "simulate", "--days", "0")
	f("--people 0", "simulate", "--people", "0")
	f("unexpected argument", "simulate", "4")
	f("--store", "serve", "--data", data, "--store", "postgres://x")
	f("--role", "serve", "--data", data, "--role", "links")
	f("--log-sync", "serve", "--data", data, "--log-sync", "sometimes")
	f("nme", "apply", "--data", data, "-f", broken)
	f("broken.yaml:3", "serve", "--data", data, "--apply", broken)
	f("no-such-file", "serve", "--data", data, "--apply", "no-such-file")
	f("not a network", "serve", "--trusted-proxies", "everyone")
	list := filepath.Join(dir, "vpn.txt")
	if err := os.WriteFile(list, []byte("192.0.2.0/24\n192.0.2.0/240\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f("vpn.txt: line 2", "serve", "--data", data, "--network-lists", "vpn="+list)
	f("nothing.txt", "serve", "--data", data, "--network-lists", "vpn=nothing.txt")
	f("not NETWORK=FILE", "serve", "--data", data, "--network-lists", "home="+list)
	f("not NETWORK=FILE", "serve", "--data", data, "--network-lists", list)
	f("--geoip", "serve", "--data", data, "--geoip", broken)
	f("data directory", "serve", "--data", "/proc/nowhere")
	f("no link host", "explain", "--data", data, "https://unknown.test/x")
	nowhere := filepath.Join(dir, "nowhere")
	f("no data directory", "explain", "--data", nowhere, "https://unknown.test/x")
	f("no data directory", "verify", "--data", nowhere)
	if _, err := os.Stat(nowhere); err == nil {
		t.Error("asking about a data directory has made it")
	}
}

func TestExitCodeOfWrongUsage(t *testing.T) {
	t.Parallel()
	config := filepath.Join(t.TempDir(), "waypost.yaml")
	if err := os.WriteFile(config, []byte("lnks: ':1'\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{}, {"nonsense"}, {"serve", "--nonsense"}, {"serve", "nonsense"}, {"serve", "--log-max-age", "x"},
		{"verify", "--config", config}, {"apply"}, {"explain"}, {"help", "nonsense"},
	} {
		if _, stderr, code := run(t, args...); code != 2 || stderr == "" {
			t.Errorf("%v ends with %d and says %q, want 2 and why", args, code, stderr)
		}
	}
}

func TestEnvironmentAndFileSetFlags(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	config := filepath.Join(dir, "waypost.yaml")
	text := "apply: [../examples/acme.yaml]\nlog-sync: always\ntrusted-proxies: 127.0.0.0/8\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, filepath.Join(dir, "data"), "--config", config)
	if resp, _ := p.mustClick(t, "/A1b3", iphone); resp.StatusCode != http.StatusFound {
		t.Errorf("the applied template answers %d", resp.StatusCode)
	}
	// The file of the server does for the other commands.
	cmd := exec.Command(binary, "explain", "--config", config, "http://acme.localhost/A1b3")
	cmd.Env = append(os.Environ(), "WAYPOST_DATA="+filepath.Join(dir, "data"))
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "template A1b3") {
		t.Errorf("WAYPOST_DATA: %v %s", err, out)
	}
}

// TestLostDatabaseIsTold: an empty database is made where none is, so beside
// a ledger with events the program says what that means.
func TestLostDatabaseIsTold(t *testing.T) {
	t.Parallel()
	const warning = "the ledger has events, but there was no database"
	data := filepath.Join(t.TempDir(), "data")
	p := start(t, data, "--apply", "../examples/acme.yaml")
	p.mustClick(t, "/A1b3", desktop)
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	p = start(t, data)
	if strings.Contains(p.log.String(), warning) {
		t.Errorf("nothing was lost:\n%s", p.log)
	}
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(data, "waypost.db")); err != nil {
		t.Fatal(err)
	}
	if p = start(t, data); !strings.Contains(p.log.String(), warning) {
		t.Errorf("the database was lost:\n%s", p.log)
	}
}

// smallDisk mounts a file system of a few megabytes, where that is permitted.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("waypost", dir, "tmpfs", 0, "size="+size); err != nil {
		if os.Getenv("CI") == "true" && os.Geteuid() == 0 {
			t.Fatalf("mount: %v", err)
		}
		t.Skipf("a full disk needs the right to mount one: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fill writes a file until the disk is full.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size > 0; {
		if _, err := f.Write(make([]byte, size)); err != nil {
			size /= 2
		}
	}
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t, "48m")
	data := filepath.Join(disk, "data")
	p := start(t, data, "--apply", "../examples/acme.yaml")
	p.create(t, "full", `{"pid":"x"}`)
	if resp, _ := p.mustClick(t, "/A1b3/full", pixel); resp.StatusCode != http.StatusFound {
		t.Fatalf("click: %d", resp.StatusCode)
	}
	ballast := filepath.Join(disk, "ballast")
	fill(t, ballast)
	unlogged := func() bool {
		resp, _ := p.mustClick(t, "/A1b3/full", pixel)
		if resp.StatusCode != http.StatusFound {
			t.Fatalf("with a full disk a click answers %d", resp.StatusCode)
		}
		_, metrics := p.call(t, http.MethodGet, "/metrics", "", "")
		return !strings.Contains(metrics, "waypost_clicks_unlogged_total 0\n")
	}
	eventually(t, "the disk to be noticed as full", unlogged)
	eventually(t, "an alarm in the log, which comes through a pipe", func() bool { return strings.Contains(p.log.String(), "not logged") })
	if status, body := p.call(t, http.MethodPost, "/api/v2.0/shortlinks/A1b3", "acme-admin-token", `{"data":{"pid":"x"}}`); status < 500 || !strings.Contains(body, "error_type") {
		t.Errorf("creating a link on a full disk answers %d %s", status, body)
	}
	// A start on the full disk says what is wrong and ends.
	p.kill()
	fill(t, ballast+"2")
	_, stderr, code := run(t, "serve", "--data", data, "--links", "127.0.0.1:0", "--api", "127.0.0.1:0")
	if code == 0 || !strings.Contains(stderr, "full") {
		t.Errorf("start on a full disk ends with %d: %s", code, stderr)
	}
	// With room again everything goes on, and what was acknowledged is there.
	for _, f := range []string{ballast, ballast + "2"} {
		if err := os.Remove(f); err != nil {
			t.Fatal(err)
		}
	}
	p = start(t, data)
	if resp, _ := p.mustClick(t, "/A1b3/full", pixel); resp.StatusCode != http.StatusFound {
		t.Errorf("after the disk has room a click answers %d", resp.StatusCode)
	}
	eventually(t, "counting on the disk that has room", func() bool { return p.sum(t, "group_by=metric") >= 2 })
	if out, _, code := run(t, "verify", "--data", data); code != 0 {
		t.Errorf("verify ends with %d: %s", code, out)
	}
}
