package manifest_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"waypost/internal/fault"
	"waypost/link"
	"waypost/manage/manifest"
)

func acme(t testing.TB) string {
	t.Helper()
	src, err := os.ReadFile("../../examples/acme.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(src)
}

// edited is acme.yaml with one text in place of another.
func edited(t testing.TB, old, with string) string {
	t.Helper()
	src := acme(t)
	if strings.Count(src, old) != 1 {
		t.Fatalf("%q stands %d times in acme.yaml", old, strings.Count(src, old))
	}
	return strings.Replace(src, old, with, 1)
}

func TestParseAdditions(t *testing.T) {
	t.Parallel()
	f, err := manifest.Parse("more.yaml", []byte(moreYAML))
	if err != nil {
		t.Fatal(err)
	}
	a := f.Accounts[0]
	if a.Privacy.IP != "truncated" || *a.Limits.OneLink.MonthlyWrites != 7_500_000 || *a.Limits.OneLink.QRPerSecond != 0 ||
		*a.Limits.Singular.PerDay != link.Unlimited || a.Limits.OneLink.V1PerSecond != nil {
		t.Errorf("account %+v", a)
	}
	if tmpl := a.Templates[0]; tmpl.URIScheme != "acme://main" || !tmpl.MarketLinks || tmpl.QR.Foreground != "#00ff00" || tmpl.QR.Background != "#FFFFFF" {
		t.Errorf("template %+v", tmpl)
	}
	w := a.Partners[0].ConfiguredFor[0]
	if w.ClickProbabilistic != 12*time.Hour || w.ViewProbabilistic != 30*time.Minute || w.Reengagement != 365*24*time.Hour {
		t.Errorf("windows %+v", w)
	}
	if b := a.Postbacks[0]; b.Partner != "" || b.Secret != "a-secret-of-the-hook" || b.Method != "POST" {
		t.Errorf("postback %+v", b)
	}
	if a.Apps[1].Name != a.Apps[0].Name {
		t.Errorf("an alias gave %q, want %q", a.Apps[1].Name, a.Apps[0].Name)
	}
}

const moreYAML = `
accounts:
  - key: more
    name: More
    timezone: Europe/Berlin
    privacy: {ip: truncated}
    limits: {onelink: {monthly_writes: 7_500_000, qr_per_second: 0}, singular: {creates_per_day: unlimited}}
    apps:
      - {key: a, name: &name Äpp, platform: ios, bundle_id: a.b}
      - {key: b, name: *name, platform: firetv, package: a.b}
    app_groups: [{key: g, name: G, apps: [a, b]}]
    domains: [{host: Go.More.test, app_group: g, base_url: "https://go.more.test/"}]
    templates:
      - {id: M1, name: M, app_group: g, domain: go.more.test, uri_scheme: "acme://main", market_links: true,
         qr: {foreground: "#00ff00", background: "#FFFFFF"}}
    partners:
      - {key: p, name: P, configured_for: [{app: a, click_probabilistic_window: 12h, view_probabilistic_window: 30m, reengagement_window: 365d}]}
    postbacks:
      - {key: hook, on: [install, event, "event:level 9", event:buy, rejected_install, click, impression], method: POST, url: "https://hook.test/{click_id}?a={b}&cl={cl?Wide%20Network}&own={NETWORK=Wide}&x=(clickid)#{c}", secret: a-secret-of-the-hook}
`

// Each row edits acme.yaml and says what Parse answers. The line is that of
// the field, or of the thing that lacks it.
func TestParseNamesFieldAndLine(t *testing.T) {
	t.Parallel()
	for _, tt := range append(schemaEdits, valueEdits...) {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			src := edited(t, tt.old, tt.with)
			_, err := manifest.Parse("acme.yaml", []byte(src))
			var problems manifest.Problems
			if !errors.As(err, &problems) || !fault.Is(err, fault.Invalid) {
				t.Fatalf("got %v", err)
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v\nwant %s", err, tt.want)
			}
			checkLine(t, acme(t), tt.old, tt.with, problems)
		})
	}
}

type edit struct{ name, old, with, want string }

// schemaEdits break the schema: fields and types.
var schemaEdits = []edit{
	{"unknown field", "timezone: UTC", "time_zone: UTC", "accounts[0].time_zone: unknown field; known here are key, id, name,"},
	{"odd field name", "timezone: UTC", `"a b": UTC`, `accounts[0]."a b": unknown field`},
	{"field given twice", "timezone: UTC", "key: acme", "accounts[0].key: is given twice, first on line 12"},
	{"missing field", "    name: Rival Ltd\n", "", "accounts[1].name: missing"},
	{"empty field", "name: Rival Ltd", "name:", "accounts[1].name: is empty"},
	{"empty text", "name: Rival Ltd", `name: ""`, "accounts[1].name: is empty"},
	{"number for text", "name: Rival Ltd", "name: 12", "accounts[1].name: must be text"},
	{"truth for text", "name: Rival Ltd", "name: true", "accounts[1].name: must be text"},
	{"list for text", "name: Rival Ltd", "name: [Rival]", "accounts[1].name: must be a single value"},
	{"line break in text", "name: Rival Ltd", `name: "a\nb"`, "accounts[1].name: holds a control character"},
	{"text for number", "id: 6001", "id: six", "accounts[1].id: must be a whole number"},
	{"fraction for number", "id: 6001", "id: 6001.5", "accounts[1].id: must be a whole number"},
	{"octal number", "id: 6001", "id: 06001", "accounts[1].id: must be a whole number"},
	{"zero id", "id: 6001", "id: 0", "accounts[1].id: must be a number from 1"},
	{"id that JSON cannot hold", "id: 6001", "id: 9007199254740992", "accounts[1].id: must be a number from 1 to 9007199254740991"},
	{"negative id", "id: 6001", "id: -1", "accounts[1].id: must be a number from 1"},
	{"mapping for list", "redirect_allowlist: [www.acme.test, shop.acme.test]", "redirect_allowlist: {a: b}", "accounts[0].redirect_allowlist: must be a list"},
	{"text for mapping", "og: {title: Acme, description: Everything for the coyote, image_url: \"https://www.acme.test/og.png\"}", "og: Acme", "accounts[0].templates[0].og: must be a mapping with the fields title, description, image_url"},
	{"limit below zero", "qr_per_second: 25", "qr_per_second: -1", "accounts[0].limits.onelink.qr_per_second: must be a whole number of zero or more, or `unlimited`"},
	{"odd limit", "qr_per_second: 25", "qr_per_second: none", "accounts[0].limits.onelink.qr_per_second: must be a whole number"},
	{"yes for true", "{host: acme.localhost, base_url: \"http://acme.localhost:8080\", app_group: acme, default: true}", "{host: acme.localhost, app_group: acme, default: yes}", "accounts[0].domains[0].default: must be true or false"},
	{"window without unit", "click_deterministic_window: 14d", "click_deterministic_window: 14", "accounts[0].partners[0].configured_for[1].click_deterministic_window: must be a duration"},
	{"window of years", "click_deterministic_window: 14d", "click_deterministic_window: 400d", "click_deterministic_window: must be a duration of minutes, hours or days up to 365d"},
}

// valueEdits keep the schema and break what a value may be.
var valueEdits = []edit{
	{"shared domain's host", "accounts:\n  - key: acme\n", "shared_domains: [{host: smart.test/x}]\naccounts:\n  - key: acme\n", "shared_domains[0].host: must be a host name"},
	{"shared domain twice", "accounts:\n  - key: acme\n", "shared_domains: [{host: smart.test}, {host: SMART.test}]\naccounts:\n  - key: acme\n", "shared_domains[1].host: is the same as shared_domains[0].host on line 11"},
	{"shared domain's base", "accounts:\n  - key: acme\n", "shared_domains: [{host: smart.test, base_url: \"https://other.test\"}]\naccounts:\n  - key: acme\n", "shared_domains[0].base_url: must have the host of the domain"},
	{"shared domain's path", "accounts:\n  - key: acme\n", "shared_domains: [{host: smart.test, base_url: \"https://smart.test/x\"}]\naccounts:\n  - key: acme\n", "shared_domains[0].base_url: must end after the host and port"},
	{"account's shared domain", "timezone: UTC", "shared_domain: \"https://smart.test\"", "accounts[0].shared_domain: must be the host of a shared domain"},
	{"long group name", "name: Rival Group", "name: " + strings.Repeat("ä", 256), "accounts[1].app_groups[0].name: must be 1 to 255 characters"},
	{"padded group name", "name: Rival Group", "name: \" Rival\"", "accounts[1].app_groups[0].name: must be 1 to 255 characters"},
	{"timezone", "timezone: UTC", "timezone: Moon/Sea", "accounts[0].timezone: must be an IANA time zone"},
	{"the machine's timezone", "timezone: UTC", "timezone: Local", "accounts[0].timezone: must be an IANA time zone"},
	{"allowlist with a URL", "www.acme.test, shop", "\"https://www.acme.test\", shop", "accounts[0].redirect_allowlist[0]: must be a host name"},
	{"role", "role: read}\n      - {name: agency", "role: reader}\n      - {name: agency", "accounts[0].tokens[1].role: must be one of read, write or admin"},
	{"token name twice", "name: reader", "name: backend", "accounts[0].tokens[1].name: is the same as accounts[0].tokens[0].name on line 28"},
	{"secret twice", "rival-admin-token", "acme-admin-token", "accounts[1].tokens[0].secret: is the same as accounts[0].tokens[0].secret on line 28"},
	{"short secret", "rival-admin-token", "short", "accounts[1].tokens[0].secret: must be 8 to 512 printable"},
	{"platform", "platform: web,", "platform: browser,", "accounts[0].apps[2].platform: must be one of ios, android"},
	{"ios without bundle_id", "bundle_id: com.acme.solo, ", "", "accounts[0].apps[3].bundle_id: missing; an app for ios needs it, such as com.example.app"},
	{"android without package", "package: com.acme.solo,", "", "accounts[0].apps[4].package: missing; an app for android needs it"},
	{"web without url", `platform: web, url: "https://www.acme.test/"`, "platform: web", "accounts[0].apps[2].url: missing; an app for web needs it"},
	{"clipboard of android", "package: com.acme.solo", "package: com.acme.solo, clipboard: true", "accounts[0].apps[4].clipboard: is for iOS alone"},
	{"bundle_id of android", "package: com.acme.solo", "package: com.acme.solo, bundle_id: a.b", "accounts[0].apps[4].bundle_id: does not belong to an app for android; it belongs to ios, macos or tvos"},
	{"package", "package: com.acme.solo", "package: solo", "accounts[0].apps[4].package: must be an Android application id"},
	{"bundle_id", "bundle_id: com.acme.solo", `bundle_id: "com acme"`, "accounts[0].apps[3].bundle_id: must be a bundle identifier"},
	{"team_id", "team_id: Z9Y8X7W6V5", "team_id: z9", "accounts[1].apps[0].team_id: must be the ten capital letters and digits"},
	{"fingerprint", `["14:6D:`, `["6D:`, "accounts[0].apps[1].sha256_cert_fingerprints[0]: must be the SHA-256"},
	{"store_id without quotes", `store_id: "555555555"`, "store_id: 555555555", "accounts[1].apps[0].store_id: must be text"},
	{"store_url", `"https://apps.apple.com/us/app/rival/id555555555"`, `"javascript:alert(1)"`, "accounts[1].apps[0].store_url: must be a full http or https URL"},
	{"app key twice", "key: solo-ios", "key: acme-ios", "accounts[0].apps[3].key: is the same as accounts[0].apps[0].key"},
	{"app id twice across accounts", "id: 40001", "id: 24171", "accounts[1].apps[0].id: is the same as accounts[0].apps[0].id"},
	{"app twice in a group", "apps: [rival-ios, rival-android]", "apps: [rival-ios, rival-ios]", "accounts[1].app_groups[0].apps[1]: is in the list already"},
	{"host", "host: boss.localhost,", "host: boss_localhost,", "accounts[0].domains[1].host: must be a host name"},
	{"host with port", "host: boss.localhost,", `host: "boss.localhost:8080",`, "accounts[0].domains[1].host: must be a host name without scheme, port or path"},
	{"host twice", "host: rival.localhost", "host: ACME.localhost", "accounts[1].domains[0].host: is the same as accounts[0].domains[0].host"},
	{"base_url of another host", "http://boss.localhost:8080", "http://bass.localhost:8080", "accounts[0].domains[1].base_url: must have the host of the domain"},
	{"base_url with a path", "http://boss.localhost:8080", "http://boss.localhost:8080/a", "accounts[0].domains[1].base_url: must end after the host and port"},
	{"brand of itself", "brand_of: boss.localhost", "brand_of: other.test", "accounts[0].domains[3].brand_of: is the domain itself"},
	{"template id", "id: A1b3", "id: A1-b3", "accounts[0].templates[0].id: must be 1 to 32 letters and digits"},
	{"template id as number", "id: A1b3", "id: 1234", "accounts[0].templates[0].id: must be text"},
	{"template id twice", "id: Rv41", "id: A1b3", "accounts[1].templates[0].id: is the same as accounts[0].templates[0].id"},
	{"web_url", `web_url: "https://www.rival.test/"`, `web_url: "//www.rival.test/"`, "accounts[1].templates[0].web_url: must be a full http or https URL"},
	{"scheme that runs code", `web_url: "https://www.rival.test/"`, `uri_scheme: "javascript://x"`, "accounts[1].templates[0].uri_scheme: must be a URI that the app answers to"},
	{"scheme of the web", `web_url: "https://www.rival.test/"`, `uri_scheme: "https://x"`, "accounts[1].templates[0].uri_scheme: must be a URI"},
	{"colour", `web_url: "https://www.rival.test/"`, `qr: {foreground: red}`, "accounts[1].templates[0].qr.foreground: must be a colour"},
	{"onelink_account_id twice", "ACC2", "ACC1", "accounts[1].onelink_account_id: is the same as accounts[0].onelink_account_id"},
	{"reserved partner", "id: 1202", "id: 3881", "accounts[0].partners[1].id: is the id of the partner \"SmartLinks\""},
	{"partner kind", "kind: agency,", "kind: agent,", "accounts[0].partners[4].kind: must be one of network or agency"},
	{"partner app twice", "[{app: acme-ios}, {app: acme-android}]", "[{app: acme-ios}, {app: acme-ios}]", "accounts[0].partners[1].configured_for[1].app: is in the list already"},
	{"link_query", "idfa={IDFA}&aifa", "?idfa={IDFA}&aifa", "accounts[0].partners[0].link_query: must be a query string"},
	{"logo_url", "/logo/agency_a.png", "//evil.test/a.png", "accounts[0].partners[4].logo_url: must be a full http or https URL"},
	{"postback on", "on: [install]", "on: [installs]", "accounts[0].postbacks[0].on[0]: must be one of install, reinstall"},
	{"postback's event without a name", "on: [install]", `on: ["event:"]`, "accounts[0].postbacks[0].on[0]: must be one of install, reinstall"},
	{"clicks told to a partner", "on: [install]", "on: [click]", "accounts[0].postbacks[0].on[0]: is told to the account alone"},
	{"impressions told to a partner", "on: [install]", "on: [impression]", "accounts[0].postbacks[0].on[0]: is told to the account alone"},
	{"a platform's conversions told to a partner", "on: [install]", "on: [platform_conversion]", "accounts[0].postbacks[0].on[0]: is told to the account alone"},
	{"condition without a network", "gaid={gaid}", "gaid={gaid?}", "accounts[0].postbacks[0].url: the URL holds the unknown macro {gaid?}"},
	{"postback on nothing", "on: [install]", "on: []", "accounts[0].postbacks[0].on: is empty"},
	{"postback method", "method: GET", "method: PUT", "accounts[0].postbacks[0].method: must be one of GET or POST"},
	{"macro in the host", "http://127.0.0.1:9099/", "http://{campaign}:9099/", "accounts[0].postbacks[0].url: a macro may stand in the path"},
	{"macro for the whole", `"http://127.0.0.1:9099/postback?click={click_id}&campaign={campaign}&gaid={gaid}"`, `"{url}"`, "accounts[0].postbacks[0].url: a macro may stand in the path"},
	{"postback to a number", "127.0.0.1:9099", "2130706433:9099", `accounts[0].postbacks[0].url: "2130706433" is neither a host name nor an address of four decimal numbers`},
	{"postback to an octal address", "127.0.0.1:9099", "0177.0.0.1:9099", `accounts[0].postbacks[0].url: "0177.0.0.1" is neither`},
	{"postback to a hexadecimal address", "127.0.0.1:9099", "0x7f.1:9099", `accounts[0].postbacks[0].url: "0x7f.1" is neither`},
	{"postback to a short address", "127.0.0.1:9099", "127.1:9099", `accounts[0].postbacks[0].url: "127.1" is neither`},
	{"postback to an address with a dot", "127.0.0.1:9099", "127.0.0.1.:9099", `accounts[0].postbacks[0].url: "127.0.0.1." is neither`},
	{"postback to no machine", "127.0.0.1:9099", "0.0.0.0:9099", "accounts[0].postbacks[0].url: 0.0.0.0 is never called: it names no machine"},
	{"postback to no machine of IPv6", "127.0.0.1:9099", "[::]:9099", "accounts[0].postbacks[0].url: :: is never called: it names no machine"},
	{"postback to a cloud's metadata", "127.0.0.1:9099", "169.254.169.254", "accounts[0].postbacks[0].url: 169.254.169.254 is never called: it is link-local"},
	{"postback to translated metadata", "127.0.0.1:9099", "[64:ff9b::a9fe:a9fe]", "accounts[0].postbacks[0].url: 64:ff9b::a9fe:a9fe is never called: it is of special purpose"},
	{"postback to no name", "127.0.0.1:9099", "hooks..test", `accounts[0].postbacks[0].url: "hooks..test" is no host name`},
	{"postback to port 0", "127.0.0.1:9099", "127.0.0.1:0", "accounts[0].postbacks[0].url: there is no port 0; it must be 1 to 65535"},
	{"postback to a port too high", "127.0.0.1:9099", "127.0.0.1:99999", "accounts[0].postbacks[0].url: there is no port 99999; it must be 1 to 65535"},
	{"open brace", "gaid={gaid}", "gaid={gaid", "accounts[0].postbacks[0].url: the URL has a brace without its partner"},
	{"key", "key: bigshop", `key: "big shop"`, "agencies[0].key: must be 1 to 64 letters"},
	{"no grants", "grants: [{account: acme, role: write, app_groups: [acme]}, {account: rival, role: read}]", "grants: []", "agencies[0].tokens[0].grants: is empty"},
	{"grant twice", "account: rival", "account: acme", "agencies[0].tokens[0].grants[1].account: has a grant of this token already"},
	{"privacy", "timezone: UTC", "privacy: {ip: half}", "accounts[0].privacy.ip: must be one of full, truncated or none"},
}

// checkLine holds that a problem stands on a line that the edit touched, or
// on the line of the thing that lost a field.
func checkLine(t *testing.T, src, old, with string, problems manifest.Problems) {
	t.Helper()
	first := 1 + strings.Count(src[:strings.Index(src, old)], "\n")
	last := first + strings.Count(with, "\n")
	for _, p := range problems {
		if p.Line >= first-2 && p.Line <= last && strings.HasPrefix(p.String(), fmt.Sprintf("acme.yaml:%d: ", p.Line)) {
			return
		}
	}
	t.Errorf("no problem on the lines %d to %d: %v", first, last, problems)
}

// What an operator names himself may be private.
func TestParseTakesReceiversOfTheOperator(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"10.0.0.5:9099", "10.0.0.5", "[::1]:9099", "[fd12::1]", "localhost:9099", "LOCALHOST", "collector:65535", "100.64.0.1", "8.8.8.8", "user:word@hooks.test"} {
		src := edited(t, "127.0.0.1:9099", at)
		if _, err := manifest.Parse("acme.yaml", []byte(src)); err != nil {
			t.Errorf("%s: %v", at, err)
		}
	}
}

func TestParseTellsTheExactLine(t *testing.T) {
	t.Parallel()
	_, err := manifest.Parse("f.yaml", []byte("accounts:\n  - key: a\n    name: A\n    apps:\n      - key: x\n        name: X\n        platform: ios\n        bundle_id: 5\n"))
	const want = "f.yaml:8: accounts[0].apps[0].bundle_id: must be text; what YAML would read as a number, a date or a truth value stands in quotes"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestParseReportsEveryProblem(t *testing.T) {
	t.Parallel()
	src := edited(t, "name: Rival Ltd", "nam: Rival Ltd\n    timezone: X\n    privacy: {ip: 1, ipv6: none}")
	_, err := manifest.Parse("acme.yaml", []byte(src))
	var problems manifest.Problems
	if !errors.As(err, &problems) || len(problems) != 5 {
		t.Errorf("want an unknown and a missing name, the zone, and two of privacy; got %v", err)
	}
	var many strings.Builder
	many.WriteString("accounts:\n")
	for range 1000 {
		many.WriteString("  - {}\n")
	}
	_, err = manifest.Parse("many.yaml", []byte(many.String()))
	if !errors.As(err, &problems) || len(problems) != 20 || !strings.HasSuffix(err.Error(), "only the first 20 problems are shown") {
		t.Errorf("got %d problems: %v", len(problems), err)
	}
}

func TestParseRefusesWhatIsNoApplyFile(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ src, want string }{
		"nothing":        {"", "names nothing"},
		"a comment":      {"# accounts\n", "names nothing"},
		"no accounts":    {"accounts: []\n", "names nothing"},
		"a text":         {"hello", "must be a mapping with the fields shared_domains, accounts, agencies"},
		"a broken list":  {"accounts: [\n", "is not YAML"},
		"two documents":  {"accounts: []\n---\naccounts: []\n", "begins a second YAML document"},
		"bytes":          {"accounts: \xff\xfe\n", "is not YAML"},
		"deep":           {strings.Repeat("[", 100_000), "is not YAML: exceeded max depth"},
		"too many parts": {"accounts: [" + strings.Repeat("1,", 400_000) + "]", "too many parts"},
		"too long":       {strings.Repeat("#", manifest.MaxSize+1), "longer than 4 MiB"},
		"itself":         {"accounts: &a [*a]\n", "accounts[0]: must be a mapping"},
		"a merge":        {"accounts:\n  - &a {key: a, name: A}\n  - {<<: *a, key: b}\n", "<<\": unknown field"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := manifest.Parse("f.yaml", []byte(tt.src))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestParseBoundsAliases(t *testing.T) {
	t.Parallel()
	var bomb strings.Builder
	bomb.WriteString("accounts:\n  - key: a\n    name: A\n    redirect_allowlist: &l [" + strings.Repeat("a.test, ", 10_000) + "a.test]\n")
	for i := range 1000 {
		fmt.Fprintf(&bomb, "  - {key: k%d, name: A, redirect_allowlist: *l}\n", i)
	}
	_, err := manifest.Parse("bomb.yaml", []byte(bomb.String()))
	if err == nil || !strings.Contains(err.Error(), "its aliases unfold to too much") {
		t.Errorf("got %v", err)
	}
}

// Whatever is wrong around a secret, messages do not repeat it.
func TestParseKeepsSecrets(t *testing.T) {
	t.Parallel()
	for _, src := range []string{
		edited(t, "secret: rival-admin-token", "secret: hush"),
		edited(t, "secret: rival-admin-token", "secret: [hush]"),
		edited(t, "secret: rival-admin-token", "secret: \"hush hush hush\""),
		edited(t, "secret: rival-admin-token", "secret: \"hush-hush-hush"),
		edited(t, "secret: rival-admin-token", "secret: *hush-hush-hush"),
		edited(t, "secret: rival-admin-token", "secret: !hush hush-hush-hush"),
		strings.ReplaceAll(acme(t), "rival-admin-token", "hush-hush-hush, secret: hush-hush-hush"),
		strings.NewReplacer("rival-admin-token", "hush-hush-hush", "acme-admin-token", "hush-hush-hush").Replace(acme(t)),
	} {
		_, err := manifest.Parse("acme.yaml", []byte(src))
		if err == nil || strings.Contains(err.Error(), "hush") {
			t.Errorf("got %v", err)
		}
	}
}
