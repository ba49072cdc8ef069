// Package compattest plays exemplary cases, which come from a vendor's
// documents, against any server over real sockets. It also plays the scripts of
// where visitors go (Script), and holds documents against the cases and tests
// that they name (Document). Beside these are small pieces that the worlds of such
// tests are made of (Serve, Send, Apply, Clock).
//
// A case is a txtar file. Its comment says in prose what it shows and has the
// lines "Source:" and "Date:". Its sections, in order:
//
//	given      what must exist, one "key: value" a line: setup, link, limit (see Given)
//	request    a request to the API: request line, headers, empty line, body
//	links      the same to the listener that serves links; names Host and User-Agent
//	response   the answer to the request above: status, headers, empty line, body
//
// A response's body is JSON and compared by meaning. "response bytes" compares
// its bytes, "response contains" wants each of its lines in the body, or not in
// it where the line begins with "! ". "response picture" wants a picture of a QR
// code, its format, side in pixels and text: "png 300 URL". Requests and
// responses alternate.
//
// What differs from run to run is written as a moving value: {{int}}, {{id}}
// (a generated code of eight characters; {{id9}} and {{id13}} are longer ones,
// {{hex13}} of hex digits), {{word}} (one of any length), {{time}} (RFC 3339),
// {{gmt}} (RFC 1123), {{in 2d}} (a time that far from now), {{any}},
// {{qr png 300 URL}} (a data URI whose picture reads URL). "{{id as code}}"
// keeps what it met, and {{code}}, {{n-1}} stand for it later, also in the same
// body behind it, where fields go in the order of their names. Requests may also
// hold {{repeat TEXT N}} and {{hex FF}}.
package compattest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/tools/txtar"

	"waypost/link"
)

// Case is one exemplary file.
type Case struct {
	Name  string // file name without .txtar
	Given Given
	Steps []Step
}

// Given is what exists before the first request.
type Given struct {
	Setup  string // name of the apply file that every fact refers to
	Links  []GivenLink
	Limits map[string]int64 // of every account, by name, such as "onelink.monthly_writes"
}

// GivenLink is a link that was not made by the API that the case is about.
type GivenLink struct {
	Template string          `json:"template"`
	Code     string          `json:"code"`
	Source   string          `json:"source"`
	Data     json.RawMessage `json:"data"`
	TTL      string          `json:"ttl"`     // empty: never expires
	Expired  bool            `json:"expired"` // its time is over since a minute
}

// Link returns the link as a store keeps it, made at now.
func (g GivenLink) Link(account link.AccountID, dialect link.Dialect, now time.Time) (link.Link, error) {
	template := link.TemplateID(g.Template)
	l := link.Link{
		Account: account, Dialect: dialect, Template: template, Code: g.Code, Path: link.TemplatePath(template, g.Code),
		Source: link.Source(g.Source), Data: g.Data, CreatedAt: now, UpdatedAt: now,
	}
	if g.TTL != "" {
		ttl, err := link.ParseTTL(g.TTL)
		if err != nil {
			return l, fmt.Errorf("given link %s: %w", l.Path, err)
		}
		l.TTL, l.ExpiresAt = ttl, now.Add(ttl)
	}
	if g.Expired {
		l.ExpiresAt = now.Add(-time.Minute)
	}
	return l, nil
}

// NoLimits stands in the apply file of a setup, in every account, where the
// limits of a case go.
const NoLimits = "limits: {}"

// ApplyFile returns the apply file of the setup with the limits that are given.
func (g Given) ApplyFile(setup []byte) ([]byte, error) {
	if len(g.Limits) == 0 {
		return setup, nil
	}
	if !bytes.Contains(setup, []byte(NoLimits)) {
		return nil, fmt.Errorf("setup %s has no place for limits: %q", g.Setup, NoLimits)
	}
	limits := map[string]map[string]int64{}
	for name, n := range g.Limits {
		api, limit, found := strings.Cut(name, ".")
		if !found {
			return nil, fmt.Errorf("limit %q names no API", name)
		}
		if limits[api] == nil {
			limits[api] = map[string]int64{}
		}
		limits[api][limit] = n
	}
	text, err := json.Marshal(limits)
	if err != nil {
		return nil, fmt.Errorf("limits of a case: %w", err)
	}
	return bytes.ReplaceAll(setup, []byte(NoLimits), append([]byte("limits: "), text...)), nil
}

// Step is one request and what must answer it.
type Step struct {
	ToLinks  bool // to the link listener instead of the API
	Request  Request
	Response Response
}

// Request is written as it goes over the wire, moving values unfilled.
type Request struct {
	Method, Target string
	Headers        [][2]string
	Body           string
}

// Response is what an answer must be.
type Response struct {
	Status  int
	Headers []HeaderCheck
	Mode    Mode
	Body    string
}

// Mode says how a body is compared.
type Mode string

// Modes, as they stand after "response" in a section's name.
const (
	ByMeaning  Mode = ""
	ByBytes    Mode = "bytes"
	ByContents Mode = "contains"
	ByPicture  Mode = "picture"
)

// HeaderCheck is one line about a header: "Name: text", "Name ~ regexp",
// "Name has text", "Name lacks text", "Name absent".
type HeaderCheck struct {
	Name, Relation, Text string
}

// Load reads every case of a directory, not of those below it.
func Load(dir string) ([]Case, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.txtar"))
	if err != nil {
		return nil, fmt.Errorf("list cases of %s: %w", dir, err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no case in %s", dir)
	}
	cases := make([]Case, 0, len(files))
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read case: %w", err)
		}
		c, err := Parse(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		c.Name = caseName(file)
		cases = append(cases, c)
	}
	return cases, nil
}

var (
	sourceLine = regexp.MustCompile(`(?m)^Source: \S`)
	dateLine   = regexp.MustCompile(`(?m)^Date: \d{4}-\d\d-\d\d$`)
)

// Parse reads one case. A section that is unknown, repeated, missing or out of
// order is an error, so that no part of a case can go unplayed.
func Parse(text []byte) (Case, error) {
	archive := txtar.Parse(text)
	if !sourceLine.Match(archive.Comment) || !dateLine.Match(archive.Comment) {
		return Case{}, errors.New(`the comment needs the lines "Source: …" and "Date: 2006-01-02"`)
	}
	if len(archive.Files) == 0 || archive.Files[0].Name != "given" {
		return Case{}, errors.New(`the first section must be "given"`)
	}
	given, err := parseGiven(string(archive.Files[0].Data))
	if err != nil {
		return Case{}, fmt.Errorf("given: %w", err)
	}
	c := Case{Given: given}
	sections := archive.Files[1:]
	if len(sections) == 0 || len(sections)%2 != 0 {
		return Case{}, errors.New("every case needs requests, each with its response")
	}
	known := map[string]bool{}
	for i := 0; i < len(sections); i += 2 {
		step, err := parseStep(sections[i], sections[i+1])
		if err == nil {
			err = step.checkNames(known)
		}
		if err != nil {
			return Case{}, fmt.Errorf("request %d: %w", i/2+1, err)
		}
		c.Steps = append(c.Steps, step)
	}
	return c, nil
}

func parseGiven(text string) (Given, error) {
	g := Given{Limits: map[string]int64{}}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		key, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch {
		case key == "setup" && g.Setup == "" && value != "":
			g.Setup = value
		case key == "link":
			var l GivenLink
			dec := json.NewDecoder(strings.NewReader(value))
			dec.DisallowUnknownFields()
			if err := dec.Decode(&l); err != nil {
				return g, fmt.Errorf("link: %w", err)
			}
			g.Links = append(g.Links, l)
		case key == "limit":
			name, number, _ := strings.Cut(value, " ")
			n, err := strconv.ParseInt(number, 10, 64)
			if _, repeated := g.Limits[name]; err != nil || repeated {
				return g, fmt.Errorf("limit %q must be a name and a number, each name once", value)
			}
			g.Limits[name] = n
		default:
			return g, fmt.Errorf("unknown or repeated line %q", line)
		}
	}
	if g.Setup == "" {
		return g, errors.New("setup is missing")
	}
	return g, nil
}

func parseStep(request, response txtar.File) (Step, error) {
	step := Step{ToLinks: request.Name == "links"}
	if request.Name != "request" && !step.ToLinks {
		return step, fmt.Errorf("section %q stands where a request is due", request.Name)
	}
	word, mode, _ := strings.Cut(response.Name, " ")
	step.Response.Mode = Mode(mode)
	switch {
	case word != "response", !slices.Contains([]Mode{ByMeaning, ByBytes, ByContents, ByPicture}, step.Response.Mode):
		return step, fmt.Errorf("section %q stands where a response is due", response.Name)
	}
	if err := step.parseRequest(string(request.Data)); err != nil {
		return step, err
	}
	return step, step.parseResponse(string(response.Data))
}

func (s *Step) parseRequest(text string) (err error) {
	first, lines, body := split(text)
	var ok bool
	if s.Request.Method, s.Request.Target, ok = strings.Cut(first, " "); !ok || s.Request.Method == "" {
		return fmt.Errorf("%q is not a method and a target", first)
	}
	s.Request.Body = body
	seen := map[string]bool{}
	for _, line := range lines {
		name, value, found := strings.Cut(line, ":")
		if !found || name == "" {
			return fmt.Errorf("%q is not a header", line)
		}
		seen[strings.ToLower(name)] = true
		s.Request.Headers = append(s.Request.Headers, [2]string{name, strings.TrimSpace(value)})
	}
	if s.ToLinks && !(seen["host"] && seen["user-agent"]) {
		return errors.New("a links request needs Host and User-Agent")
	}
	return nil
}

var headerLine = regexp.MustCompile(`^([A-Za-z0-9-]+)(: | ~ | has | lacks | absent$)(.*)$`)

func (s *Step) parseResponse(text string) (err error) {
	first, lines, body := split(text)
	if s.Response.Status, err = strconv.Atoi(first); err != nil {
		return fmt.Errorf("%q is not a status", first)
	}
	s.Response.Body = body
	for _, line := range lines {
		m := headerLine.FindStringSubmatch(line)
		if m == nil {
			return fmt.Errorf("%q says nothing about a header", line)
		}
		check := HeaderCheck{Name: m[1], Relation: strings.TrimSpace(m[2]), Text: m[3]}
		if check.Relation == "~" {
			if _, err := regexp.Compile(check.Text); err != nil {
				return fmt.Errorf("header %s: %w", check.Name, err)
			}
		}
		s.Response.Headers = append(s.Response.Headers, check)
	}
	if s.Response.Mode == ByPicture && !picture.MatchString("qr "+body) {
		return fmt.Errorf("%q is not a format, a side in pixels and a text", body)
	}
	if s.Response.Mode == ByMeaning && body != "" {
		if _, err := parseJSON(quoteMoving(body)); err != nil {
			return fmt.Errorf("the response's body is not JSON: %w", err)
		}
	}
	return nil
}

// split cuts a section into its first line, the lines up to the first empty
// one, and what follows it without the newline that ends every section.
func split(text string) (first string, lines []string, body string) {
	head, body, _ := strings.Cut(text, "\n\n")
	all := strings.Split(strings.TrimSuffix(head, "\n"), "\n")
	return all[0], all[1:], strings.TrimSuffix(body, "\n")
}
