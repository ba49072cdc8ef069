// Package e2e_test runs the built program on real sockets and real files.
package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// binary is the program under test, built once with the race detector when
// this test binary has it.
var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "waypost-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binary = filepath.Join(dir, "waypost")
	args := []string{"build", "-buildvcs=false", "-o", binary}
	if raceEnabled {
		args = append(args, "-race")
	}
	build := exec.Command("go", append(args, "waypost/cmd/waypost")...)
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// lookAtSources opens every folder of the module, once. Go keeps what a test
// said until a file changes that was looked at while tests ran, and does not
// see what the program is built from.
var lookAtSources = sync.OnceValue(func() error {
	return filepath.WalkDir("..", func(_ string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && entry.Name() == ".git" {
			return fs.SkipDir
		}
		return err
	})
})

// patience bounds every wait for the program. It only ends tests that fail, so
// it is long enough for a machine that does much else: a postback whose first
// attempt fails is tried again after a minute.
const patience = 3 * time.Minute

// process is a running server.
type process struct {
	t          testing.TB
	cmd        *exec.Cmd
	links, api string // host:port
	log        *lockedBuffer
	exited     chan struct{}
	err        error
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) WriteString(s string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.b.WriteString(s)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

var serving = regexp.MustCompile(`msg=serving links=(\S+) api=(\S+)`)

// launch starts "waypost serve" on free ports and returns without waiting.
func launch(t testing.TB, data string, args ...string) (*process, <-chan []string) {
	t.Helper()
	if err := lookAtSources(); err != nil {
		t.Fatal(err)
	}
	args = append([]string{"serve", "--data", data, "--links", "127.0.0.1:0", "--api", "127.0.0.1:0"}, args...)
	p := &process{t: t, cmd: exec.Command(binary, args...), log: &lockedBuffer{}, exited: make(chan struct{})}
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	addresses := make(chan []string, 1)
	go func() {
		lines := bufio.NewScanner(stderr)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			p.log.WriteString(lines.Text() + "\n")
			if m := serving.FindStringSubmatch(lines.Text()); m != nil {
				addresses <- m[1:]
			}
		}
		p.err = p.cmd.Wait()
		close(p.exited)
	}()
	t.Cleanup(func() { p.kill() })
	return p, addresses
}

// start starts a server and returns when it serves.
func start(t testing.TB, data string, args ...string) *process {
	t.Helper()
	p, addresses := launch(t, data, args...)
	select {
	case a := <-addresses:
		p.links, p.api = a[0], a[1]
	case <-p.exited:
		t.Fatalf("the server ended: %v\n%s", p.err, p.log)
	case <-time.After(patience):
		t.Fatalf("the server does not serve:\n%s", p.log)
	}
	return p
}

// kill ends the process as a crash would.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended already
	<-p.exited
}

// stop asks the process to end and returns how it did.
func (p *process) stop() error {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	select {
	case <-p.exited:
	case <-time.After(patience):
		p.t.Fatalf("the server does not stop:\n%s", p.log)
	}
	return p.err
}

// run runs a command of the program to its end.
func run(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	if err := lookAtSources(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if exit, ok := err.(*exec.ExitError); ok {
		return out.String(), errs.String(), exit.ExitCode()
	}
	if err != nil {
		t.Fatalf("run %v: %v", args, err)
	}
	return out.String(), errs.String(), 0
}

// midnightIsFar waits where the day, and perhaps the month, is about to end in
// UTC: tests of what an account may do in one must not go over into the next.
func midnightIsFar(t *testing.T) {
	t.Helper()
	now := time.Now().UTC()
	if left := now.Truncate(24 * time.Hour).Add(24 * time.Hour).Sub(now); left < time.Minute {
		t.Logf("waiting %v for the new day", left)
		time.Sleep(left)
	}
}

// ledgerWasDown reports whether the program said that it could not write
// clicks down for a while, as it does where the disk stalls for seconds. It
// promises nothing for that time.
func (p *process) ledgerWasDown() bool { return strings.Contains(p.log.String(), "the ledger is down") }

// user agents that the tests click with.
const (
	kindle  = "Mozilla/5.0 (Linux; Android 11; KFTRWI) AppleWebKit/537.36 (KHTML, like Gecko) Silk/102.2.1 like Chrome/102.0.5005.125 Safari/537.36"
	mac     = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
	linux   = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"
	roku    = "Roku/DVP-12.0 (12.0.0.4182-88)"
	pixel   = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36"
	iphone  = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"
	desktop = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
	preview = "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)"
	robot   = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
)

// noRedirects is a client that shows redirects instead of following them.
func noRedirects() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{},
		Timeout:       patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// click requests a path of a link host as a user agent.
func (p *process) click(client *http.Client, method, host, path, agent string, headers ...string) (*http.Response, string, error) {
	req, err := http.NewRequest(method, "http://"+p.links+path, nil)
	if err != nil {
		return nil, "", err
	}
	req.Host = host
	req.Header.Set("User-Agent", agent)
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp, string(body), err
}

func (p *process) mustClick(t *testing.T, path, agent string) (*http.Response, string) {
	t.Helper()
	client := noRedirects()
	defer client.CloseIdleConnections()
	resp, body, err := p.click(client, http.MethodGet, "acme.localhost", path, agent)
	if err != nil {
		t.Fatal(err)
	}
	return resp, body
}

// call calls the API and returns the status and the body.
func (p *process) call(t *testing.T, method, path, token, body string) (int, string) {
	t.Helper()
	return p.key("Authorization", token).call(t, method, path, body)
}

// apiKey is a token and the header that a dialect has it in.
type apiKey struct {
	p             *process
	header, token string
}

func (p *process) key(header, token string) apiKey { return apiKey{p, header, token} }

// call calls the API and returns the status and the body.
func (k apiKey) call(t testing.TB, method, path, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequest(method, "http://"+k.p.api+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if k.token != "" {
		req.Header.Set(k.header, k.token)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(answer)
}

// must is call for what must succeed, at the latest when a disk that stalls
// has come back; it reads the JSON of the answer.
func (k apiKey) must(t testing.TB, method, path, body string, into any) {
	t.Helper()
	status, answer := k.call(t, method, path, body)
	for deadline := time.Now().Add(patience); status == http.StatusServiceUnavailable && time.Now().Before(deadline); {
		time.Sleep(100 * time.Millisecond) // as clients do who are told to try again
		status, answer = k.call(t, method, path, body)
	}
	if status != http.StatusOK {
		t.Fatalf("%s %s: %d %s", method, path, status, answer)
	}
	if into == nil {
		return
	}
	if err := json.Unmarshal([]byte(answer), into); err != nil {
		t.Fatalf("%s %s: %v in %s", method, path, err, answer)
	}
}

// create makes a link through the OneLink API v2.0.
func (p *process) create(t *testing.T, id, data string) {
	t.Helper()
	status, body := p.call(t, http.MethodPost, "/api/v2.0/shortlinks/A1b3", "acme-admin-token",
		fmt.Sprintf(`{"data":%s,"shortlink_id":%q}`, data, id))
	if status != http.StatusOK {
		t.Fatalf("create %s: %d %s", id, status, body)
	}
}

// sum asks for a single count.
func (p *process) sum(t *testing.T, query string) int64 {
	t.Helper()
	status, body := p.call(t, http.MethodGet, "/waypost/v1/counts?"+query, "acme-admin-token", "")
	if status != http.StatusOK {
		t.Fatalf("counts?%s: %d %s", query, status, body)
	}
	var answer struct {
		Rows []struct {
			Metric string `json:"metric"`
			Count  int64  `json:"count"`
		} `json:"rows"`
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatal(err)
	}
	var n int64
	for _, r := range answer.Rows {
		if r.Metric == "clicks" {
			n += r.Count
		}
	}
	return n
}

// eventually asks until ok or patience ends; it waits for other processes only.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited %v in vain: %s", patience, what)
		}
	}
}
