package smartlinks

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"waypost/event"
	"waypost/ingest"
	"waypost/internal/device"
	"waypost/link"
)

// taker is a core that takes everything as the real one would.
type taker struct {
	app     link.App
	reports []ingest.Report
}

func (k *taker) FindApp(ingest.AppRef) (*link.App, *link.Account, error) {
	return &k.app, &link.Account{ID: 1}, nil
}

func (k *taker) Open(_ context.Context, r ingest.Report) (ingest.Receipt, error) {
	k.reports = append(k.reports, r)
	return ingest.Receipt{}, nil
}

func (k *taker) Event(ctx context.Context, r ingest.Report) (ingest.Receipt, error) {
	return k.Open(ctx, r)
}

func (k *taker) Identify(ctx context.Context, r ingest.Report) (ingest.Receipt, error) {
	return k.Open(ctx, r)
}

func (k *taker) Refuse(err error) error { return err }

func (k *taker) Ask(context.Context, link.AppID, string, bool) (ingest.Answer, error) {
	return ingest.Answer{Status: ingest.Pending, AskIn: ingest.AskAgain}, nil
}

// FuzzMessages sends anything at all: there is an answer, never of the
// server's own fault, and what is taken has what the core needs.
func FuzzMessages(f *testing.F) {
	for _, seed := range []string{
		`{"action":"install","kochava_app_id":"a","kochava_device_id":"","data":{"device_ids":[{"idfa":"A1B2C3D4-0000-4000-9000-00000000BEEF"},{"IDFV":"7a1c0b5e-3d2f-4b8a-9c6d-1e0f2a3b4c5d"}],
			"device_ua":"Mozilla%2F5.0+%28iPhone%29","device_ver":"iPhone-iOS-18.1","usertime":1795175940,"app_tracking_transparency":{"att":true},"install_referrer":{"referrer":"x","install_begin_time":1}}}`,
		`[{"action":"event","kochava_app_id":"a","kochava_device_id":"d","data":{"event_name":"E","event_data":"{\"sum\":1e3}","currency":"USD","usertime":"2026-11-20T12:00:00Z"}},7]`,
		`{"action":"identityLink","kochava_app_id":"a","kochava_device_id":"d","data":{"identity_link":{"id":7}}}`,
		`{"action":"session","kochava_app_id":"a","kochava_device_id":"d","data":{"state":"resume","device_ids":null,"disp_w":1e300,"url":"a://b"}}`,
		`{"action":"get_attribution","kochava_app_id":"a","kochava_device_id":"d","data":{"attempt_count":3}}`,
		"\x1f\x8b\x08\x00", `{"action":"event","kochava_app_id":"a","kochava_device_id":"d","data":{"event_data":[1],"event_name":"\u0000"}}`,
	} {
		f.Add(seed)
	}
	directory, err := link.NewDirectory(link.Catalog{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body string) {
		core := &taker{app: link.App{ID: 1, Platform: device.IOS}}
		n := &Ingest{IngestConfig: IngestConfig{Intake: core, Directory: func() *link.Directory { return directory }, Now: time.Now, Address: peer}}
		req, err := http.NewRequest(http.MethodPost, "http://x.test/track/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		answer := n.answer(req)
		if answer.Status >= 500 || !strings.HasPrefix(string(answer.Body), `{"success":"`) {
			t.Errorf("%d %s", answer.Status, answer.Body)
		}
		for _, r := range core.reports {
			if r.Install == "" || r.Key == "" || r.App.ID != 1 || r.Dialect != link.SmartLinks {
				t.Errorf("taken as %+v", r)
			}
			for _, id := range r.IDs {
				if id.Kind == "idfa" && (r.Consent == nil || r.Consent.Tracking != "yes") && !isBefore(r.Device.OS, askedSince) && r.Device.Platform == device.Unknown {
					t.Errorf("an IDFA without an answer: %+v", r)
				}
			}
			if _, err := (&event.Told{Params: r.Params}).Line(); err != nil {
				t.Errorf("has no form in the ledger: %v", err)
			}
		}
	})
}

func FuzzTouchQuery(f *testing.F) {
	for _, seed := range []string{"device_id=device_id&device_id_type=idfa", "&idfa=%zz&adid={x}", "campaign_id?campaign_id=x&language=de", "device_id=1&device_hash_method=md5"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		plain, err := url.QueryUnescape(query)
		named := err != nil || strings.Contains(strings.ToLower(plain), "idfa")
		for _, id := range touchBy(t, 2, query, nil).DeviceIDs {
			if id.State() == "absent" || id.Value == "device_id" && id.Kind == "idfa" && !named {
				t.Errorf("%q names %+v", query, id)
			}
		}
	})
}

func TestDeviceWords(t *testing.T) {
	t.Parallel()
	version := func(text, model string, platform device.Platform, system string) {
		t.Helper()
		if m, p, v := parseDeviceVersion(text); m != model || p != platform || v != system {
			t.Errorf("parseDeviceVersion(%q) = %q, %v, %q", text, m, p, v)
		}
	}
	version("iPhone-iOS-5.0", "iPhone", device.IOS, "5.0")
	version("HTC_Increadible-Android-2.6", "HTC_Increadible", device.Android, "2.6")
	version("SM-G991B-Android-13", "SM-G991B", device.Android, "13")
	version("iPhone Simulator-iOS-8.1", "iPhone Simulator", device.IOS, "8.1")
	version("iPhone-iOS-", "iPhone", device.IOS, "")
	version("iPhone-iOS-beta", "iPhone", device.IOS, "")
	version("17.4.1", "", device.Unknown, "17.4.1")
	for _, nothing := range []string{"", "iPhone", "iPhone-16.0", "a-b-1", "--", "-1"} {
		version(nothing, "", device.Unknown, "")
	}
	system := func(text string, platform device.Platform, version string) {
		t.Helper()
		if p, v := parseSystem(text); p != platform || v != version {
			t.Errorf("parseSystem(%q) = %v, %q", text, p, v)
		}
	}
	system("Android 16", device.Android, "16")
	system("iOS 17.4", device.IOS, "17.4")
	system("iPhone OS 17.4", device.IOS, "17.4")
	system("17.4", device.Unknown, "17.4")
	system("Plan 9", device.Unknown, "9")
	system("iOS", device.IOS, "")
	system("", device.Unknown, "")
	agent := func(text, want string) {
		t.Helper()
		m := message{data: object{}, object: object{}}
		m.data, _ = parseObject([]byte(`{"device_ua":"` + text + `"}`))
		if got := m.deviceAgent(); got != want {
			t.Errorf("%q is read as %q", text, got)
		}
	}
	agent("Mozilla/5.0 (Linux; Android 16)", "Mozilla/5.0 (Linux; Android 16)")
	agent("Mozilla%2F5.0%20(Linux%3B%20Android%2016)", "Mozilla/5.0 (Linux; Android 16)")
	agent("Mozilla%2F5.0+%28Linux%3B+Android+16%29", "Mozilla/5.0 (Linux; Android 16)")
	agent("C++%20app", "C++ app")
	agent("100% (a+b)", "100% (a+b)")
	agent("100%25 %zz", "100%25 %zz")
	agent("%ff", "%ff")
	agent("", "")
}

func TestAmounts(t *testing.T) {
	t.Parallel()
	f := func(params, want string) {
		t.Helper()
		o, err := parseObject([]byte(params))
		if err != nil {
			t.Fatal(err)
		}
		if got := amountOf(o); got != want {
			t.Errorf("%s: got %q, want %q", params, got, want)
		}
	}
	f(`{}`, "")
	f(`{"value":4,"revenue":3,"price":2,"sum":1}`, "1")
	f(`{"value":4,"revenue":3,"price":2}`, "2")
	f(`{"value":4,"revenue":"3.50"}`, "3.50")
	f(`{"value":"4"}`, "4")
	f(`{"price":"","value":4}`, "4")
	f(`{"sum":null,"price":{},"revenue":true,"value":4}`, "4")
	f(`{"price":"nine","value":4}`, "4")
	f(`{"price":"nine","revenue":"ten"}`, "nine")
	f(`{"value":"blue"}`, "")
	f(`{"sum":0,"price":5}`, "0")
	f(`{"Sum":1}`, "")
}
