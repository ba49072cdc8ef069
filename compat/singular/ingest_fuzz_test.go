package singular

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"waypost/attribution"
	"waypost/ingest"
	"waypost/internal/device"
	"waypost/internal/fault"
	"waypost/link"
)

// oneAccount is an intake that knows every key and takes nothing.
type oneAccount struct{ Intake }

func (oneAccount) Account(ingest.AppRef) (*link.Account, error) { return &link.Account{ID: 1}, nil }

// FuzzTold: whatever is sent makes a report that package ingest can keep, or a
// refusal in one line, and the same one each time.
func FuzzTold(f *testing.F) {
	const ids = "a=k&p=iOS&i=com.x&n=buy&idfv=21DB6612-09B3-4ECC-84AC-B353B0AF1334"
	for _, seed := range [][2]string{
		{ids, ""}, {ids + "&umilisec=1&utime=x", `{"e":{"r":1e999,"pcc":{}}}`}, {ids + "&data_sharing_options=[]", ""}, {"", `{"a":{"b":[null]},"p":0}`},
		{ids + "&e=%7B%22a%22%3A%22%ff%22%7D&prc=9&q=-0.5", ""}, {ids + "&install_ref=%7B%22referrer%22%3A1%7D", "dnt=2&ip=::1%25x"}, {ids + "&p=a%0Ab", ""}, {ids, "\xef\xbb\xbf{}"},
		{ids + "&global_properties=%7B%7D&i=https://x.test", "p=web&sdid=" + strings.Repeat("z", 200)}, {ids + "&p=ctv&n=" + strings.Repeat("n", 300), "[]"},
	} {
		f.Add(seed[0], seed[1], true)
		f.Add(seed[0], seed[1], false)
	}
	directory, err := link.NewDirectory(link.Catalog{Accounts: []link.Account{{ID: 1}}, Apps: []link.App{{ID: 2, Account: 1, Platform: device.Web, URL: "https://x.test/"}}})
	if err != nil {
		f.Fatal(err)
	}
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	in := &Ingest{IngestConfig: IngestConfig{Intake: oneAccount{}, Directory: func() *link.Directory { return directory }, Now: func() time.Time { return now }, Address: peer}}
	f.Fuzz(func(t *testing.T, query, body string, event bool) {
		read := func() (ingest.Report, error) {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "/api/v1/evt", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			r.URL.RawQuery = query
			said, err := readTold(r, endpoint{event: event}.names())
			if err != nil {
				return ingest.Report{}, err
			}
			one := telling{Ingest: in, request: r, endpoint: endpoint{event: event}, said: said}
			return one.report()
		}
		report, err := read()
		if again, err2 := read(); again.Key != report.Key || again.Install != report.Install || string(again.Params) != string(report.Params) || (err == nil) != (err2 == nil) {
			t.Fatalf("%q %q makes %+v, %v, and then %+v, %v", query, body, report, err, again, err2)
		}
		if err != nil {
			if text := fault.As(err).Message; !fault.Is(err, fault.Invalid) || text == "" || strings.ContainsAny(text, "\r\n") {
				t.Fatalf("%q %q is refused with %v", query, body, err)
			}
			return
		}
		if report.Key == "" || report.Install == "" || len(report.Params) > 16<<10 {
			t.Fatalf("%q %q makes %+v", query, body, report)
		}
		var params map[string]json.RawMessage
		if len(report.Params) > 0 && json.Unmarshal(report.Params, &params) != nil {
			t.Fatalf("%q %q keeps %s", query, body, report.Params)
		}
		for _, id := range report.IDs {
			if id.State() == attribution.Absent {
				t.Fatalf("%q %q names the absent id %+v", query, body, id)
			}
		}
	})
}
