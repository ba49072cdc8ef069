package manifest_test

import (
	"fmt"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"waypost/attribution"
	"waypost/link"
	"waypost/manage/manifest"
)

func atelier(t testing.TB) string {
	t.Helper()
	src, err := os.ReadFile("../../examples/attribution.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(src)
}

const aDay = 24 * time.Hour

// TestExampleSpellsTheDefaults: the account of the example says what holds
// anyway, all of it; its apps say what they say.
func TestExampleSpellsTheDefaults(t *testing.T) {
	t.Parallel()
	plan, err := manifest.Resolve(parsed(t, atelier(t)), link.Catalog{})
	if err != nil {
		t.Fatal(err)
	}
	account := plan.Merged.Accounts[0].Attribution
	want := attribution.DefaultPolicy()
	got := attribution.PolicyOf(&account, &link.AttributionSettings{}, nil)
	for _, r := range attribution.Rules() { // two of them do not do the same in all cases
		said, ok := got.Rules[r.Code]
		if alone := r.Code == attribution.Bot || r.Code == attribution.MalformedID; ok == alone || ok && said != r.Action {
			t.Errorf("%s: says %q, does %q", r.Code, said, r.Action)
		}
	}
	asked := got.Account
	got.Rules, got.Account = nil, attribution.Lookbacks{}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	if asked != (attribution.Lookbacks{ClickDeterministic: attribution.Lookback(7 * aDay), ViewDeterministic: attribution.Lookback(aDay),
		ClickProbabilistic: attribution.Lookback(aDay), ViewProbabilistic: attribution.Never, Reengagement: attribution.Lookback(7 * aDay)}) {
		t.Errorf("lookbacks %+v", asked)
	}
	apps := map[link.Key]link.AttributionSettings{}
	for _, a := range plan.Merged.Apps {
		apps[a.Key] = a.Attribution
	}
	geo := []link.RuleCondition{{Attribute: "geo", Values: []string{"DE", "AT", "CH"}}}
	if got, want := apps["atelier-android"], (link.AttributionSettings{
		Lookbacks: link.LookbackSettings{Click: new(14 * aDay)}, ReattributionWindow: new(link.Lifetime),
		FraudRules: map[string]string{"geo_mismatch": "reject", "emulator": "off"},
		UserRules: []link.UserRule{
			{Name: "bad-sites", Conditions: []link.RuleCondition{{Attribute: "site_id", Values: []string{"site-13", "site-99"}}}},
			{Name: "only-home", Conditions: geo, AllowOnly: true, Refuse: true},
			{Name: "odd-agency", Action: "flag", Conditions: []link.RuleCondition{{Attribute: "media_source", Values: []string{"wide"}}, {Attribute: "agency", Values: []string{"agency-a"}, Not: true}}},
		},
	}); !reflect.DeepEqual(got, want) {
		t.Errorf("Android: got %+v\nwant %+v", got, want)
	}
	if got, want := apps["atelier-ios"], (link.AttributionSettings{ProbabilisticOnIOS: link.IOSConsented, InactivityWindow: new(time.Duration(0))}); !reflect.DeepEqual(got, want) {
		t.Errorf("iOS: got %+v\nwant %+v", got, want)
	}
}

func TestSettingsAreAppliedOnce(t *testing.T) {
	t.Parallel()
	f := parsed(t, atelier(t))
	plan, err := manifest.Resolve(f, link.Catalog{})
	if err != nil {
		t.Fatal(err)
	}
	if again, err := manifest.Resolve(f, plan.Merged); err != nil || !again.Empty() {
		t.Errorf("again: %s, %v", actions(again), err)
	}
	// Another value is a change of the thing that it is of, and of nothing else.
	changes := map[string]string{
		"click: 7d":                 "click: 8d",
		"view_probabilistic: 0":     "view_probabilistic: 1h",
		"event_window: 30d":         "event_window: lifetime",
		"enabled: true":             "enabled: false",
		"ctit_short: 10s":           "ctit_short: 9s",
		"device_clicks: 20":         "device_clicks: 21",
		"emulator: flag":            "emulator: reject",
		"reattribution_window: 90d": "reattribution_window: 91d",
	}
	for old, with := range changes {
		if strings.Count(atelier(t), old) != 1 {
			t.Fatalf("%q stands %d times in the example", old, strings.Count(atelier(t), old))
		}
		again, err := manifest.Resolve(parsed(t, strings.Replace(atelier(t), old, with, 1)), plan.Merged)
		if err != nil || len(again.Changed.Accounts) != 1 || len(again.Changed.Apps) != 0 {
			t.Errorf("%s: %s, %v", with, actions(again), err)
		}
	}
	for old, with := range map[string]string{"site-99": "site-98", "allow_only: true, ": "", "when_not: {agency: [agency-a]}": "when_not: {agency: [b]}", "inactivity_window: 0": "inactivity_window: 1h"} {
		again, err := manifest.Resolve(parsed(t, strings.Replace(atelier(t), old, with, 1)), plan.Merged)
		if err != nil || len(again.Changed.Accounts) != 0 || len(again.Changed.Apps) != 1 {
			t.Errorf("%s: %s, %v", with, actions(again), err)
		}
	}
}

// TestSettingsNameFieldAndLine breaks one thing at a time, of the account on
// line 5 and of its app on line 7.
func TestSettingsNameFieldAndLine(t *testing.T) {
	t.Parallel()
	f := func(said string, want ...string) {
		t.Helper()
		src := "accounts:\n  - key: a\n    name: A\n    attribution:\n      " + said + "\n    apps:\n      - {key: x, name: X, platform: roku, attribution: {" + said + "}}\n"
		_, err := manifest.Parse("f.yaml", []byte(src))
		if err == nil {
			t.Errorf("%s: no problem", said)
			return
		}
		lines := strings.Split(err.Error(), "\n")
		if len(lines) != 2*len(want) {
			t.Errorf("%s: %d problems, want %d: %s", said, len(lines), 2*len(want), err)
			return
		}
		for i, w := range want {
			ofAccount, ofApp := "f.yaml:5: accounts[0].attribution."+w, "f.yaml:7: accounts[0].apps[0].attribution."+w
			if !slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, ofAccount) }) ||
				!slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, ofApp) }) {
				t.Errorf("%s, problem %d: %s\nwant %s", said, i, err, w)
			}
		}
	}
	const window = ": must be a duration of minutes, hours or days, such as 30m, 24h or 7d"
	f("look_backs: {click: 7d}", "look_backs: unknown field; known here are lookbacks, reattribution_window,")
	f("lookbacks: 7d", "lookbacks: must be a mapping with the fields click, view,")
	f("lookbacks: {click: 7}", "lookbacks.click"+window)
	f("lookbacks: {click: 0d}", "lookbacks.click"+window)
	f("lookbacks: {click: -1d}", "lookbacks.click"+window)
	f("lookbacks: {click: 60s}", "lookbacks.click"+window)
	f("lookbacks: {click: 1w}", "lookbacks.click"+window)
	f("lookbacks: {click: [7d]}", "lookbacks.click: must be a single value")
	f("lookbacks: {click: }", "lookbacks.click: is empty")
	f("lookbacks: {click: lifetime}", "lookbacks.click: must be 0, or from 1m to 30d")
	f("lookbacks: {click: 31d, view: 25h}", "lookbacks.click: must be 0, or from 1m to 30d", "lookbacks.view: must be 0, or from 1m to 24h")
	f("lookbacks: {click_probabilistic: 2d}", "lookbacks.click_probabilistic: must be 0, or from 1m to 24h")
	f("lookbacks: {view_probabilistic: 7h}", "lookbacks.view_probabilistic: must be 0, or from 1m to 6h")
	f("lookbacks: {reengagement: 31d}", "lookbacks.reengagement: must be 0, or from 1m to 30d")
	f("reattribution_window: 0", "reattribution_window: must be from 24h to 730d, or lifetime")
	f("inactivity_window: lifetime", "inactivity_window: must be 0, or from 1h to 365d")
	f("reengagement_gap: 31d", "reengagement_gap: must be 0, or from 1h to 30d")
	f("event_window: 59m", "event_window: must be from 1h to 365d, or lifetime")
	f("probabilistic: {enabled: off}", "probabilistic.enabled: must be true or false")
	f("probabilistic: {ios: paid}", "probabilistic.ios: must be one of none, consented, owned or all")
	f("probabilistic: false", "probabilistic: must be a mapping with the fields enabled, ios")
	var codes []string
	for _, r := range attribution.Rules() {
		codes = append(codes, string(r.Code))
	}
	f("fraud: {rules: {ctit: off}}", "fraud.rules.ctit: no such rule; known are "+strings.Join(codes, ", "))
	f(`fraud: {rules: {"a b": off}}`, `fraud.rules."a b": no such rule`)
	f("fraud: {rules: {ctit_short: reject, ctit_short: off}}", "fraud.rules.ctit_short: is given twice, first on line")
	f("fraud: {rules: {ctit_short: drop}}", "fraud.rules.ctit_short: must be one of reject, flag or off")
	f("fraud: {rules: {ctit_short: false}}", "fraud.rules.ctit_short: must be text")
	f("fraud: {rules: {bot_ua: off}}", "fraud.rules.bot_ua: must be reject")
	f("fraud: {rules: [ctit_short]}", "fraud.rules: must be a mapping, as in {a: b}")
	f("fraud: {rules: {[a]: off}}", "fraud.rules: has a field whose name is not a plain word")
	f("fraud: {thresholds: {ctit_short: 10}}", "fraud.thresholds.ctit_short: must be a duration of seconds or minutes, such as 10s or 1m")
	f("fraud: {thresholds: {ctit_short: 1h}}", "fraud.thresholds.ctit_short: must be a duration of seconds or minutes")
	f("fraud: {thresholds: {ctit_short: 601s}}", "fraud.thresholds.ctit_short: must be from 1s to 10m")
	f("fraud: {thresholds: {device_clicks: 64}}", "fraud.thresholds.device_clicks: must be a number from 1 to 63")
	f("fraud: {thresholds: {agent_clicks: some}}", "fraud.thresholds.agent_clicks: must be a whole number")
	f("fraud: {user_rules: [{when: {geo: [DE]}}]}", "fraud.user_rules[0].name: missing")
}

func TestUserRulesNameFieldAndLine(t *testing.T) {
	t.Parallel()
	f := func(rule, want string) {
		t.Helper()
		src := "accounts:\n  - key: a\n    name: A\n    attribution:\n      fraud:\n        user_rules:\n          - {name: ok, when: {geo: [DE]}}\n          - " + rule + "\n"
		_, err := manifest.Parse("f.yaml", []byte(src))
		if want = "f.yaml:8: accounts[0].attribution.fraud.user_rules[1]" + want; err == nil || strings.Contains(err.Error(), "\n") || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: got %v\nwant %s", rule, err, want)
		}
	}
	f("{name: ok, when: {geo: [DE]}}", ".name: is the name of a rule above")
	f("{name: no spaces, when: {geo: [DE]}}", ".name: must be 1 to 64 letters")
	f("{name: r}", ".when: missing; a rule needs a condition")
	f("{name: r, when: {}}", ".when: missing; a rule needs a condition")
	f("{name: r, when: [geo]}", ".when: must be a mapping with the fields media_source, agency, campaign, campaign_id, ad_set_id, ad_id, site_id, geo, platform")
	f("{name: r, when: {country: [DE]}, when_not: {geo: [FR]}}", ".when.country: unknown field; known here are media_source,")
	f("{name: r, when: {geo: DE}}", ".when.geo: must be a list")
	f("{name: r, when: {geo: []}}", ".when.geo: is empty")
	f("{name: r, when: {geo: [DE, de]}}", ".when.geo[1]: must be the two capital letters of a country")
	f("{name: r, when_not: {platform: [phone]}}", ".when_not.platform[0]: must be a platform")
	f("{name: r, when: {site_id: [1]}}", ".when.site_id[0]: must be text")
	f("{name: r, when: {geo: [DE]}, blocks: install}", ".blocks: must be one of touch or conversion")
	f("{name: r, when: {geo: [DE]}, action: cap}", ".action: must be one of reject, flag or off")
	f("{name: r, when: {geo: [DE]}, allow_only: no}", ".allow_only: must be true or false")
}

// TestEveryAttributeIsReachable: the file's conditions are attribution's attributes.
func TestEveryAttributeIsReachable(t *testing.T) {
	t.Parallel()
	var want []string
	for i := range reflect.TypeFor[manifest.Conditions]().NumField() {
		want = append(want, reflect.TypeFor[manifest.Conditions]().Field(i).Tag.Get("yaml"))
	}
	var said strings.Builder
	for _, name := range want {
		value := map[string]string{"geo": "DE", "platform": "ios"}[name]
		if value == "" {
			value = "x"
		}
		fmt.Fprintf(&said, "%s: [%s], ", name, value)
	}
	plan, err := manifest.Resolve(parsed(t, under("attribution: {fraud: {user_rules: [{name: r, when: {"+said.String()+"}}]}}")), stored(t))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range plan.Changed.Accounts[0].Attribution.UserRules[0].Conditions {
		got = append(got, c.Attribute)
	}
	if !slices.Equal(got, want) || len(got) == 0 {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestDocumentTellsEverySetting holds the table of docs/attribution.md against
// the schema.
func TestDocumentTellsEverySetting(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/attribution.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(text), "\n## Configuration\n")
	section, _, _ = strings.Cut(section, "\n## ")
	if !ok {
		t.Fatal("no section Configuration")
	}
	told := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)`").FindAllStringSubmatch(section, -1) {
		told[m[1]] = true
	}
	schema := map[string]bool{}
	addFields(schema, reflect.TypeFor[manifest.Attribution](), "")
	if !maps.Equal(told, schema) {
		for name := range schema {
			if !told[name] {
				t.Errorf("%s is not told", name)
			}
		}
		for name := range told {
			if !schema[name] {
				t.Errorf("%s is told and does not exist", name)
			}
		}
	}
}

// addFields lists the fields of the schema by their paths, conditions as one.
func addFields(to map[string]bool, of reflect.Type, path string) {
	for i := range of.NumField() {
		f := of.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		name = path + name
		inner := f.Type
		if inner.Kind() == reflect.Slice && inner.Elem().Kind() == reflect.Struct {
			inner, name = inner.Elem(), name+"[]"
		}
		if inner.Kind() == reflect.Struct && inner != reflect.TypeFor[manifest.Conditions]() {
			addFields(to, inner, name+".")
		} else {
			to[name] = true
		}
	}
}
