package postback

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/event"
	"waypost/link"
)

// everything is told of everything.
var everything = []string{"install", "reinstall", "reattribution", "reengagement", "session", "event", "rejected_install", "rejected_event", "click", "impression", "attribution_update", "platform_conversion"}

func TestWhoIsToldWhat(t *testing.T) {
	t.Parallel()
	f := func(name string, p *link.Postback, telling Telling, want string) {
		t.Helper()
		d, ok := Make(p, telling)
		if ok != (want != "") || d.Kind != want {
			t.Errorf("%s: got kind %q, %v, want %q", name, d.Kind, ok, want)
		}
	}
	wide, hook := toWide(acmeURL, everything...), webhook(everything...)
	other := toWide(acmeURL, everything...)
	other.Partner = 1202
	for _, outcome := range []attribution.Outcome{
		attribution.NewInstall, attribution.Reinstall, attribution.Reattribution, attribution.Reengagement, attribution.Session, attribution.Happening,
	} {
		f("earned "+string(outcome), wide, earned(outcome), string(outcome))
		f("another's "+string(outcome), other, earned(outcome), "")
		f("organic "+string(outcome)+" to a partner", wide, organic(outcome), "")
		f("organic "+string(outcome)+" to the account", hook, organic(outcome), string(outcome))
		f("earned "+string(outcome)+" to the account", hook, earned(outcome), string(outcome))
		f("unasked "+string(outcome), webhook("nothing"), earned(outcome), "")
	}
	f("refused", wide, refused(), "rejected_install")
	f("refused, to the account", hook, refused(), "rejected_install")
	f("refused, another's", other, refused(), "")
	f("refused, asked for installs", toWide(acmeURL, "install"), refused(), "")
	f("click", hook, clicked(), "click")
	f("click to a partner", wide, clicked(), "")

	seen := clicked()
	seen.Click.Kind, seen.Touch.Kind = event.ImpressionKind, attribution.View
	f("impression", hook, seen, "impression")
	f("impression, asked for clicks", webhook("click"), seen, "")
	f("click, asked for impressions", webhook("impression"), clicked(), "")
	f("impression to a partner", wide, seen, "")

	f("a platform's", hook, reported(), "platform_conversion")
	f("a platform's to a partner", wide, reported(), "")
	f("a platform's, asked for installs", webhook("install"), reported(), "")
	its, others, rivals := webhook(everything...), webhook(everything...), webhook(everything...)
	its.App, others.App, rivals.Account = 24171, 26538, 6001
	f("a platform's of the app", its, reported(), "platform_conversion")
	f("a platform's of another app", others, reported(), "")
	f("a platform's of another account", rivals, reported(), "")

	f("event by its name", toWide(acmeURL, "event:purchase"), earned(attribution.Happening), "event")
	f("event by another name", toWide(acmeURL, "event:level"), earned(attribution.Happening), "")
	f("install named as an event", webhook("event:"), earned(attribution.NewInstall), "")

	elsewhere := toWide(acmeURL, everything...)
	elsewhere.App = 24171
	f("another app", elsewhere, earned(attribution.NewInstall), "")
	elsewhere.Account = 6001
	f("another account", elsewhere, earned(attribution.NewInstall), "")
	ofApp := webhook("click")
	ofApp.App = 26538
	f("click of the app", ofApp, clicked(), "click")
	ofApp.App = 24171
	f("click of another app", ofApp, clicked(), "")
}

func TestClicksThatAreNotTold(t *testing.T) {
	t.Parallel()
	bot, view := clicked(), clicked()
	bot.Click.Bot, view.Click.Kind, view.Click.Bot = "crawler:x", event.ImpressionKind, "crawler:x"
	for _, telling := range []Telling{bot, view} {
		if d, ok := Make(webhook(everything...), telling); ok {
			t.Errorf("told %+v", d)
		}
	}
}

// TestImpressions are told as what they are, also where nothing was filed of them.
func TestImpressions(t *testing.T) {
	t.Parallel()
	seen := clicked()
	seen.Click.Kind, seen.Touch.Kind = event.ImpressionKind, attribution.View
	click, _ := Make(webhook(everything...), clicked())
	for range 2 {
		d, ok := Make(webhook("impression"), seen)
		var m Message
		if err := json.Unmarshal([]byte(d.Body), &m); err != nil || !ok || m.Kind != "impression" || m.TouchKind != attribution.View || m.LinkCode != "promo" || d.Key == click.Key {
			t.Errorf("told %+v, %v", m, err)
		}
		seen.Touch = nil
	}
}

// TestPlatformConversions are told as the ledger has them, each under one key.
func TestPlatformConversions(t *testing.T) {
	t.Parallel()
	telling := reported()
	d, ok := Make(webhook("platform_conversion"), telling)
	var m Message
	if err := json.Unmarshal([]byte(d.Body), &m); err != nil || !ok {
		t.Fatalf("made %+v, %v", d, err)
	}
	if m.PlatformConversion == nil || !reflect.DeepEqual(*m.PlatformConversion, *telling.Platform) || m.AppID != 24171 || m.BundleID != "com.acme.app" ||
		m.At != noon.UnixMilli() || m.ReceivedAt != m.At || m.InstallationID != "" || m.ClickID != "" {
		t.Errorf("told %s", d.Body)
	}
	again, next := reported(), reported()
	again.Platform.ID, again.Platform.At, next.Platform.Key = 8, again.Platform.At+1, "t-1/1"
	if a, _ := Make(webhook("platform_conversion"), again); a.Key != d.Key {
		t.Error("a repeated one has another key")
	}
	if n, _ := Make(webhook("platform_conversion"), next); n.Key == d.Key {
		t.Error("the next one has the same key")
	}
	if got := filled(t, "https://h.test/?a={bundle_id}&k={kind}&c={click_id}&t={event_time}", telling); got != "https://h.test/?a=com.acme.app&k=platform_conversion&c=&t=1795176000" {
		t.Errorf("filled %s", got)
	}
	directory, err := link.NewDirectory(link.Catalog{
		Accounts: []link.Account{{ID: 5899, Key: "acme"}}, Apps: []link.App{{ID: 24171, Account: 5899, Name: "Acme", BundleID: "com.acme.app"}},
		Postbacks: []link.Postback{*webhook("platform_conversion")},
	})
	if err != nil {
		t.Fatal(err)
	}
	telling.App = nil
	if made := Outbox(directory, telling); len(made) != 1 || made[0].Body != d.Body {
		t.Errorf("the outbox makes %+v", made)
	}
}

// The touch of a refused event earns nothing for a session that was refused, too.
func TestRefusedEventsAndOpens(t *testing.T) {
	t.Parallel()
	telling := refused()
	telling.Decided.Decision.Outcome = attribution.Happening
	if d, _ := Make(webhook(everything...), telling); d.Kind != KindRejectedEvent {
		t.Errorf("kind %q", d.Kind)
	}
	telling.Decided.Decision.Outcome = attribution.Session
	if d, ok := Make(webhook(everything...), telling); ok {
		t.Errorf("told %+v", d)
	}
}

// Trap: what was told is not rewritten in silence.
func TestLateTouches(t *testing.T) {
	t.Parallel()
	late := earned(attribution.NewInstall)
	late.Decided.Decision.Late = true
	d, ok := Make(webhook("install"), late)
	if ok {
		t.Errorf("the account was told of an install again: %+v", d)
	}
	d, ok = Make(webhook("attribution_update"), late)
	if !ok || d.Kind != KindUpdate {
		t.Errorf("got %+v, %v", d, ok)
	}
	if d, ok = Make(toWide(acmeURL, "install"), late); !ok || d.Kind != "install" {
		t.Errorf("the partner who earned late: %+v, %v", d, ok)
	}
	again := earned(attribution.NewInstall)
	again.Decided.Decision.Late = true
	again.Decided.Decision.Winner.Touch, again.Touch.ID = 5, 5
	first, _ := Make(webhook("attribution_update"), late)
	second, _ := Make(webhook("attribution_update"), again)
	if first.Key == second.Key {
		t.Error("two updates to different touches have one key")
	}
}

func TestAcmesDelivery(t *testing.T) {
	t.Parallel()
	got, ok := Make(toWide(acmeURL, "install"), earned(attribution.NewInstall))
	made := noon.Add(time.Second)
	want := history.Delivery{
		Key: got.Key, Account: 5899, Postback: "wide-install", Kind: "install", Method: "GET", MadeAt: made, DueAt: made, Status: history.Waiting,
		URL: "http://127.0.0.1:9099/postback?click=theirs-1&campaign=Spring%20%26%20sun&gaid=" + someGAID,
	}
	if !ok || got != want || !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(got.Key) {
		t.Errorf("got %+v, %v\nwant %+v", got, ok, want)
	}
}

// A key is one for each conversion, postback and kind: whatever else differs.
func TestKeys(t *testing.T) {
	t.Parallel()
	base := earned(attribution.NewInstall)
	first, _ := Make(webhook("install", "event"), base)
	same := func(name string, change func(*link.Postback, *Telling), want bool) {
		t.Helper()
		p, telling := webhook("install", "event"), earned(attribution.NewInstall)
		change(p, &telling)
		d, ok := Make(p, telling)
		if !ok || (d.Key == first.Key) != want {
			t.Errorf("%s: key equal %v, want %v", name, d.Key == first.Key, want)
		}
	}
	same("nothing", func(*link.Postback, *Telling) {}, true)
	same("URL", func(p *link.Postback, _ *Telling) { p.URL = "https://other.test/" }, true)
	same("told", func(_ *link.Postback, t *Telling) { t.Told = nil }, true)
	same("winner", func(_ *link.Postback, t *Telling) { t.Decided.Decision.Winner = nil }, true)
	same("postback", func(p *link.Postback, _ *Telling) { p.Key = "hook2" }, false)
	same("account", func(p *link.Postback, t *Telling) { p.Account, t.Decided.Account = 1, 1 }, false)
	same("app", func(_ *link.Postback, t *Telling) { t.Decided.App = 7 }, false)
	same("installation", func(_ *link.Postback, t *Telling) { t.Decided.Install = "install-2" }, false)
	same("conversion", func(_ *link.Postback, t *Telling) { t.Decided.Conversion = "conversion-2" }, false)
	same("kind", func(_ *link.Postback, t *Telling) { t.Decided.Decision.Outcome = attribution.Happening }, false)
	same("border of two ids", func(_ *link.Postback, t *Telling) {
		t.Decided.Install, t.Decided.Conversion = "install-1conversion", "-1"
	}, false)
}

func TestOutbox(t *testing.T) {
	t.Parallel()
	account := link.Account{ID: 5899, Key: "acme"}
	wide, hook := *toWide(acmeURL, "install"), *webhook("install", "click")
	narrow := *toWide(acmeURL, "install")
	narrow.Key, narrow.Partner = "narrow-install", 1202
	strange := *webhook("install")
	strange.Key, strange.Account = "strange", 6001
	d, err := link.NewDirectory(link.Catalog{
		Accounts:  []link.Account{account, {ID: 6001}},
		Apps:      []link.App{{ID: 26538, Account: 5899, Name: "Acme", Package: "com.acme.app"}},
		Partners:  []link.Partner{{ID: 1201, Key: "wide", Name: "Wide Network", Account: 5899}},
		Postbacks: []link.Postback{wide, hook, narrow, strange},
	})
	if err != nil {
		t.Fatal(err)
	}
	bare := earned(attribution.NewInstall)
	bare.App, bare.Partner = nil, nil
	made := Outbox(d, bare)
	if len(made) != 2 || made[0].Postback != "wide-install" || made[1].Postback != "hook" {
		t.Fatalf("made %+v", made)
	}
	for _, want := range []string{`"app_name":"Acme"`, `"partner":"wide"`} {
		if !strings.Contains(made[1].Body, want) {
			t.Errorf("%s is not in %s", want, made[1].Body)
		}
	}
	if made = Outbox(d, organic(attribution.NewInstall)); len(made) != 1 || made[0].Postback != "hook" {
		t.Errorf("organic: made %+v", made)
	}
	if made = Outbox(d, clicked()); len(made) != 1 || made[0].Kind != "click" {
		t.Errorf("click: made %+v", made)
	}
	if made = Outbox(d, Telling{}); made != nil {
		t.Errorf("nothing: made %+v", made)
	}
}

// Property: whatever is known or not known, equal input gives an equal
// delivery, its URL is one, and its body is JSON.
func TestMakeIsDeterministic(t *testing.T) {
	t.Parallel()
	for known := range 1 << 6 {
		for _, base := range []func() Telling{
			func() Telling { return earned(attribution.Happening) }, func() Telling { return organic(attribution.Reengagement) }, refused, clicked, reported,
		} {
			make := func() history.Delivery {
				telling := base()
				for bit, drop := range []func(){
					func() { telling.Installation = nil }, func() { telling.Touch = nil }, func() { telling.Told = nil },
					func() { telling.App = nil }, func() { telling.Partner = nil }, func() { telling.Told = &event.Told{Params: []byte("{")} },
				} {
					if known>>bit&1 == 0 {
						drop()
					}
				}
				p := webhook(everything...)
				for _, name := range slices.Sorted(maps.Keys(vocabulary)) {
					if name[0] != '(' {
						name = "{" + name + "}"
					}
					p.URL += "&v=" + name
				}
				d, ok := Make(p, telling)
				if !ok {
					t.Fatalf("nothing is told of %+v", telling)
				}
				return d
			}
			first, second := make(), make()
			if first != second {
				t.Fatalf("two deliveries of one telling:\n%+v\n%+v", first, second)
			}
			if u, err := url.Parse(first.URL); err != nil || u.Host != "hook.test" || strings.ContainsAny(first.URL, "{}") || !json.Valid([]byte(first.Body)) {
				t.Fatalf("%v, %s", err, first.Body)
			}
		}
	}
}

func TestConsent(t *testing.T) {
	t.Parallel()
	const template = "https://p.test/?{gaid},{idfa},{idfv},{android_id},{gaid_sha1},{ip},{ua},{touchpoint_ip}"
	f := func(name string, change func(*Telling), wantKnown string) {
		t.Helper()
		telling := earned(attribution.NewInstall)
		change(&telling)
		_, query, _ := strings.Cut(filled(t, template, telling), "?")
		var known string
		for _, v := range strings.Split(query, ",") {
			known += fmt.Sprint(min(len(v), 1))
		}
		if known != wantKnown {
			t.Errorf("%s: known are %s, want %s: %s", name, known, wantKnown, query)
		}
	}
	consent := func(c event.Consent) func(*Telling) { return func(t *Telling) { t.Told.Consent = &c } }
	f("nobody asked", func(*Telling) {}, "11111111")
	f("limited ads", consent(event.Consent{LimitAds: event.Yes}), "00110111")
	f("no advertising", consent(event.Consent{Advertising: "no"}), "00110111")
	f("switched off", consent(event.Consent{LimitAds: event.No, Child: event.No}), "11111111")
	f("limited ads before", func(t *Telling) {
		t.Installation.Consent.LimitAds = true
		consent(event.Consent{LimitAds: event.No})(t)
	}, "00110111")
	f("no tracking", consent(event.Consent{Tracking: "no"}), "10111111")
	f("no measurement", consent(event.Consent{Measurement: "no"}), "00000000")
	f("child", consent(event.Consent{Child: event.Yes}), "00000000")
	f("refused later", func(t *Telling) { t.Installation.Consent.Measurement = attribution.No }, "00000000")
	f("refused with the report, allowed before", func(t *Telling) {
		t.Installation.Consent.Tracking = attribution.Yes
		consent(event.Consent{Tracking: "no"})(t)
	}, "10111111")
	f("zero id", func(t *Telling) { t.Told.IDs[0].Value = "00000000-0000-0000-0000-000000000000" }, "01110111")
	f("hashed id", func(t *Telling) {
		t.Told.IDs = []event.DeviceID{{Kind: "gaid", Form: "sha1", Value: "c1976429369bfe063ed8b3409db7c7e7d87196d9"}}
	}, "00001111")
}

// The document lists every field of a body, and shows the sample's.
func TestBodyIsDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/postbacks.md")
	if err != nil {
		t.Fatal(err)
	}
	_, bodies, _ := strings.Cut(string(text), "## Bodies")
	for f := range reflect.TypeFor[Message]().Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !strings.Contains(bodies, "`"+name+"`") {
			t.Errorf("docs/postbacks.md does not speak of field %s", name)
		}
	}
	_, shown, _ := strings.Cut(bodies, "```json\n")
	shown, _, _ = strings.Cut(shown, "```")
	telling := earned(attribution.Happening)
	telling.Told.IDs = telling.Told.IDs[:1]
	d, _ := Make(webhook("event"), telling)
	var got, want bytes.Buffer
	if err := json.Indent(&got, []byte(d.Body), "", "  "); err != nil {
		t.Fatal(err)
	}
	if err := json.Indent(&want, []byte(shown), "", "  "); err != nil || got.String() != strings.TrimSpace(want.String()) {
		t.Errorf("the document's body differs (%v); made is\n%s", err, d.Body)
	}
}

// The account's name of a person is the account's own.
func TestPartnersAreNotToldOfUsers(t *testing.T) {
	t.Parallel()
	p := toWide(acmeURL, "install")
	p.Method = "POST"
	d, ok := Make(p, earned(attribution.NewInstall))
	if !ok || d.Method != "POST" || strings.Contains(d.Body, `"user"`) {
		t.Errorf("got %+v, %v", d, ok)
	}
}

func TestOddMoneyIsNotToldToPartners(t *testing.T) {
	t.Parallel()
	const macros = "https://p.test/in?a={amount}&c={currency}&e={event_name}"
	f := func(flag string, toPartner, toAccount string) {
		t.Helper()
		telling := earned(attribution.Happening)
		if flag != "" {
			telling.Decided.Flags = []string{flag}
		}
		for p, want := range map[*link.Postback]string{toWide(macros, "event"): toPartner, {Key: "own", Account: 5899, On: []string{"event"}, Method: "GET", URL: macros}: toAccount} {
			if d, ok := Make(p, telling); !ok || d.URL != want {
				t.Errorf("with the flag %q, %s is told %s, want %s", flag, p.Key, d.URL, want)
			}
		}
		if telling.Decided.Amount != "9.99" || telling.Decided.Currency != "EUR" {
			t.Errorf("with the flag %q, telling has changed what is kept: %+v", flag, telling.Decided)
		}
	}
	const all, none = "https://p.test/in?a=9.99&c=EUR&e=purchase", "https://p.test/in?a=&c=&e=purchase"
	f("", all, all)
	f(event.ReferrerFlag, all, all)
	f(event.AmountFlag, none, all)
	f(event.CurrencyFlag, none, all)
}

func TestEventsAfterWinningBack(t *testing.T) {
	t.Parallel()
	const template = "https://p.test/?{IS_RE_ENG}{is_reengagement}(is-retargeting)"
	f := func(telling Telling, want string) {
		t.Helper()
		if got := filled(t, template, telling); !strings.HasSuffix(got, "?"+want) {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	after := earned(attribution.Happening)
	f(after, "00false")
	after.Installation.Reengagement = &attribution.Credit{Match: *after.Decided.Decision.Winner}
	f(after, "11true")
	after.Installation.Reengagement = &attribution.Credit{Match: attribution.Match{Touch: 3}}
	f(after, "00false")
	after.Installation.Outcome = attribution.Reattribution
	after.Installation.Credit = &attribution.Credit{Match: *after.Decided.Decision.Winner}
	f(after, "11true")
	f(earned(attribution.Reengagement), "11true")
	f(earned(attribution.Reattribution), "11true")
	f(earned(attribution.NewInstall), "00false")
}

// A touch that did not earn the conversion is nobody's business.
func TestTouchThatEarnedNothing(t *testing.T) {
	t.Parallel()
	telling := organic(attribution.NewInstall)
	telling.Touch = someTouch()
	if got := filled(t, "https://p.test/?{click_id}{campaign}{pid}{deep_link}", telling); got != "https://p.test/?" {
		t.Errorf("told %s", got)
	}
}
