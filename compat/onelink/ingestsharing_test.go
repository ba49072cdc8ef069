package onelink_test

import (
	"slices"
	"strings"
	"testing"
)

// TestSharingFilter: partners that a report names are not to be told.
func TestSharingFilter(t *testing.T) {
	t.Parallel()
	w := goldenReports(t)
	event := func(filter string, want ...string) {
		t.Helper()
		body := strings.TrimSuffix(someEvent, "}") + `,"sharing_filter":` + filter + `}`
		if status, _, text := w.sendEvent(t, eventPath, body); status != 200 || text != "OK" {
			t.Fatalf("%s: got %d %q", filter, status, text)
		}
		if got := w.ledger.LastTold(t).Withhold; !slices.Equal(got, want) {
			t.Errorf("%s is kept as %q, want %q", filter, got, want)
		}
	}
	event(`null`)
	event(`""`)
	event(`"all"`, "all")
	event(`["all"]`, "all")
	event(`["googleadwords_int","adcolony_INT","own"]`, "googleadwords_int", "googleadwords", "adcolony_INT", "adcolony", "own")
	event(`"own, other"`, "own", "other")
	event(`[]`, "none")
	event(`"none"`, "none")
	for _, wrong := range []string{`7`, `{"all":true}`, `[1]`} {
		before := w.ledger.Count()
		status, _, text := w.sendEvent(t, eventPath, strings.TrimSuffix(someEvent, "}")+`,"sharing_filter":`+wrong+`}`)
		if status != 400 || !strings.HasPrefix(text, "Bad request: sharing_filter: ") || w.ledger.Count() != before {
			t.Errorf("%s: got %d %q", wrong, status, text)
		}
	}
	many := `["` + strings.Repeat(`x","`, 200) + `y"]`
	if status, _, text := w.sendEvent(t, eventPath, strings.TrimSuffix(someEvent, "}")+`,"sharing_filter":`+many+`}`); status != 400 ||
		!strings.HasPrefix(text, "Bad request: sharing_filter: at most ") {
		t.Errorf("too many: got %d %q", status, text)
	}

	const start = `{"is_first":true,"lang":"en-US","os":"10","timestamp":"2026-11-20T11:59:59.000","type":"SM-A115M","ip":"203.0.113.9","request_id":"r-9","sharing_filter":`
	path := "/v1.0/android/com.golden.app?af_sig=" + signature(goldenKey, "2026-11-20T11:59:59.000203.0.113.9")
	if status, _, text := send(t, w.base, "POST", path, start+`["a_int"]}`); status != 200 || !slices.Equal(w.ledger.LastTold(t).Withhold, []string{"a_int", "a"}) {
		t.Errorf("got %d %q, kept %q", status, text, w.ledger.LastTold(t).Withhold)
	}
	if status, _, text := send(t, w.base, "POST", path, start+`7}`); status != 400 || !strings.Contains(text, "sharing_filter: write") {
		t.Errorf("got %d %q", status, text)
	}
}
