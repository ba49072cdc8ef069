package manifest_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"waypost/link"
	"waypost/manage/manifest"
)

// full says every field that a thing may have.
const full = `
shared_domains: [{host: smart.test, base_url: "http://smart.test:8080"}]
accounts:
  - key: full
    name: Full
    onelink_account_id: FULL1
    timezone: Europe/Berlin
    redirect_allowlist: [www.full.test]
    limits:
      onelink: {monthly_writes: 1, v1_per_second: 2, v2_per_second: 3, qr_per_second: 4}
      singular: {creates_per_minute: 5, creates_per_day: 6, creates_per_month: 7, reads_per_minute: 8}
      smartlinks: {per_second: 9}
    privacy: {ip: truncated}
    shared_domain: smart.test
    sdk_key: full-sdk-key
    sdk_secret: full-sdk-secret
    tokens: [{name: t, secret: full-token, role: write, agency: true, app_groups: [g]}]
    attribution: &said
      lookbacks: {click: 1d, view: 1h, click_probabilistic: 2h, view_probabilistic: 3h, reengagement: 2d}
      reattribution_window: 30d
      inactivity_window: 3d
      reengagement_gap: 4h
      event_window: 5d
      probabilistic: {enabled: false, ios: owned}
      fraud:
        rules: {geo_mismatch: reject, emulator: off}
        thresholds: {ctit_short: 11s, device_clicks: 2, agent_clicks: 3, device_installs: 4, vendor_installs: 5,
                     site_clicks: 600, site_rate: 7, site_installs: 80, site_new_devices: 9}
        user_rules: [{name: home, when: {geo: [DE]}}]
    apps:
      - {key: ios, guid: ko-ios, name: I, platform: ios, bundle_id: com.full, team_id: A1B2C3D4E5, store_id: "77", store_url: "https://s.test/77", scheme: full, clipboard: true, attribution: *said}
      - {key: droid, name: D, platform: android, package: com.full, sha256_cert_fingerprints: ["` + print + `"]}
    app_groups: [{key: g, name: G, apps: [ios, droid]}]
    domains:
      - {host: home.test, base_url: "http://home.test:8080", app_group: g, default: true}
      - {host: brand.test, app_group: g, brand_of: home.test}
    templates:
      - {id: T1, name: T, app_group: g, domain: home.test, web_url: "https://www.full.test/", og: {title: T, description: D, image_url: "https://i.test/"},
         uri_scheme: "full://x", market_links: true, qr: {foreground: "#000001", background: "#fffffe"}}
    partners:
      - {key: p, name: P, kind: agency, private: true, tracking_links: true, multiple_os: true, reengagement: true, ctv: true, link_query: "a=b", logo_url: /l.png,
         configured_for: [{app: ios, click_deterministic_window: 7d}]}
    postbacks: [{key: b, partner: p, app: ios, on: [install], method: POST, url: "https://b.test/", secret: full-secret}]
`

const print = "14:6D:E9:83:C5:73:06:50:D8:EE:B9:95:2F:34:FC:64:16:A0:83:42:E6:1D:BE:A8:8A:04:96:B2:3F:CF:44:E5"

// keptThings is a file of the account's things that says only what is required of each.
const keptThings = `
shared_domains: [{host: smart.test}]
accounts:
  - key: full
    name: Full
    tokens: [{name: t, secret: full-token, role: write}]
    apps:
      - {key: ios, name: I, platform: ios, bundle_id: com.full}
      - {key: droid, name: D, platform: android, package: com.full}
    app_groups: [{key: g, name: G, apps: [ios, droid]}]
    domains: [{host: home.test, app_group: g}, {host: brand.test, app_group: g}]
    templates: [{id: T1, name: T, app_group: g, domain: home.test}]
    partners: [{key: p, name: P}]
    postbacks: [{key: b, on: [install], url: "https://b.test/"}]
`

func fullCatalog(t *testing.T) link.Catalog {
	t.Helper()
	plan, err := manifest.Resolve(parsed(t, full), link.Catalog{})
	if err != nil {
		t.Fatal(err)
	}
	return plan.Merged
}

// TestResolveKeepsWhatAFileDoesNotSay: on every level; and the file says it all
// of every field, else it would prove nothing.
func TestResolveKeepsWhatAFileDoesNotSay(t *testing.T) {
	t.Parallel()
	c := fullCatalog(t)
	filled := map[string]any{
		"account": c.Accounts[0], "app": app(c, "ios"), "domain": domain(c, "home.test"),
		"template": c.Templates[0], "partner": c.Partners[0], "postback": c.Postbacks[0], "token": c.Tokens[0],
	}
	unneeded := " URL Package Fingerprints BrandOf Agency Expires ArchivedAt CreatedAt UpdatedAt " // of another platform, of brands, of agencies
	for kind, thing := range filled {
		v := reflect.ValueOf(thing)
		for i := range v.NumField() {
			if name := v.Type().Field(i).Name; v.Field(i).IsZero() && !strings.Contains(unneeded, " "+name+" ") {
				t.Errorf("the %s of this test says nothing of %s", kind, name)
			}
		}
	}
	plan, err := manifest.Resolve(parsed(t, keptThings), c)
	if err != nil || !plan.Empty() || !reflect.DeepEqual(plan.Changed, link.Catalog{}) {
		t.Errorf("%s, %v\n%+v", actions(plan), err, plan.Changed)
	}
	if len(plan.Things) != 11 {
		t.Errorf("%d things are named: %s", len(plan.Things), actions(plan))
	}
}

func app(c link.Catalog, key link.Key) link.App {
	for _, a := range c.Apps {
		if a.Key == key {
			return a
		}
	}
	return link.App{}
}

func domain(c link.Catalog, host string) link.Domain {
	for _, d := range c.Domains {
		if d.Host == host {
			return d
		}
	}
	return link.Domain{}
}

// lines are the things of a catalog, each as text, in one order.
func lines(t *testing.T, c link.Catalog) string {
	t.Helper()
	var all []string
	v := reflect.ValueOf(c)
	for i := range v.NumField() {
		for k := range v.Field(i).Len() {
			line, err := json.Marshal(v.Field(i).Index(k).Interface())
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, v.Type().Field(i).Name+" "+strings.NewReplacer("[]", "null", "{}", "null").Replace(string(line)))
		}
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

func ofAccount(change func(*link.Account)) func(*link.Catalog) {
	return func(c *link.Catalog) { change(&c.Accounts[0]) }
}

func ofIOS(change func(*link.App)) func(*link.Catalog) {
	return func(c *link.Catalog) {
		for i := range c.Apps {
			if c.Apps[i].Key == "ios" {
				change(&c.Apps[i])
			}
		}
	}
}

func ofSettings(change func(*link.AttributionSettings)) func(*link.Catalog) {
	return ofIOS(func(a *link.App) { change(&a.Attribution) })
}

func ofDomain(host string, change func(*link.Domain)) func(*link.Catalog) {
	return func(c *link.Catalog) {
		for i := range c.Domains {
			if c.Domains[i].Host == host {
				change(&c.Domains[i])
			}
		}
	}
}

// cleared are changes of keptThings, and what they do to the store.
var cleared = []struct {
	old, with string // in keptThings
	change    func(*link.Catalog)
}{
	{"name: Full\n", "name: Full\n    onelink_account_id: \"\"\n", ofAccount(func(a *link.Account) { a.Names = nil })},
	{"name: Full\n", "name: Full\n    timezone: \"\"\n", ofAccount(func(a *link.Account) { a.Timezone = "UTC" })},
	{"name: Full\n", "name: Full\n    redirect_allowlist: []\n", ofAccount(func(a *link.Account) { a.RedirectAllowlist = nil })},
	{"name: Full\n", "name: Full\n    limits: {}\n", ofAccount(func(a *link.Account) { a.Limits = nil })},
	{"name: Full\n", "name: Full\n    limits: {onelink: {}, singular: {creates_per_minute: 50}}\n", ofAccount(func(a *link.Account) {
		a.Limits = map[link.LimitName]link.Limit{link.SingularPerMinute: 50, link.SingularPerDay: 6, link.SingularPerMonth: 7, link.SingularReadPerMinute: 8, link.SmartLinksPerSecond: 9}
	})},
	{"name: Full\n", "name: Full\n    privacy: {}\n", ofAccount(func(a *link.Account) { a.IPPolicy = link.IPFull })},
	{"name: Full\n", "name: Full\n    shared_domain: \"\"\n", ofAccount(func(a *link.Account) { a.SharedDomain = "" })},
	{"name: Full\n", "name: Full\n    sdk_key: \"\"\n    sdk_secret: \"\"\n", ofAccount(func(a *link.Account) { a.SDKKey, a.SDKSecret = "", "" })},
	{"name: Full\n", "name: Full\n    attribution: {}\n", ofAccount(func(a *link.Account) { a.Attribution = link.AttributionSettings{} })},
	{"bundle_id: com.full", "bundle_id: com.full, scheme: \"\", clipboard: false", ofIOS(func(a *link.App) { a.Scheme, a.Clipboard = "", false })},
	{"bundle_id: com.full", "bundle_id: com.full, team_id: \"\", store_id: \"\", store_url: \"\"", ofIOS(func(a *link.App) { a.TeamID, a.StoreID, a.StoreURL = "", "", "" })},
	{"bundle_id: com.full", "bundle_id: com.full, attribution: {lookbacks: {}, inactivity_window: 0}", ofSettings(func(s *link.AttributionSettings) {
		s.Lookbacks, s.InactivityWindow = link.LookbackSettings{}, new(time.Duration(0))
	})},
	{"bundle_id: com.full", "bundle_id: com.full, attribution: {lookbacks: {view: 2h}, probabilistic: {ios: \"\"}}", ofSettings(func(s *link.AttributionSettings) {
		s.Lookbacks.View, s.ProbabilisticOnIOS = new(2*time.Hour), ""
	})},
	{"bundle_id: com.full", "bundle_id: com.full, attribution: {fraud: {rules: {emulator: reject}}}", ofSettings(func(s *link.AttributionSettings) {
		s.FraudRules = map[string]string{"geo_mismatch": "reject", "emulator": "reject"}
	})},
	{"bundle_id: com.full", "bundle_id: com.full, attribution: {fraud: {rules: {}, thresholds: {site_rate: 70}, user_rules: []}}", ofSettings(func(s *link.AttributionSettings) {
		s.FraudRules, s.UserRules, s.Thresholds.SiteRate = nil, nil, new(int64(70))
	})},
	{"package: com.full", "package: com.full, sha256_cert_fingerprints: []", func(c *link.Catalog) {
		for i := range c.Apps {
			c.Apps[i].Fingerprints = nil
		}
	}},
	{"host: home.test", "host: home.test, default: false, base_url: \"\"", ofDomain("home.test", func(d *link.Domain) { d.Default, d.BaseURL = false, "https://home.test" })},
	{"host: brand.test", "host: brand.test, brand_of: \"\"", ofDomain("brand.test", func(d *link.Domain) { d.BrandOf = "" })},
	{"host: smart.test", "host: smart.test, base_url: \"\"", func(c *link.Catalog) { c.Shared[0].BaseURL = "https://smart.test" }},
	{"domain: home.test", "domain: home.test, web_url: \"\", uri_scheme: \"\", market_links: false", func(c *link.Catalog) {
		c.Templates[0].WebURL, c.Templates[0].URIScheme, c.Templates[0].MarketLinks = "", "", false
	}},
	{"domain: home.test", "domain: home.test, og: {title: \"\"}, qr: {}", func(c *link.Catalog) {
		c.Templates[0].OG.Title, c.Templates[0].QR = "", link.QRStyle{}
	}},
	{"name: P}", "name: P, kind: \"\", private: false, tracking_links: false, link_query: \"\", logo_url: \"\"}", func(c *link.Catalog) {
		n := &c.Partners[0]
		n.Kind, n.Private, n.TrackingLinks, n.LinkQuery, n.LogoURL = link.Network, false, false, "", ""
	}},
	{"name: P}", "name: P, multiple_os: false, reengagement: false, ctv: false, configured_for: []}", func(c *link.Catalog) {
		n := &c.Partners[0]
		n.MultipleOS, n.Reengagement, n.CTV, n.ConfiguredFor = false, false, false, nil
	}},
	{"key: b, on: [install]", "key: b, partner: \"\", app: \"\", method: \"\", secret: \"\", on: [install]", func(c *link.Catalog) {
		b := &c.Postbacks[0]
		b.Partner, b.App, b.Method, b.Secret = 0, 0, "GET", ""
	}},
	{"role: write", "role: write, agency: false, app_groups: []", func(c *link.Catalog) {
		c.Tokens[0].ActsAsAgency, c.Tokens[0].Grants[0].AppGroups = false, nil
	}},
}

// TestResolveClears: what stands in the file and is empty is cleared, and nothing
// beside it.
func TestResolveClears(t *testing.T) {
	t.Parallel()
	for _, tt := range cleared {
		t.Run(strings.TrimSpace(tt.with), func(t *testing.T) {
			t.Parallel()
			if strings.Count(keptThings, tt.old) != 1 {
				t.Fatalf("%q stands %d times in the file", tt.old, strings.Count(keptThings, tt.old))
			}
			f := parsed(t, strings.Replace(keptThings, tt.old, tt.with, 1))
			plan, err := manifest.Resolve(f, fullCatalog(t))
			if err != nil || plan.Empty() {
				t.Fatalf("%s, %v", actions(plan), err)
			}
			want := fullCatalog(t)
			tt.change(&want)
			if got, want := lines(t, plan.Merged), lines(t, want); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			kept, err := manifest.Resolve(parsed(t, keptThings), plan.Merged)
			if err != nil || !kept.Empty() {
				t.Errorf("what was cleared came back: %s, %v", actions(kept), err)
			}
			again, err := manifest.Resolve(f, plan.Merged)
			if err != nil || !again.Empty() {
				t.Errorf("again: %s, %v", actions(again), err)
			}
		})
	}
}
