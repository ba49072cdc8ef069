package smartlinks

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"waypost/compat/compattest"
	"waypost/internal/device"
	"waypost/link"
	"waypost/route"
)

// agents are the visitors of the scripts.
var agents = map[string]string{
	"iphone":            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1",
	"iphone-instagram":  "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Instagram 330.0.0.29.90 (iPhone14,5; iOS 17_5; en_US; en; scale=3.00; 1170x2532; 1)",
	"ipad-desktop-site": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15",
	"pixel":             "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36",
	"pixel-instagram":   "Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/AP1A; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/131.0.0.0 Mobile Safari/537.36 Instagram 330.0.0.29.90 Android (34/14; 420dpi; 1080x2400; Google/google; Pixel 8; shiba; shiba; en_US; 1)",
	"kindle":            "Mozilla/5.0 (Linux; Android 11; KFTRWI) AppleWebKit/537.36 (KHTML, like Gecko) Silk/102.2.1 like Chrome/102.0.5005.125 Safari/537.36",
	"mac":               "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
	"windows":           "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
	"linux":             "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
	"chromeos":          "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
	"roku":              "Roku/DVP-12.0 (12.0.0.4182-88)",
	"appletv":           "AppleTV11,1/11.1",
	"googlebot":         "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
	"whatsapp-preview":  "WhatsApp/2.23.20.0",
	"curl":              "curl/8.5.0",
}

// Where the scripts' link lives.
const (
	scriptLink = link.LinkID(77)
	scriptHost = "sxm.example"
	scriptGUID = "r796r1qs0"
)

// script is one file of testdata/redirects: what is set up, and what visitors
// with addresses get.
type script struct {
	apps  []link.App
	data  json.RawMessage
	allow []string
}

func TestRedirectScripts(t *testing.T) {
	t.Parallel()
	detector := device.NewDetector(64)
	compattest.RunScripts(t, func(from *compattest.Script) compattest.Answers {
		s := &script{allow: from.Words("allow")}
		from.Need("apps", &s.apps)
		from.Need("link", &Stored{}) // knows every field of the data
		from.Need("link", &s.data)
		return func(t *testing.T, c compattest.ScriptClick) string {
			return s.answer(t, detector, c)
		}
	})
}

// answer renders what a click is answered with, the way the scripts are written.
func (s *script) answer(t *testing.T, detector *device.Detector, c compattest.ScriptClick) string {
	t.Helper()
	if agents[c.Visitor] == "" {
		t.Fatalf("clicks line %d: there is no visitor %q", c.Line, c.Visitor)
	}
	rules := s.rules(t, c.Address)
	d := route.Compile(rules).Decide(detector.Detect([]byte(agents[c.Visitor]), device.Hints{}))
	out := fmt.Sprintf("%s %s, tracker %d\n", d.Rule, d.Kind, d.Tracker) + compattest.Shown(t, d)
	if reply := d.Reply(); reply != "" {
		out += fmt.Sprintf("reply %s\n", reply)
	}
	if deepLink := d.AppendDeepLink(nil, compattest.Moment); len(deepLink) > 0 {
		out += fmt.Sprintf("in-app %s\n", deepLink)
	}
	return out + compattest.Noted(rules.Notes)
}

// directoryOf returns the configuration that links of the apps live in.
func directoryOf(t testing.TB, apps []link.App) *link.Directory {
	t.Helper()
	group := link.AppGroup{ID: 4833, Account: 5899, Name: "Acme"}
	for i := range apps {
		apps[i].Account = 5899
		group.Apps = append(group.Apps, apps[i].ID)
	}
	d, err := link.NewDirectory(link.Catalog{
		Accounts:  []link.Account{{ID: 5899, Name: "Acme Inc"}, {ID: 6001, Name: "Rival Ltd"}},
		Apps:      apps,
		AppGroups: []link.AppGroup{group, {ID: 4900, Account: 6001, Name: "Rival"}},
		Domains: []link.Domain{
			{Host: scriptHost, Account: 5899, AppGroup: 4833, BaseURL: "https://" + scriptHost},
			{Host: "brand.example", Account: 5899, AppGroup: 4833, BaseURL: "https://brand.example", BrandOf: scriptHost},
			{Host: "rival.example", Account: 6001, AppGroup: 4900, BaseURL: "https://rival.example"},
		},
		Shared: []link.SharedDomain{{Host: "smart.example", BaseURL: "https://smart.example"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// queryParams reads a query as the door does.
func queryParams(raw string) []link.Param {
	var params []link.Param
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		params = append(params, link.Param{Name: unescape(name), Value: unescape(value)})
	}
	return params
}

// clickedAt is what the door hands over for an address: empty, a query, or a
// path and a query.
func clickedAt(t testing.TB, d *link.Directory, host, address string) *route.Clicked {
	t.Helper()
	path, query, _ := strings.Cut(address, "?")
	path = strings.Trim(path, "/")
	if path == "" {
		path = scriptGUID
	}
	place, ok := Clicks{}.Locate(&route.Request{Site: d.Site(host), Path: path, Query: query})
	if !ok {
		t.Fatalf("%q points to nothing", address)
	}
	return &route.Clicked{Directory: d, Site: d.Site(host), Code: scriptGUID, Place: place, Query: queryParams(query)}
}

func (s *script) rules(t *testing.T, address string) *route.Rules {
	t.Helper()
	c := clickedAt(t, directoryOf(t, slices.Clone(s.apps)), scriptHost, address)
	c.Link = &link.Link{
		ID: scriptLink, Account: 5899, Dialect: link.SmartLinks, Code: scriptGUID, Path: link.HostPath(scriptHost, scriptGUID),
		Data: s.data, Listing: &link.Listing{AppGroup: 4833},
	}
	c.Allow = func(host string) bool { return slices.Contains(s.allow, host) }
	if c.Place.Link != c.Link.ID && c.Place.Path != c.Link.Path {
		t.Fatalf("%q is the address of another link", address)
	}
	rules, err := Clicks{}.Rules(c)
	if err != nil {
		t.Fatal(err)
	}
	return rules
}
