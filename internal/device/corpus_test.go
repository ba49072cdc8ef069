package device

import (
	"os"
	"strings"
	"testing"
)

// The targets of the project for public corpora; the rates reached are better
// and are printed with -v.
const (
	platformTarget   = 0.99
	crawlerTarget    = 0.90
	falseAlarmTarget = 0.02
)

type agent struct{ expected, platform, source, ua string }

func corpus(t testing.TB) []agent {
	t.Helper()
	text, err := os.ReadFile("testdata/agents.tsv")
	if err != nil {
		t.Fatal(err)
	}
	var agents []agent
	for line := range strings.Lines(string(text)) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if strings.HasPrefix(line, "#") {
			continue
		}
		if len(f) != 4 {
			t.Fatalf("agents.tsv: %d columns in %q", len(f), line)
		}
		agents = append(agents, agent{f[0], f[1], f[2], f[3]})
	}
	return agents
}

// rate counts how often something held.
type rate struct{ held, of int }

func (r *rate) add(held bool) {
	r.of++
	if held {
		r.held++
	}
}

func (r rate) share() float64 { return float64(r.held) / float64(r.of) }

func TestPublicCorpora(t *testing.T) {
	t.Parallel()
	var platforms, crawlers, previews, alarms rate
	for _, a := range corpus(t) {
		d := Parse(a.ua, Hints{})
		if a.expected == "person" {
			alarms.add(d.IsBot())
			if d.IsBot() {
				t.Logf("person taken for %s: %s", d.Bot, a.ua)
			}
		} else {
			crawlers.add(d.IsBot())
		}
		if a.expected == "preview" {
			previews.add(d.Preview)
		}
		if a.platform != "-" {
			platforms.add(d.Platform.String() == a.platform)
			if d.Platform.String() != a.platform {
				t.Logf("platform %s, want %s: %s", d.Platform, a.platform, a.ua)
			}
		}
	}
	t.Logf("platform right %d of %d (%.2f %%)", platforms.held, platforms.of, 100*platforms.share())
	t.Logf("bots recognised %d of %d (%.2f %%), as previews %d of %d (%.2f %%)", crawlers.held, crawlers.of, 100*crawlers.share(), previews.held, previews.of, 100*previews.share())
	t.Logf("people taken for bots %d of %d (%.2f %%)", alarms.held, alarms.of, 100*alarms.share())
	if platforms.of < 900 || crawlers.of < 2000 || alarms.of < 1500 {
		t.Fatal("the corpus has shrunk")
	}
	if platforms.share() < platformTarget {
		t.Errorf("platform right in %.4f, want at least %.2f", platforms.share(), platformTarget)
	}
	if crawlers.share() < crawlerTarget {
		t.Errorf("bots recognised %.4f, want at least %.2f", crawlers.share(), crawlerTarget)
	}
	if alarms.share() > falseAlarmTarget {
		t.Errorf("people taken for bots %.4f, want at most %.2f", alarms.share(), falseAlarmTarget)
	}
}
