package smartlinks

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"waypost/internal/device"
	"waypost/internal/fault"
	"waypost/link"
)

// fuzzGroup is a group with an app for each kind of route.
func fuzzGroup() *link.Group {
	apps := []*link.App{{ID: 1, Platform: device.IOS}, {ID: 2, Platform: device.Android}, {ID: 3, Platform: device.Web}, {ID: 4, Platform: device.Roku}}
	return &link.Group{AppGroup: link.AppGroup{ID: 7, Apps: []link.AppID{1, 2, 3, 4}}, Apps: apps}
}

var seeds = []string{
	`{"name":"L","default":{"app_id":3,"destination_url":"https://x.test/"},"routes_by_app":[{"app_id":1,"events":["_Install"],"routes":[{"name":"r","destination_url":"https://x.test/","reengagement_url":"a://b","rules":{"platform_in":["iOS"],"x":1}}]}]}`,
	`{"name":"L","path":"a://b","default":{"app_id":"3","destination_url":"{u}"},"routes_by_app":[{"app_id":2,"routes":[{"name":"r","destination_url":"market://x","native_link":"android"}]}],"custom_params":[{"key":"k","value":"{v}"}],"network_price":"CPI","network_pricing":1.5}`,
	`{"data":{"name":"L","default":{"id":448,"app_id":1},"routes_by_app":[{"app_id":1,"routes":[{"id":449,"name":"x","destination_url":"https://y.test/#a"}]}]}}`,
	`{"routes_by_app":[{"app_id":1,"routes":[{"id":null},{"id":0}]}],"default":null,"agency_network_id":null}`,
	`[]`, `{"name":5,"default":[]}`, "{\"name\":\"\xff\"}", `{"network_price":1e400,"custom_params":{}}`,
}

func parsed(raw string) (*wish, error) {
	o, err := parseObject([]byte(raw))
	if err != nil {
		return nil, err
	}
	return parseWish(o)
}

// refusal fails the test where an error is not one that a caller is told.
func refusal(t *testing.T, raw string, err error) {
	t.Helper()
	if f := fault.As(err); f.Kind != fault.Invalid || f.Field == "" || f.Message == "" {
		t.Fatalf("%q is refused with %#v", raw, f)
	}
}

// FuzzCreate: whatever is accepted can be kept, read back, and counted.
func FuzzCreate(f *testing.F) {
	for _, seed := range seeds {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		w, err := parsed(raw)
		if err != nil {
			refusal(t, raw, err)
			return
		}
		s, err := w.built(fuzzGroup())
		if err != nil {
			refusal(t, raw, err)
			return
		}
		checkStored(t, raw, &s)
	})
}

// FuzzChange: a change never adds, takes away or moves a tracker.
func FuzzChange(f *testing.F) {
	for _, seed := range seeds {
		f.Add(seed)
	}
	w, err := parsed(seeds[0])
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		before, err := w.built(fuzzGroup())
		if err != nil {
			t.Fatal(err)
		}
		after, err := w.built(fuzzGroup())
		if err != nil {
			t.Fatal(err)
		}
		change, err := parsed(raw)
		if err == nil {
			err = change.changed(&after, fuzzGroup(), 7)
		}
		if err != nil {
			refusal(t, raw, err)
			return
		}
		checkStored(t, raw, &after)
		was, is := before.Trackers(), after.Trackers()
		if len(was) != len(is) || after.Native != before.Native || after.Default.Name != before.Default.Name {
			t.Fatalf("%q makes %+v of %+v", raw, after, before)
		}
		for i := range is {
			if i > 0 && (is[i].App != was[i].App || is[i].Tracker != was[i].Tracker || !reflect.DeepEqual(is[i].Route.Platforms, was[i].Route.Platforms)) {
				t.Fatalf("%q makes %+v of %+v", raw, is[i], was[i])
			}
		}
	})
}

func checkStored(t *testing.T, raw string, s *Stored) {
	t.Helper()
	back, err := Read(s.Data())
	if err != nil || string(back.Data()) != string(s.Data()) {
		t.Fatalf("%q is kept as %s and read as %s, %v", raw, s.Data(), back.Data(), err)
	}
	all := s.Trackers()
	if len(all) < 2 || len(all) > int(link.MaxTracker) || all[len(all)-1].Tracker != link.Tracker(len(all)) {
		t.Fatalf("%q has the trackers %+v", raw, all)
	}
	if s.Price != "" && !json.Valid([]byte(s.Price)) {
		t.Fatalf("%q costs %q", raw, s.Price)
	}
	for _, tracked := range all {
		if r := tracked.Route; r != nil {
			if len(r.Platforms) == 0 || r.Name == "" || checkDestination(r.Destination) != "" || r.NativeLink != "" && r.Reengagement != "" {
				t.Fatalf("%q has the route %+v", raw, r)
			}
		}
	}
	for _, host := range s.targetHosts() {
		if host != strings.ToLower(host) || strings.ContainsAny(host, "{}/ ") {
			t.Fatalf("%q leads to the host %q", raw, host)
		}
	}
	click, impression := addresses("https://x.test/guid", "guid", s.CustomParams)
	if !strings.HasPrefix(click, "https://x.test/guid") || impression != strings.Replace(click, "/guid", "/imp/guid", 1) || strings.ContainsAny(click, " \r\n") {
		t.Fatalf("%q has the URLs %q and %q", raw, click, impression)
	}
}

// FuzzQuery: no query breaks the reading of lists, and pages stay in bounds.
func FuzzQuery(f *testing.F) {
	f.Add("is_active=true&search=prod&page=2&page_size=10&sort=name&platform=android%2Cios&account=5&has_write_access=1")
	f.Add("vppn_app_id=30000%C30001&&=x&%zz=%&page=-1&page_size=99999999999")
	f.Fuzz(func(t *testing.T, raw string) {
		q := parseQuery(raw)
		offset, limit, err := q.page()
		if err == nil && (offset < 0 || limit < 1 || limit > maxPageSize) {
			t.Fatalf("%q: page from %d of %d", raw, offset, limit)
		}
		if ids, _ := q.ids("vppn_app_id"); len(ids) > len(raw) {
			t.Fatalf("%q holds the ids %v", raw, ids)
		}
		if _, err := parseGroupFilter(q); err != nil {
			refusal(t, raw, err)
		}
	})
}

func TestTargetHosts(t *testing.T) {
	t.Parallel()
	s := Stored{Path: "https://In.test/x", Default: Default{Destination: "https://www.test/{a}%zz"}, Apps: []App{{Routes: []Route{
		{Destination: "https://www.test:8443/", Reengagement: "app://host/x"}, {Destination: "market://details", Reengagement: "http://deep.test?x"}, {Destination: "{deeplink}"},
	}}}}
	if got, want := s.targetHosts(), []string{"in.test", "www.test", "deep.test"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestParsePrice(t *testing.T) {
	t.Parallel()
	f := func(text, want string, ok bool) {
		t.Helper()
		got, valid := parsePrice(text)
		if valid != ok || ok && string(got) != want {
			t.Errorf("%q is %q, %v", text, got, valid)
		}
	}
	f("", "", true)
	f("0", "0", true)
	f("0.99", "0.99", true)
	f(".5", "0.5", true)
	f("1e3", "1e3", true)
	f("-0", "", false)
	f("+1", "", false)
	f("01", "", false)
	f("1_0", "", false)
	f("Inf", "", false)
	f(strings.Repeat("9", 30), "", false)
}
