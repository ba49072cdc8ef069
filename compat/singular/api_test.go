package singular_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"waypost/compat/compattest"
	"waypost/compat/singular"
	"waypost/internal/fault"
	"waypost/link"
	"waypost/manage"
)

const linksPath = "/api/v1/singular_links/links"

// send makes one call with acme's key and returns status, headers and body.
func send(t testing.TB, base, method, target, body string, headers ...string) (int, http.Header, string) {
	t.Helper()
	return compattest.Send(t, method, base+target, body, append([]string{"Authorization", "acme-admin-token"}, headers...)...)
}

// customLink is the body of a create in the accounts of acme.yaml.
func customLink(name, more string) string {
	return fmt.Sprintf(`{"app_id":4833,"link_type":"custom","source_name":"social","tracking_link_name":%q,"link_subdomain":"acme",
		"link_dns_zone":"sng.link","destination_fallback_url":"https://www.acme.test/",
		"android_redirection":{"app_site_id":26538,"destination_url":"https://play.google.com/store/apps/details?id=com.acme.app"}%s}`, name, more)
}

// created makes a link and returns its id.
func created(t testing.TB, base, body string) string {
	t.Helper()
	status, _, text := send(t, base, "POST", linksPath, body)
	var answer struct {
		ID string `json:"tracking_link_id"`
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil || status != 200 {
		t.Fatalf("got %d %s, %v", status, text, err)
	}
	return answer.ID
}

func TestFailuresOfOurs(t *testing.T) {
	t.Parallel()
	internal := errors.New("disk on fire at /var/secret")
	away := &fault.Error{Kind: fault.Unavailable, RetryAfter: 5 * time.Second, Err: internal}
	f := func(method, target string) {
		for _, broken := range []error{internal, away} {
			t.Run(method+target+broken.Error(), func(t *testing.T) {
				t.Parallel()
				var log bytes.Buffer
				rules := acmeRules(t)
				rules.store.broken = broken
				base := serve(t, singular.Config{Rules: rules, Logger: slog.New(slog.NewJSONHandler(&log, nil))})
				status, want := 500, `{"error":{"code":500,"message":"Internal error"}}`
				if broken == error(away) {
					status, want = 503, `{"error":{"code":503,"message":"Service temporarily unavailable, try again"}}`
				}
				got, header, body := send(t, base, method, target+"?api_key=acme-admin-token", customLink("x", ""), "Authorization", "")
				if got != status || body != want {
					t.Errorf("got %d %s, want %d %s", got, body, status, want)
				}
				id := header.Get("X-Request-Id")
				if id == "" || strings.Count(log.String(), "\n") != 1 || !strings.Contains(log.String(), id) || !strings.Contains(log.String(), "disk on fire") {
					t.Errorf("request %q is not logged once with its cause: %s", id, log.String())
				}
				if strings.Contains(log.String(), "acme-admin-token") {
					t.Errorf("the key is logged: %s", log.String())
				}
				if retry := header.Get("Retry-After"); (retry == "5") != (status == 503) {
					t.Errorf("Retry-After is %q", retry)
				}
			})
		}
	}
	f("POST", linksPath)
	f("GET", linksPath)
	f("PUT", linksPath+"/abcde")
	f("DELETE", linksPath+"/abcde")
	f("GET", linksPath+"/abcde/qr")
}

// moody panics where the rules would answer.
type moody struct{ *manage.Service }

func (moody) ListedLinks(context.Context, manage.Actor, link.Filter) ([]link.Link, error) {
	panic("boom")
}

func TestPanicIsAnsweredInShape(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	base := serve(t, singular.Config{Rules: moody{acmeRules(t).Service}, Logger: slog.New(slog.NewJSONHandler(&log, nil))})
	status, header, body := send(t, base, "GET", linksPath+"?api_key=acme-admin-token", "")
	if status != 500 || body != `{"error":{"code":500,"message":"Internal error"}}` {
		t.Errorf("got %d %s", status, body)
	}
	if !strings.Contains(log.String(), "boom") || !strings.Contains(log.String(), header.Get("X-Request-Id")) || strings.Contains(log.String(), "acme-admin-token") {
		t.Errorf("log is %s", log.String())
	}
}

// A link whose counting fails is there, so its maker learns of it.
func TestUncountedLinkIsTold(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	rules := acmeRules(t)
	rules.store.uncounted = errors.New("no counter")
	base := serve(t, singular.Config{Rules: rules, Logger: slog.New(slog.NewJSONHandler(&log, nil))})
	id := created(t, base, customLink("x", ""))
	if _, _, list := send(t, base, "GET", linksPath, ""); !strings.Contains(list, `"tracking_link_id":"`+id+`"`) || !strings.Contains(log.String(), "no counter") {
		t.Errorf("list is %s, log is %s", list, log.String())
	}
}

func TestWhatTheRulesAreAsked(t *testing.T) {
	t.Parallel()
	rules := acmeRules(t)
	base := serve(t, singular.Config{Rules: rules})
	id := created(t, base, customLink("x", `,"ios_redirection":{"app_site_id":24171,"destination_url":"https://Apps.apple.com/x","destination_deeplink_url":"https://open.acme.test/x","destination_deferred_deeplink_url":"acme://y"},
		"link_parameter":{"_fallback_redirect":"https://param.test/","pcn":"https://not.test/"}`))
	l := rules.store.lastWritten()
	if l.Account != 5899 || l.Dialect != link.Singular || l.Code != id || l.Path != link.Path("//acme.localhost/03q9/"+id) || l.TTL != 0 || l.Brand != "" {
		t.Errorf("link is %+v", l)
	}
	want := link.Listing{AppGroup: 4833, Name: "x", Identity: "singular\x005899\x00source social\x00x\x00[24171 26538]"}
	if l.Listing == nil || *l.Listing != want {
		t.Errorf("listing is %+v, want %+v", l.Listing, want)
	}
	if hosts := []string{"www.acme.test", "play.google.com", "apps.apple.com", "open.acme.test", "param.test"}; !slices.Equal(l.TargetHosts, hosts) {
		t.Errorf("target hosts are %q, want %q", l.TargetHosts, hosts)
	}
	s, err := singular.Read(l.Data)
	if err != nil || s.LinkSubdomain != "acme" || s.Zone != "sng.link" || s.IOS.DeepLink != "https://open.acme.test/x" || len(s.Short) != 4 {
		t.Errorf("stored link is %+v, %v", s, err)
	}
	if status, _, body := send(t, base, "PUT", linksPath+"/"+id, `{"destination_fallback_url":"https://new.test/"}`); status != 200 {
		t.Fatalf("got %d %s", status, body)
	}
	changed := rules.store.lastWritten()
	again, err := singular.Read(changed.Data)
	if err != nil || again.Short != s.Short || again.Fallback != "https://new.test/" || changed.TargetHosts[0] != "new.test" || *changed.Listing != want {
		t.Errorf("the changed link is %+v, %+v, %v", changed, again, err)
	}
}

func TestReferralIsStored(t *testing.T) {
	t.Parallel()
	rules := acmeRules(t)
	base := serve(t, singular.Config{Rules: rules})
	id := created(t, base, customLink("x", `,"link_parameter":{"pcn":"a","x":"1"}`))
	s, err := singular.Read(rules.store.lastWritten().Data)
	if err != nil {
		t.Fatal(err)
	}
	f := func(long, query string) {
		t.Helper()
		body, err := json.Marshal(map[string]string{"long_link": long})
		if err != nil {
			t.Fatal(err)
		}
		if status, _, answer := send(t, base, "POST", "/api/v1/shorten_link?a=acme-sdk-key", string(body), "Authorization", ""); status != 200 {
			t.Fatalf("got %d %s", status, answer)
		}
		l := rules.store.lastWritten()
		r, err := singular.ReadReferral(l.Data)
		front, code := "//acme.localhost/03q9/"+id, strings.TrimPrefix(string(l.Path), "//acme.localhost/03q9/"+id+"/r_")
		if err != nil || r.Query != query || l.Base != link.Path(front) || len(code) != 10 || l.Code != code || l.TTL != 30*24*time.Hour || l.Listing != nil {
			t.Errorf("%s is stored as %+v with %+v, %v", long, l, r, err)
		}
	}
	plain := "http://acme.localhost:8080/D03q9/" + id
	f(plain+"?pcn=b&_p=%7B%7D", "pcn=b&_p=%7B%7D")
	f(plain, "")
	f("https://mybranded.test/A03q9/"+id+"?y=2", "y=2")
	f(plain+"/"+s.Short, "pcn=a&x=1")
	f(plain+"/"+s.Short+"?x=2&y=3", "pcn=a&x=2&y=3")
	// Nothing but the letter has a case; what is stored is what a click looks for.
	f("HTTP://Acme.LocalHost:8080/D03Q9/"+strings.ToUpper(id)+"/"+strings.ToUpper(s.Short)+"?Pcn=B", "pcn=a&x=1&Pcn=B")
}

// The clock passes: a new minute, a new day and a new month allow more.
func TestLimitsRenew(t *testing.T) {
	t.Parallel()
	f := func(limit string, wait time.Duration) {
		t.Run(limit, func(t *testing.T) {
			t.Parallel()
			text := bytes.Replace(readFile(t, "../../examples/acme.yaml"), []byte(limit+": unlimited"), []byte(limit+": 1"), 1)
			rules := rulesOf(t, "acme.yaml", text)
			base := serve(t, singular.Config{Rules: rules})
			created(t, base, customLink("one", ""))
			status, header, body := send(t, base, "POST", linksPath, customLink("two", ""))
			if status != 429 {
				t.Fatalf("got %d %s", status, body)
			}
			if retry, err := time.ParseDuration(header.Get("Retry-After") + "s"); err != nil || retry > wait || retry < wait-time.Minute {
				t.Errorf("Retry-After is %q, want %v", header.Get("Retry-After"), wait)
			}
			rules.clock.Pass(wait)
			created(t, base, customLink("two", ""))
		})
	}
	f("creates_per_minute", time.Minute)
	f("creates_per_day", 12*time.Hour)
	f("creates_per_month", 10*24*time.Hour+12*time.Hour)
}

func TestListIsNewestFirst(t *testing.T) {
	t.Parallel()
	rules := acmeRules(t)
	base := serve(t, singular.Config{Rules: rules})
	var made []string
	for i := range 5 {
		made = slices.Insert(made, 0, created(t, base, customLink(fmt.Sprint(i), "")))
		rules.clock.Pass(time.Second)
	}
	f := func(query string, want []string) {
		t.Helper()
		_, _, body := send(t, base, "GET", linksPath+query, "")
		var list []struct {
			ID string `json:"tracking_link_id"`
		}
		if err := json.Unmarshal([]byte(body), &list); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, l := range list {
			got = append(got, l.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", query, got, want)
		}
	}
	f("", made)
	f("?limit=2", made[:2])
	f("?limit=2&offset=1", made[1:3])
	f("?offset=4", made[4:])
	f("?limit=2&offset=1&source_name=social", made[1:3])
	f("?offset=3&link_type=custom", made[3:])
	f("?limit=9&offset=5", nil)
}

func TestTimesMove(t *testing.T) {
	t.Parallel()
	rules := acmeRules(t)
	base := serve(t, singular.Config{Rules: rules})
	id := created(t, base, customLink("x", ""))
	rules.clock.Pass(26 * time.Hour)
	send(t, base, "PUT", linksPath+"/"+id, `{"enable_ctv":true}`)
	if _, _, body := send(t, base, "GET", linksPath, ""); !strings.Contains(body, `"created_utc":"Fri, 20 Nov 2026 12:00:00 GMT","modified_utc":"Sat, 21 Nov 2026 14:00:00 GMT"`) {
		t.Errorf("got %s", body)
	}
}

func TestArchivedAppTakesNoLinks(t *testing.T) {
	t.Parallel()
	rules := acmeRules(t)
	base := serve(t, singular.Config{Rules: rules})
	admin, err := rules.Authenticate("acme-admin-token")
	if err != nil {
		t.Fatal(err)
	}
	if err := rules.ArchiveGroup(t.Context(), admin, 4833); err != nil {
		t.Fatal(err)
	}
	if status, _, body := send(t, base, "POST", linksPath, customLink("x", "")); status != 409 || body != `{"error":{"code":409,"message":"The app is archived and takes no changes"}}` {
		t.Errorf("got %d %s", status, body)
	}
	for _, helper := range []string{"apps", "configured_partners"} {
		if _, _, body := send(t, base, "GET", "/api/v1/singular_links/"+helper, ""); !strings.HasSuffix(body, ":[]}") {
			t.Errorf("%s are %s", helper, body)
		}
	}
}

func TestOwns(t *testing.T) {
	t.Parallel()
	f := func(path string, want bool) {
		t.Helper()
		if got := singular.Owns(path); got != want {
			t.Errorf("Owns(%q) = %v", path, got)
		}
	}
	f(linksPath, true)
	f(linksPath+"/abcde/qr", true)
	f("//api/v1//singular_links/", true)
	f("/api/v1/singular_links/nothing", true)
	f("/api/v1/shorten_link", true)
	f("/api/v1/shorten_link/x", false)
	f("/api/v1/singular", false)
	f("/api/v2/singular_links/links", false)
	f("/api/v1", false)
	f("/", false)
	f("", false)
}

// TestQueryFieldsByBothNames: which of a field's two names wins does not hang on
// the order of a map.
func TestQueryFieldsByBothNames(t *testing.T) {
	t.Parallel()
	base := serve(t, singular.Config{Rules: acmeRules(t)})
	const tries = 30 // a map turns its order around within a few
	for i := range tries {
		name := fmt.Sprintf("both %d", i)
		status, _, body := send(t, base, "POST", linksPath+"?enabled_ctv=false&enable_ctv=true", customLink(name, ""))
		if status != 200 {
			t.Fatalf("%d %s", status, body)
		}
	}
	if status, _, body := send(t, base, "GET", linksPath, ""); status != 200 || strings.Count(body, `"enable_ctv":true`) != tries {
		t.Errorf("%d %s", status, body)
	}
}

// post makes one create with acme's key, from any goroutine, and returns its status.
func post(base, body string) (int, error) {
	res, err := http.Post(base+linksPath+"?api_key=acme-admin-token", "", strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, res.Body)
	return res.StatusCode, errors.Join(err, res.Body.Close())
}

// TestEqualCreatesCostOneCallOfTheMinute, also when they come at once: those
// that are refused do not count.
func TestEqualCreatesCostOneCallOfTheMinute(t *testing.T) {
	t.Parallel()
	const perMinute = "creates_per_minute: "
	text := bytes.Replace(readFile(t, "../../examples/acme.yaml"), []byte(perMinute+"unlimited"), []byte(perMinute+"4"), 1)
	rules := rulesOf(t, "acme.yaml", text)
	rules.store.dawdles = 1000 // so that the others get past their checks, where they can
	base := serve(t, singular.Config{Rules: rules})
	statuses := make([]int, 24)
	var all sync.WaitGroup
	for i := range statuses {
		all.Go(func() {
			var err error
			if statuses[i], err = post(base, customLink("same", "")); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	slices.Sort(statuses)
	if statuses[0] != 200 || statuses[1] != 409 || statuses[len(statuses)-1] != 409 {
		t.Errorf("equal creates are answered %v, want one 200, then 409", statuses)
	}
	for i := range 3 {
		created(t, base, customLink(fmt.Sprint("other ", i), ""))
	}
	if status, _, body := send(t, base, "POST", linksPath, customLink("fifth", "")); status != 429 {
		t.Errorf("the fifth link of the minute: %d %s", status, body)
	}
}
