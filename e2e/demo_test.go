package e2e_test

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// needCurl skips where there is no curl, and fails in CI.
func needCurl(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("curl"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("CI must have curl: %v", err)
		}
		t.Skipf("curl is not here: %v", err)
	}
}

// shell runs a line as a person would who pastes it.
func shell(t *testing.T, line string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-c", line)
	// Whatever this machine needs to reach others, the program is here.
	cmd.Env = append(os.Environ(), "no_proxy=*", "NO_PROXY=*", "CURL_HOME="+t.TempDir())
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v\n%s", line, err, out)
	}
	return string(out)
}

// TestDemo pastes every line that the demo prints.
func TestDemo(t *testing.T) {
	t.Parallel()
	needCurl(t)
	cmd := exec.Command(binary, "demo", "--links", "127.0.0.1:0", "--api", "127.0.0.1:0")
	cmd.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	printed := make(chan []string, 1)
	go func() {
		var lines []string
		for scan := bufio.NewScanner(stdout); scan.Scan(); {
			lines = append(lines, scan.Text())
			if strings.Contains(scan.Text(), "openapi.json") {
				printed <- lines
			}
		}
	}()
	t.Cleanup(func() {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("the demo ended with %v", err)
		}
	})
	var lines []string
	select {
	case lines = <-printed:
	case <-time.After(patience):
		t.Fatal("the demo prints nothing to paste")
	}
	wants := []string{ // in the order of the lines
		"302 Found", "302 Found", "302 Found", "og:title", "demo://hello", "singular_click_id",
		`{"shortlink_url":"http://demo.localhost`, `"http://demo.localhost`,
		`"click_url":"http://demo.localhost`, `"short_link":"http://demo.localhost`,
		`"name":"spring"`, `"tracking_link_name":"spring"`,
		`"rule":"android-store"`, `"tracker":2`, `"rows":[`, `"openapi":"3.1`,
	}
	for _, line := range lines {
		command := strings.TrimSpace(line)
		if !strings.HasPrefix(command, "curl ") {
			continue
		}
		if len(wants) == 0 {
			t.Fatalf("the demo prints a line that this test does not know: %s", command)
		}
		if out := shell(t, command); !strings.Contains(out, wants[0]) {
			t.Errorf("%s\nprints %s\nwant %q in it", command, out, wants[0])
		}
		wants = wants[1:]
	}
	if len(wants) > 0 {
		t.Errorf("the demo does not print the lines that answer %q", wants)
	}
}

// TestReadmeExamples runs the README's curl commands against acme.yaml.
func TestReadmeExamples(t *testing.T) {
	t.Parallel()
	needCurl(t)
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	p := start(t, filepath.Join(t.TempDir(), "data"), "--apply", "../examples/acme.yaml")
	examples := regexp.MustCompile(`(?m)^    curl (?:.*\\\n)*.*$`).FindAllString(string(readme), -1)
	wants := []string{ // one for each dialect, in the order of the lines
		`{"shortlink_url":"http://acme.localhost:8080/A1b3/spring"}`, `"name":"Acme Group"`, `{"subdomain":"acme","dns_zone":"localhost"}`,
	}
	if len(examples) != len(wants) {
		t.Fatalf("the README has %d curl examples, want %d", len(examples), len(wants))
	}
	for i, e := range examples {
		if out := shell(t, strings.ReplaceAll(e, "localhost:8081", p.api)); !strings.Contains(out, wants[i]) {
			t.Errorf("%s\nprints %s\nwant %s in it", e, out, wants[i])
		}
	}
}
