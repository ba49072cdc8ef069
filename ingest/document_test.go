package ingest_test

import (
	"encoding/json"
	"net/http"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"waypost/event"
)

const document = "../docs/sdk.md"

// line is a curl line of the document, and the answer that it shows.
type line struct {
	path   string
	header []string
	body   string
	shows  string
}

var (
	block  = regexp.MustCompile("(?s)```sh\n(curl .*?)\n```(?:\n\n```json\n(.*?)\n```)?")
	target = regexp.MustCompile(`^curl http://localhost:8081(/\S+)`)
	option = regexp.MustCompile(`(?s)-(H|d) '([^']*)'`)
)

func documentedLines(t *testing.T) (lines []line) {
	t.Helper()
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range block.FindAllStringSubmatch(string(text), -1) {
		command := strings.ReplaceAll(m[1], "\\\n", " ")
		path := target.FindStringSubmatch(command)
		if path == nil {
			t.Fatalf("%s has a line that is not understood: %s", document, command)
		}
		l := line{path: path[1], shows: m[2]}
		for _, o := range option.FindAllStringSubmatch(command, -1) {
			if o[1] == "d" {
				l.body = o[2]
				continue
			}
			name, value, _ := strings.Cut(o[2], ": ")
			l.header = append(l.header, name, value)
		}
		rest := strings.TrimSpace(option.ReplaceAllString(strings.TrimPrefix(command, path[0]), ""))
		if rest != "" || l.body == "" {
			t.Fatalf("%s has a line that is not understood: %s", document, command)
		}
		lines = append(lines, l)
	}
	return lines
}

// TestDocumentedLinesWork sends every curl line of the document, and holds the
// answers that it shows against those that come.
func TestDocumentedLinesWork(t *testing.T) {
	t.Parallel()
	lines := documentedLines(t)
	seen := map[string]bool{}
	for _, l := range lines {
		seen[l.path] = true
		w := newWorld(t)
		got := send(t, w.door(time.Nanosecond), l.path, []byte(l.body), l.header...)
		if got.status != http.StatusOK || got.at("ignored") != nil {
			t.Errorf("%s %s: %d %v", l.path, l.body, got.status, got.body)
			continue
		}
		if told := w.last(); len(told.Flags) != 0 || told.Unsigned {
			t.Errorf("%s is kept as %+v", l.body, told)
		}
		if l.shows == "" {
			continue
		}
		var shown map[string]any
		if err := json.Unmarshal([]byte(l.shows), &shown); err != nil {
			t.Fatalf("%s: %v", l.shows, err)
		}
		delete(got.body, "id") // random
		if !reflect.DeepEqual(got.body, shown) {
			t.Errorf("%s shows  %v\nanswered %v", document, shown, got.body)
		}
	}
	for _, call := range []string{"open", "events", "consent", "identify"} {
		if !seen["/sdk/v1/"+call] {
			t.Errorf("%s has no line for %s", document, call)
		}
	}
}

// TestDocumentNamesEveryFlag that this API raises.
func TestDocumentNamesEveryFlag(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	for _, flag := range []string{event.ClockFlag, event.DeviceIDFlag, event.AmountFlag, event.CurrencyFlag, event.ReferrerFlag} {
		if !strings.Contains(string(text), "\n| `"+flag+"` |") {
			t.Errorf("%s does not explain %s", document, flag)
		}
	}
}

// TestLedgerFormatNamesEveryField of what apps tell.
func TestLedgerFormatNamesEveryField(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/events.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## `open`")
	for field := range reflect.TypeFor[event.Told]().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if !strings.Contains(section, "`"+name+"`") {
			t.Errorf("docs/events.md does not speak of %s", name)
		}
	}
}
