package compattest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// Server is the program that cases are played against.
type Server interface {
	// Start brings about what a case gives and says where to send its requests.
	// Each case calls it once; cases run in parallel.
	Start(t *testing.T, given Given) Target
}

// Target is where one case is played.
type Target struct {
	API   string // base URL of the API, "http://127.0.0.1:8081"
	Links string // base URL of the listener that serves links; only cases with a links request need it
	// Bases maps the base URLs that cases are written with to those that this
	// server shows: {"https://myapp.onelink.me": "http://acme.localhost:8080"}.
	Bases map[string]string
}

// answerWithin bounds how long a server may take for one answer. It only ends
// cases that fail.
const answerWithin = 2 * time.Minute

// Run plays every case of a directory.
func Run(t *testing.T, dir string, server Server) {
	t.Helper()
	cases, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			target := server.Start(t, c.Given)
			if err := Play(c, target); err != nil {
				t.Error(err)
			}
		})
	}
}

// Play plays one case and stops at the first answer that is wrong.
func Play(c Case, target Target) error {
	kept := values{}
	for i, step := range c.Steps {
		if err := target.play(step, kept); err != nil {
			return fmt.Errorf("request %d, %s %s: %w", i+1, step.Request.Method, step.Request.Target, err)
		}
	}
	return nil
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

func (t Target) play(step Step, kept values) error {
	base := t.API
	if step.ToLinks {
		base = t.Links
	}
	got, err := t.send(base, step.Request, kept)
	if err != nil {
		return err
	}
	want := step.Response
	if got.status != want.Status {
		return fmt.Errorf("got status %d, want %d; body %.500s", got.status, want.Status, got.body)
	}
	for _, check := range want.Headers {
		if err := t.checkHeader(check, got.header, kept); err != nil {
			return err
		}
	}
	body := t.shown(want.Body)
	switch {
	case want.Mode == ByBytes:
		return kept.match(body, got.body)
	case want.Mode == ByContents:
		return kept.contents(body, got.body)
	case want.Mode == ByPicture:
		return kept.samePicture(body, got.body)
	case body == "" && got.body != "":
		return fmt.Errorf("got body %.500q, want none", got.body)
	case body == "":
		return nil
	}
	return kept.sameMeaning(body, got.body)
}

// shown replaces the base URLs of a case by those of the server.
func (t Target) shown(text string) string {
	for written, base := range t.Bases {
		text = strings.ReplaceAll(text, written, base)
	}
	return text
}

// host returns the Host header that reaches the host that a case names.
func (t Target) host(written string) string {
	for from, to := range t.Bases {
		if f, err := url.Parse(from); err == nil && f.Host == written {
			if u, err := url.Parse(to); err == nil {
				return u.Host
			}
		}
	}
	return written
}

// send writes a request byte for byte: an HTTP client would tidy its path,
// which is what some cases are about.
func (t Target) send(base string, r Request, kept values) (answer, error) {
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "http" || u.Host == "" {
		return answer{}, fmt.Errorf("base URL %q is not an http address", base)
	}
	text, err := t.wire(u.Host, r, kept)
	if err != nil {
		return answer{}, err
	}
	conn, err := net.DialTimeout("tcp", u.Host, answerWithin)
	if err != nil {
		return answer{}, fmt.Errorf("connect: %w", err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(answerWithin)); err != nil {
		return answer{}, fmt.Errorf("set deadline: %w", err)
	}
	// A server may answer before it has read everything; what counts is the answer.
	_, writeErr := io.WriteString(conn, text)
	res, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: r.Method})
	if err != nil {
		return answer{}, fmt.Errorf("read answer: %w (writing: %v)", err, writeErr)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return answer{}, fmt.Errorf("read body: %w", err)
	}
	return answer{res.StatusCode, res.Header, string(body)}, nil
}

func (t Target) wire(host string, r Request, kept values) (string, error) {
	target, err := kept.fill(r.Target)
	if err != nil {
		return "", err
	}
	body, err := kept.fill(t.shown(r.Body))
	if err != nil {
		return "", err
	}
	var headers strings.Builder
	sized := false
	for _, h := range r.Headers {
		value, err := kept.fill(h[1])
		if err != nil {
			return "", err
		}
		switch strings.ToLower(h[0]) {
		case "host":
			host = t.host(value)
			continue
		case "content-length", "transfer-encoding":
			sized = true
		}
		fmt.Fprintf(&headers, "%s: %s\r\n", h[0], value)
	}
	if body != "" && !sized {
		fmt.Fprintf(&headers, "Content-Length: %d\r\n", len(body))
	}
	return fmt.Sprintf("%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n%s\r\n%s", r.Method, target, host, headers.String(), body), nil
}

func (t Target) checkHeader(check HeaderCheck, header http.Header, kept values) error {
	got, text := strings.Join(header.Values(check.Name), ", "), t.shown(check.Text)
	fulfilled := false
	switch check.Relation {
	case ":":
		if err := kept.match(text, got); err != nil {
			return fmt.Errorf("header %s: %w", check.Name, err)
		}
		return nil
	case "~":
		pattern, err := regexp.Compile(text)
		if err != nil {
			return fmt.Errorf("header %s: %w", check.Name, err)
		}
		fulfilled = pattern.MatchString(got)
	case "absent":
		fulfilled = len(header.Values(check.Name)) == 0
	default:
		part, err := kept.fill(text)
		if err != nil {
			return err
		}
		fulfilled = strings.Contains(got, part) == (check.Relation == "has")
	}
	if !fulfilled {
		return fmt.Errorf("header %s is %q, want: %s %s", check.Name, got, check.Relation, text)
	}
	return nil
}
