package ingest_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/event"
	"waypost/ingest"
	"waypost/internal/device"
	"waypost/internal/fault"
	"waypost/link"
)

func TestOpenIsInTheLedgerBeforeItIsAcknowledged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := someReport()
	r.First, r.Emulator, r.Unsigned, r.User, r.AppVersion, r.SDK, r.Clipboard = true, true, true, "user-7", "4.2.0", "waypost-android/1.0", "tok-1"
	r.Device = ingest.Device{OS: "16", Locale: "en_US", Timezone: "Europe/Berlin", Width: 1280, Height: 2856}
	r.Agent, r.Addresses = phoneAgent, []netip.Addr{netip.MustParseAddr("::ffff:" + someIP), netip.MustParseAddr(someIP)}
	r.IDs = []attribution.DeviceID{{Kind: attribution.GAID, Value: strings.ToUpper(someGAID)}, {Kind: attribution.GAID, Form: attribution.Raw, Value: someGAID}}
	r.Referrer = &ingest.Referrer{Raw: "af_tranid%3DOTAyMzg2MTI4MjYxMzc3OTg4Mw%3D%3D%26pid%3Dwide", ClickAt: noon.Add(-time.Hour), ClickServerAt: noon.Add(-time.Hour)}
	r.OpenedURL = "acme://shoe?ko_click_id=9023861282613779884"
	r.Params = json.RawMessage(` { "store": "play" } `)
	receipt, err := w.service.Open(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	got := w.last()
	want := event.Told{
		Version: 1, Kind: event.OpenKind, ID: receipt.ID, At: noon.Add(-time.Minute).UnixMilli(), ReceivedAt: noon.UnixMilli(), Account: 5899, App: 26538,
		Dialect: link.Own, Install: someInstall, Key: receipt.Key, Platform: device.Android, OS: "16", Model: "Pixel 10 Pro", Locale: "en-US",
		Timezone: "Europe/Berlin", Width: 1280, Height: 2856, Country: "DE", IPs: []string{someIP}, Agent: phoneAgent,
		IDs: []event.DeviceID{{Kind: "gaid", Value: someGAID}}, User: "user-7", AppVersion: "4.2.0", SDK: "waypost-android/1.0",
		Emulator: true, Unsigned: true, First: true, OpenedURL: r.OpenedURL, OpenedClick: "9023861282613779884", Clipboard: "tok-1",
		Referrer: &event.Referrer{Raw: r.Referrer.Raw, Click: "9023861282613779883", ClickAt: noon.Add(-time.Hour).UnixMilli(), ClickServerAt: noon.Add(-time.Hour).UnixMilli()},
		Params:   json.RawMessage(`{"store":"play"}`),
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if receipt.Account != 5899 || receipt.App != 26538 || receipt.Install != someInstall || !receipt.ReceivedAt.Equal(noon) || len(receipt.Flags) != 0 {
		t.Errorf("the receipt says %+v", receipt)
	}
}

func TestNothingIsAcknowledgedWithoutTheLedger(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ledger.Fail(errDown)
	if _, err := w.service.Open(t.Context(), someReport()); !fault.Is(err, fault.Unavailable) || fault.As(err).RetryAfter <= 0 {
		t.Errorf("got %v", err)
	}
	if got := w.service.Stats(); len(got.Taken) != 0 || got.Refused[fault.Unavailable] != 1 {
		t.Errorf("counted %+v", got)
	}
}

// flagged runs one report and holds it against what must be kept.
func flagged(t *testing.T, name string, change func(*ingest.Report), flags string, holds func(event.Told) bool) {
	t.Helper()
	w := newWorld(t)
	r := someReport()
	change(&r)
	take := w.service.Event
	if r.Referrer != nil {
		take = w.service.Open
	}
	receipt, err := take(t.Context(), r)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	got := w.last()
	if have := strings.Join(got.Flags, ","); have != flags || strings.Join(receipt.Flags, ",") != flags {
		t.Errorf("%s: flags %q, want %q", name, have, flags)
	}
	if !holds(got) {
		t.Errorf("%s: kept %+v", name, got)
	}
}

const day = 24 * time.Hour

// TestFlaggedTimes: what is odd is kept and flagged.
func TestFlaggedTimes(t *testing.T) {
	t.Parallel()
	f := func(name string, change func(*ingest.Report), flags string, holds func(event.Told) bool) {
		t.Helper()
		flagged(t, name, change, flags, holds)
	}
	at := func(want time.Time) func(event.Told) bool {
		return func(t event.Told) bool { return t.At == want.UnixMilli() }
	}
	sent := func(at, sentAt time.Time) func(*ingest.Report) {
		return func(r *ingest.Report) { r.At, r.SentAt = at, sentAt }
	}
	f("a clock that is right", sent(noon.Add(-time.Hour), noon), "", at(noon.Add(-time.Hour)))
	f("a clock that is ten years slow", sent(noon.Add(-3650*day-time.Hour), noon.Add(-3650*day)), "", at(noon.Add(-time.Hour)))
	f("a clock that is a day fast", sent(noon.Add(day-time.Hour), noon.Add(day)), "", at(noon.Add(-time.Hour)))
	f("no time of sending", sent(noon.Add(-time.Hour), time.Time{}), "", at(noon.Add(-time.Hour)))
	f("no time at all", sent(time.Time{}, time.Time{}), "", at(noon))
	f("only the time of sending", sent(time.Time{}, noon.Add(-day)), "", at(noon))
	f("30 days late", sent(noon.Add(-30*day), noon), "", at(noon.Add(-30*day)))
	claimed := func(want time.Time) func(event.Told) bool {
		return func(t event.Told) bool { return t.At == noon.UnixMilli() && t.ClaimedAt == want.UnixMilli() }
	}
	f("later than 30 days", sent(noon.Add(-30*day-time.Second), noon), "clock", claimed(noon.Add(-30*day-time.Second)))
	f("five minutes ahead", sent(noon.Add(5*time.Minute), noon), "", at(noon.Add(5*time.Minute)))
	f("more than that ahead", sent(noon.Add(5*time.Minute+time.Second), noon), "clock", claimed(noon.Add(5*time.Minute+time.Second)))
	f("the first year", sent(time.Unix(-60_000_000_000, 0), noon), "clock", at(noon))
	f("the year 9999", sent(time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)), "clock", at(noon))

}

func TestFlaggedIDs(t *testing.T) {
	t.Parallel()
	f := func(name string, change func(*ingest.Report), flags string, holds func(event.Told) bool) {
		t.Helper()
		flagged(t, name, change, flags, holds)
	}
	id := func(ids ...attribution.DeviceID) func(*ingest.Report) {
		return func(r *ingest.Report) { r.IDs = ids }
	}
	ids := func(want ...string) func(event.Told) bool {
		return func(t event.Told) bool {
			var have []string
			for _, id := range t.IDs {
				have = append(have, id.Kind+":"+id.Form+":"+id.Value)
			}
			return slices.Equal(have, want)
		}
	}
	f("a zero id", id(attribution.DeviceID{Kind: attribution.IDFA, Value: "00000000-0000-0000-0000-000000000000"}), "", ids())
	f("an empty id", id(attribution.DeviceID{Kind: attribution.IDFA}), "", ids())
	f("a macro", id(attribution.DeviceID{Kind: attribution.GAID, Value: "{gaid}"}), "", ids())
	f("a malformed id", id(attribution.DeviceID{Kind: attribution.GAID, Value: "Not-An-Id"}), "device_id", ids("gaid::not-an-id"))
	f("a malformed id beside a good one", id(attribution.DeviceID{Kind: attribution.GAID, Value: "x"}, attribution.DeviceID{Kind: attribution.AndroidID, Value: "1f2e3D"}),
		"device_id", ids("gaid::x", "android_id::1f2e3D"))
	f("a hash in capitals", id(attribution.DeviceID{Kind: attribution.IMEI, Form: attribution.MD5, Value: "9E107D9D372BB6826BD81D3542A419D6"}), "",
		ids("imei:md5:9e107d9d372bb6826bd81d3542a419d6"))
	f("an endless id", id(attribution.DeviceID{Kind: attribution.OAID, Value: strings.Repeat("ab", 500)}), "device_id", ids("oaid::"+strings.Repeat("ab", 64)))

}

func TestFlaggedMoney(t *testing.T) {
	t.Parallel()
	f := func(name string, change func(*ingest.Report), flags string, holds func(event.Told) bool) {
		t.Helper()
		flagged(t, name, change, flags, holds)
	}
	money := func(amount, currency string) func(*ingest.Report) {
		return func(r *ingest.Report) { r.Amount, r.Currency = amount, currency }
	}
	kept := func(amount, currency string) func(event.Told) bool {
		return func(t event.Told) bool { return t.Amount == amount && t.Currency == currency }
	}
	f("money", money("12.50", "eur"), "", kept("12.5", "EUR"))
	f("a whole number", money("0012", " USD "), "", kept("12", "USD"))
	f("a float's text", money("9.990000000000000213", "USD"), "", kept("9.99", "USD"))
	f("an exponent", money("1.5e3", "JPY"), "", kept("1500", "JPY"))
	f("a refund", money("-3.00", "GBP"), "", kept("-3", "GBP"))
	f("minus nothing", money("-0.0", ""), "", kept("0", ""))
	f("no money", money("", ""), "", kept("", ""))
	f("a currency alone", money("", "CHF"), "", kept("", "CHF"))
	f("words", money("ten", "EUR"), "amount", kept("ten", "EUR"))
	f("a comma", money("1,50", "EUR"), "amount", kept("1,50", "EUR"))
	f("hexadecimal", money("0x1p-2", "EUR"), "amount", kept("0x1p-2", "EUR"))
	f("a fraction", money("1/3", "EUR"), "amount", kept("1/3", "EUR"))
	f("infinity", money("Inf", "EUR"), "amount", kept("Inf", "EUR"))
	f("a bomb", money("1e999999999", "EUR"), "amount", kept("1e999999999", "EUR"))
	f("too much", money("1000000000000", "EUR"), "amount", kept("1000000000000", "EUR"))
	f("too much by an exponent", money("1e99", "EUR"), "amount", kept("1e99", "EUR"))
	f("no currency", money("1", ""), "currency", kept("1", ""))
	f("a made-up currency", money("1", "ZZZ"), "currency", kept("1", "ZZZ"))
	f("two currencies", money("1", "EUR USD"), "currency", kept("1", "EUR USD"))
	f("all at once", func(r *ingest.Report) {
		r.Amount, r.Currency, r.At, r.IDs = "x", "y", noon.Add(day), []attribution.DeviceID{{Kind: attribution.GAID, Value: "z"}}
	},
		"amount,currency,clock,device_id", kept("x", "y"))
	f("what the dialect found", func(r *ingest.Report) { r.Flags = []string{event.AddressFlag} }, "address", kept("", ""))

}

func TestFlaggedReferrers(t *testing.T) {
	t.Parallel()
	f := func(name string, change func(*ingest.Report), flags string, holds func(event.Told) bool) {
		t.Helper()
		flagged(t, name, change, flags, holds)
	}
	referrer := func(ref ingest.Referrer) func(*ingest.Report) {
		return func(r *ingest.Report) { r.Referrer = &ref }
	}
	begin := func(want time.Time) func(event.Told) bool {
		return func(t event.Told) bool {
			return t.Referrer != nil && (t.Referrer.InstallBeginAt == want.UnixMilli() || t.Referrer.InstallBeginServerAt == want.UnixMilli())
		}
	}
	f("a referrer's times", referrer(ingest.Referrer{InstallBeginAt: noon.Add(-day)}), "", begin(noon.Add(-day)))
	f("a referrer of 90 days", referrer(ingest.Referrer{InstallBeginServerAt: noon.Add(-90 * day)}), "", begin(noon.Add(-90*day)))
	f("an older one", referrer(ingest.Referrer{InstallBeginServerAt: noon.Add(-91 * day)}), "referrer_time", begin(noon.Add(-91*day)))
	f("a download in the future", referrer(ingest.Referrer{InstallBeginServerAt: noon.Add(time.Hour)}), "referrer_time", begin(noon.Add(time.Hour)))
	f("an empty referrer", referrer(ingest.Referrer{}), "", func(t event.Told) bool { return t.Referrer == nil })
	f("a device's clock in the referrer", func(r *ingest.Report) {
		r.SentAt, r.At = noon.Add(day), noon.Add(day)
		r.Referrer = &ingest.Referrer{InstallBeginAt: noon.Add(day - time.Hour), InstallBeginServerAt: noon.Add(-time.Minute)}
	}, "", func(t event.Told) bool {
		return t.Referrer.InstallBeginAt == noon.Add(-time.Hour).UnixMilli() && t.Referrer.InstallBeginServerAt == noon.Add(-time.Minute).UnixMilli()
	})
}

// TestRefusals: what cannot be read completely is refused whole, and the fault
// names the field.
func TestRefusals(t *testing.T) {
	t.Parallel()
	f := func(name string, change func(*ingest.Report), kind fault.Kind, field string) {
		t.Helper()
		w := newWorld(t)
		r := someReport()
		change(&r)
		for verb, take := range map[string]func() error{
			"open":  func() error { _, err := w.service.Open(t.Context(), r); return err },
			"event": func() error { _, err := w.service.Event(t.Context(), r); return err },
		} {
			if onlyOf := map[string]string{ingest.FieldName: "event", ingest.FieldReferrer: "open", ingest.FieldOpened: "open", ingest.FieldToken: "open"}[field]; onlyOf != "" && onlyOf != verb {
				continue
			}
			err := take()
			if !fault.Is(err, kind) || fault.As(err).Field != field || fault.As(err).Message == "" {
				t.Errorf("%s, %s: got %v, want %s of %q", verb, name, err, kind, field)
			}
		}
		if w.ledger.Count() != 0 {
			t.Errorf("%s: something is in the ledger", name)
		}
	}
	long := func(n int) string { return strings.Repeat("x", n+1) }
	f("no installation", func(r *ingest.Report) { r.Install = " " }, fault.Invalid, ingest.FieldInstall)
	f("a long installation", func(r *ingest.Report) { r.Install = long(128) }, fault.Invalid, ingest.FieldInstall)
	f("a broken installation", func(r *ingest.Report) { r.Install = "a\xff" }, fault.Invalid, ingest.FieldInstall)
	f("control characters", func(r *ingest.Report) { r.Install = "a\nb" }, fault.Invalid, ingest.FieldInstall)
	f("a long key", func(r *ingest.Report) { r.Key = long(128) }, fault.Invalid, ingest.FieldEventID)
	f("no name", func(r *ingest.Report) { r.Name = "" }, fault.Invalid, ingest.FieldName)
	f("a long name", func(r *ingest.Report) { r.Name = long(256) }, fault.Invalid, ingest.FieldName)
	f("a long user", func(r *ingest.Report) { r.User = long(256) }, fault.Invalid, ingest.FieldUser)
	f("a long referrer", func(r *ingest.Report) { r.Referrer = &ingest.Referrer{Raw: long(8192)} }, fault.Invalid, ingest.FieldReferrer)
	f("a long URL", func(r *ingest.Report) { r.OpenedURL = long(8192) }, fault.Invalid, ingest.FieldOpened)
	f("a long token", func(r *ingest.Report) { r.Clipboard = long(256) }, fault.Invalid, ingest.FieldToken)
	f("long params", func(r *ingest.Report) { r.Params = json.RawMessage(`{"a":"` + long(16<<10) + `"}`) }, fault.Invalid, ingest.FieldParams)
	f("params that are a list", func(r *ingest.Report) { r.Params = json.RawMessage(`[1]`) }, fault.Invalid, ingest.FieldParams)
	f("params that are none", func(r *ingest.Report) { r.Params = json.RawMessage(`{"a":`) }, fault.Invalid, ingest.FieldParams)
	f("an unknown kind of id", func(r *ingest.Report) { r.IDs = []attribution.DeviceID{{Kind: "phone", Value: "1"}} }, fault.Invalid, ingest.FieldIDs)
	f("too many ids", func(r *ingest.Report) { r.IDs = make([]attribution.DeviceID, 33) }, fault.Invalid, ingest.FieldIDs)
	f("a strange answer", func(r *ingest.Report) { r.Consent = &event.Consent{Measurement: "maybe"} }, fault.Invalid, ingest.FieldConsent)
	f("too many partners", func(r *ingest.Report) { r.Withhold = make([]string, 129) }, fault.Invalid, ingest.FieldWithhold)
	f("a long partner", func(r *ingest.Report) { r.Withhold = []string{long(128)} }, fault.Invalid, ingest.FieldWithhold)
	f("an unknown key", func(r *ingest.Report) { r.App.Key = "nobody" }, fault.NotFound, ingest.FieldKey)
	f("no key", func(r *ingest.Report) { r.App.Key = "" }, fault.Invalid, ingest.FieldKey)
	f("an unknown app", func(r *ingest.Report) { r.App.Name = "com.acme.none" }, fault.NotFound, ingest.FieldApp)
	f("no app", func(r *ingest.Report) { r.App = ingest.AppRef{Key: someKey} }, fault.Invalid, ingest.FieldApp)
	f("an ambiguous app", func(r *ingest.Report) { r.App.Platform = device.Unknown }, fault.Invalid, ingest.FieldPlatform)
	f("another account's app", func(r *ingest.Report) { r.App = ingest.AppRef{Key: someKey, Name: "com.rival.app"} }, fault.NotFound, ingest.FieldApp)
	f("another account's number", func(r *ingest.Report) { r.App = ingest.AppRef{Key: someKey, ID: 40002} }, fault.NotFound, ingest.FieldApp)
}

func TestAppsAreFoundByEveryName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := func(ref ingest.AppRef, want link.AppID) {
		t.Helper()
		app, account, err := w.service.FindApp(ref)
		if err != nil || app.ID != want || account.ID != app.Account {
			t.Errorf("FindApp(%+v) = %+v, %v", ref, app, err)
		}
	}
	f(ingest.AppRef{ID: 24171}, 24171)
	f(ingest.AppRef{GUID: "koacme-android"}, 26538)
	f(ingest.AppRef{Key: someKey, GUID: "koacme-android"}, 26538)
	f(ingest.AppRef{Account: 5899, ID: 26538, GUID: "koacme-android"}, 26538)
	f(ingest.AppRef{Account: 5899, Name: "1234567890"}, 24171)
	f(ingest.AppRef{Account: 5899, Name: "id1234567890"}, 24171)
	f(ingest.AppRef{Key: someKey, Name: "koacme-web"}, 38581)
	f(ingest.AppRef{Key: someKey, Name: "30002"}, 30002)
	f(ingest.AppRef{Key: someKey, Name: "com.acme.app", Platform: device.IOS}, 24171)
	f(ingest.AppRef{Key: someKey, Name: "com.acme.app", Platform: device.FireOS}, 26538)
	f(ingest.AppRef{Key: someKey, Platform: device.Web}, 38581)
	g := func(ref ingest.AppRef, kind fault.Kind, field string) {
		t.Helper()
		if app, _, err := w.service.FindApp(ref); !fault.Is(err, kind) || fault.As(err).Field != field {
			t.Errorf("FindApp(%+v) = %+v, %v", ref, app, err)
		}
	}
	g(ingest.AppRef{Key: someKey, Platform: device.Android}, fault.Invalid, ingest.FieldApp)
	g(ingest.AppRef{ID: 1}, fault.NotFound, ingest.FieldApp)
	g(ingest.AppRef{ID: 24171, GUID: "koacme-android"}, fault.NotFound, ingest.FieldApp)
	g(ingest.AppRef{Account: 6001, Key: someKey, ID: 24171}, fault.NotFound, ingest.FieldKey)
	g(ingest.AppRef{Key: someKey, Name: "COM.ACME.APP"}, fault.NotFound, ingest.FieldApp)
}

// TestRepetitionsHaveOneKey: who tells a thing twice tells it with one key, and
// two things have two.
func TestRepetitionsHaveOneKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key := func(kind event.Kind, change func(*ingest.Report)) string {
		t.Helper()
		r := someReport()
		change(&r)
		receipt, err := map[event.Kind]func() (ingest.Receipt, error){
			event.OpenKind:     func() (ingest.Receipt, error) { return w.service.Open(t.Context(), r) },
			event.InAppKind:    func() (ingest.Receipt, error) { return w.service.Event(t.Context(), r) },
			event.ConsentKind:  func() (ingest.Receipt, error) { return w.service.Consent(t.Context(), r) },
			event.IdentifyKind: func() (ingest.Receipt, error) { return w.service.Identify(t.Context(), r) },
		}[kind]()
		if err != nil || receipt.Key == "" || w.last().Key != receipt.Key {
			t.Fatalf("%s: %+v, %v", kind, receipt, err)
		}
		return receipt.Key
	}
	f := func(name string, kind event.Kind, one, two func(*ingest.Report), same bool) {
		t.Helper()
		if a, b := key(kind, one), key(kind, two); (a == b) != same {
			t.Errorf("%s: %q and %q", name, a, b)
		}
	}
	plain := func(*ingest.Report) {}
	later := func(r *ingest.Report) { r.SentAt = r.SentAt.Add(time.Hour) }
	untimed := func(r *ingest.Report) { r.At = time.Time{} }
	first := func(r *ingest.Report) { r.At, r.First = time.Time{}, true }
	given := func(r *ingest.Report) { r.Key = "e-1" }
	f("a retry", event.InAppKind, plain, later, true)
	f("a given key", event.InAppKind, given, func(r *ingest.Report) { r.Key, r.Name = "e-1", "other" }, true)
	f("another name", event.InAppKind, plain, func(r *ingest.Report) { r.Name = "level" }, false)
	f("another time", event.InAppKind, plain, func(r *ingest.Report) { r.At = r.At.Add(time.Millisecond) }, false)
	f("other params", event.InAppKind, plain, func(r *ingest.Report) { r.Params = json.RawMessage(`{"a":1}`) }, false)
	f("another amount", event.InAppKind, plain, func(r *ingest.Report) { r.Amount, r.Currency = "1", "EUR" }, false)
	f("neither key nor time", event.InAppKind, untimed, untimed, false)
	f("an open again", event.OpenKind, plain, later, true)
	f("a first start without a time", event.OpenKind, first, first, true)
	f("opens without a time", event.OpenKind, untimed, untimed, false)
	named := func(r *ingest.Report) { r.User, r.At = "u-1", time.Time{} }
	f("a name again", event.IdentifyKind, named, named, true)
	f("another name of the person", event.IdentifyKind, named, func(r *ingest.Report) { r.User, r.At = "u-2", time.Time{} }, false)
	agreed := func(r *ingest.Report) { r.Consent = &event.Consent{Measurement: "yes"} }
	f("an answer again", event.ConsentKind, agreed, agreed, true)
}

// TestConsentAndIdentifyNeedTheirWord: an empty answer says nothing.
func TestConsentAndIdentifyNeedTheirWord(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, err := w.service.Consent(t.Context(), someReport()); fault.As(err).Field != ingest.FieldConsent {
		t.Errorf("consent without an answer: %v", err)
	}
	if _, err := w.service.Identify(t.Context(), someReport()); fault.As(err).Field != ingest.FieldUser {
		t.Errorf("identify without a name: %v", err)
	}
	if w.ledger.Count() != 0 {
		t.Error("something is in the ledger")
	}
}

// TestNetworks: an event says which network an address belongs to, also where
// privacy cuts or drops the address.
func TestNetworks(t *testing.T) {
	t.Parallel()
	f := func(name string, app ingest.AppRef, consent *event.Consent, addresses []string, ips, networks string) {
		t.Helper()
		w := newWorld(t)
		r := someReport()
		r.App, r.Consent = app, consent
		for _, a := range addresses {
			r.Addresses = append(r.Addresses, netip.MustParseAddr(a))
		}
		if _, err := w.service.Open(t.Context(), r); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got := w.last()
		if fmt.Sprintf("%q", got.IPs) != ips || fmt.Sprintf("%q", got.Networks) != networks {
			t.Errorf("%s: addresses %q, networks %q; want %s, %s", name, got.IPs, got.Networks, ips, networks)
		}
		if strings.Contains(string(w.ledger.Lines()[0]), "networks") != (networks != "[]") {
			t.Errorf("%s: the line is %s", name, w.ledger.Lines()[0])
		}
	}
	open := someReport().App
	cut, none := ingest.AppRef{Key: "rival-key", Name: "com.rival.app", Platform: device.Android}, ingest.AppRef{Key: "shy-key", Name: "com.shy.app", Platform: device.Android}
	both := []string{someIP, "::ffff:198.51.100.200", "198.51.100.7", "198.51.100.200"}
	f("nothing listed", open, nil, both[:1], `["203.0.113.77"]`, `[]`)
	f("in their order", open, nil, both, `["203.0.113.77" "198.51.100.200" "198.51.100.7"]`, `["" "hosting" ""]`)
	f("cut", cut, nil, both, `["203.0.113.0" "198.51.100.0" "198.51.100.0"]`, `["" "hosting" ""]`)
	f("dropped", none, nil, both, `[]`, `["hosting"]`)
	f("dropped, nothing listed", none, nil, both[:1], `[]`, `[]`)
	f("forbidden", open, &event.Consent{Measurement: "no"}, both, `[]`, `["hosting"]`)
	f("forbidden, nothing listed", open, &event.Consent{Measurement: "no"}, both[:1], `[]`, `[]`)
}

// TestPrivacyComesBeforeTheLedger: what a person or his account forbids is in no line.
func TestPrivacyComesBeforeTheLedger(t *testing.T) {
	t.Parallel()
	f := func(name string, change func(*world, *ingest.Report), ids, ips string) {
		t.Helper()
		w := newWorld(t)
		r := someReport()
		r.IDs = []attribution.DeviceID{{Kind: attribution.GAID, Value: someGAID}, {Kind: attribution.IDFA, Value: someIDFA}, {Kind: attribution.AndroidID, Value: "1f2e3d4c5b6a7988"}}
		r.Addresses, r.Agent, r.User = []netip.Addr{netip.MustParseAddr(someIP)}, phoneAgent, "user-7"
		r.OpenedURL = "acme://x?ip=" + someIP
		change(w, &r)
		if _, err := w.service.Open(t.Context(), r); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got := w.last()
		var kinds []string
		for _, id := range got.IDs {
			kinds = append(kinds, id.Kind)
		}
		if have := strings.Join(kinds, ","); have != ids || strings.Join(got.IPs, ",") != ips || got.Country != "DE" {
			t.Errorf("%s: ids %q, addresses %q, country %q", name, have, got.IPs, got.Country)
		}
		if want := map[link.AccountID]string{6001: "203.0.113.0", 6002: "0.0.0.0"}[got.Account]; want != "" && got.OpenedURL != "acme://x?ip="+want {
			t.Errorf("%s: opened %s", name, got.OpenedURL)
		}
		if refused := ids == ""; refused != (got.User == "") || refused != (got.Agent == "") {
			t.Errorf("%s: user %q, agent %q", name, got.User, got.Agent)
		}
	}
	says := func(c event.Consent) func(*world, *ingest.Report) {
		return func(_ *world, r *ingest.Report) { r.Consent = &c }
	}
	remembered := func(app link.AppID, c attribution.Consent) func(*world, *ingest.Report) {
		return func(w *world, _ *ingest.Report) {
			w.decisions.Decide(history.Installation{App: app, ID: someInstall, Consent: c})
		}
	}
	f("nobody asked", func(*world, *ingest.Report) {}, "gaid,idfa,android_id", someIP)
	f("agreed", says(event.Consent{Tracking: "yes", Measurement: "yes"}), "gaid,idfa,android_id", someIP)
	f("no tracking", says(event.Consent{Tracking: "no"}), "gaid,android_id", someIP)
	f("no measurement", says(event.Consent{Measurement: "no"}), "", "")
	f("limited", says(event.Consent{LimitAds: event.Yes}), "android_id", someIP)
	f("a child", says(event.Consent{Child: event.Yes}), "android_id", someIP)
	f("said no before", remembered(26538, attribution.Consent{Measurement: attribution.No}), "", "")
	f("said no before the first open", func(w *world, _ *ingest.Report) {
		w.decisions.Permit(someInstall, attribution.Consent{Measurement: attribution.No})
	}, "", "")
	said := func(change func(*ingest.Report)) func(*world, *ingest.Report) {
		return func(w *world, _ *ingest.Report) {
			answer := someReport()
			answer.Consent = &event.Consent{Measurement: "no"}
			change(&answer)
			if _, err := w.service.Consent(t.Context(), answer); err != nil {
				t.Error(err)
			}
		}
	}
	f("said no, and nothing is decided yet", said(func(*ingest.Report) {}), "", "")
	f("somebody else said no", said(func(r *ingest.Report) { r.Install = "another" }), "gaid,idfa,android_id", someIP)
	f("somebody unsigned said no", said(func(r *ingest.Report) { r.Unsigned = true }), "gaid,idfa,android_id", someIP)
	f("said no, and what was decided of it permits everything", func(w *world, r *ingest.Report) {
		said(func(*ingest.Report) {})(w, r)
		w.decisions.Pass()
	}, "gaid,idfa,android_id", someIP)
	f("said no in another app", remembered(30002, attribution.Consent{Measurement: attribution.No}), "gaid,idfa,android_id", someIP)
	f("said no before and yes now", func(w *world, r *ingest.Report) {
		remembered(26538, attribution.Consent{Measurement: attribution.No})(w, r)
		r.Consent = &event.Consent{Measurement: "yes"}
	}, "gaid,idfa,android_id", someIP)
	f("said no before and speaks of tracking now", func(w *world, r *ingest.Report) {
		remembered(26538, attribution.Consent{Measurement: attribution.No})(w, r)
		r.Consent = &event.Consent{Tracking: "yes"}
	}, "", "")
	f("refused tracking before and speaks of measurement now", func(w *world, r *ingest.Report) {
		remembered(26538, attribution.Consent{Tracking: attribution.No, Child: true})(w, r)
		r.Consent = &event.Consent{Measurement: "yes"}
	}, "android_id", someIP)
	f("a district's address", func(_ *world, r *ingest.Report) { r.App = ingest.AppRef{ID: 40002} }, "gaid,idfa,android_id", "203.0.113.0")
	f("no address", func(_ *world, r *ingest.Report) { r.App = ingest.AppRef{ID: 40003} }, "gaid,idfa,android_id", "")
}

// TestUnreadableConsentKeepsNothing: on a guess, a forbidden id might be kept.
func TestUnreadableConsentKeepsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.decisions.Fail(errDown)
	r := someReport()
	r.IDs = []attribution.DeviceID{{Kind: attribution.GAID, Value: someGAID}}
	if _, err := w.service.Open(t.Context(), r); !fault.Is(err, fault.Unavailable) || w.ledger.Count() != 0 {
		t.Errorf("got %v", err)
	}
	r.IDs = nil
	if _, err := w.service.Open(t.Context(), r); err != nil {
		t.Errorf("nothing personal was told: %v", err)
	}
}

// TestFactsComeFromTheBestSource: the report's word, then the agent's of the
// same platform, then the app's.
func TestFactsComeFromTheBestSource(t *testing.T) {
	t.Parallel()
	f := func(name string, d ingest.Device, agent string, platform device.Platform, os, model string) {
		t.Helper()
		w := newWorld(t)
		r := someReport()
		r.Device, r.Agent = d, agent
		if _, err := w.service.Open(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if got := w.last(); got.Platform != platform || got.OS != os || got.Model != model {
			t.Errorf("%s: %s %q %q", name, got.Platform, got.OS, got.Model)
		}
	}
	f("nothing", ingest.Device{}, "", device.Android, "", "")
	f("the agent", ingest.Device{}, phoneAgent, device.Android, "16", "Pixel 10 Pro")
	f("the report", ingest.Device{Platform: device.Android, OS: "15", Model: "SM-S911B"}, phoneAgent, device.Android, "15", "SM-S911B")
	f("two platforms", ingest.Device{Platform: device.IOS}, phoneAgent, device.IOS, "", "")
	f("a library's agent", ingest.Device{}, "okhttp/4.12.0", device.Android, "", "")
	f("long texts", ingest.Device{OS: strings.Repeat("1", 100), Model: strings.Repeat("é", 100)}, "", device.Android, strings.Repeat("1", 64), strings.Repeat("é", 32))
}

// TestBatchesAreTakenOneByOne: a bad one leaves the others alone; a ledger that
// went down leaves the rest to be told again.
func TestBatchesAreTakenOneByOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	batch := []ingest.Report{someReport(), someReport(), someReport(), someReport()}
	batch[1].Name = ""
	got := w.service.Events(t.Context(), batch)
	if len(got) != 4 || got[0].Err != nil || fault.As(got[1].Err).Field != ingest.FieldName || got[2].Err != nil || w.ledger.Count() != 3 {
		t.Errorf("got %+v", got)
	}
	w.ledger.FailAfter(1, errDown)
	got = w.service.Events(t.Context(), batch[2:])
	if got[0].Err != nil || !fault.Is(got[1].Err, fault.Unavailable) {
		t.Errorf("got %+v", got)
	}
	got = w.service.Events(t.Context(), batch[2:])
	if !fault.Is(got[0].Err, fault.Unavailable) || !fault.Is(got[1].Err, fault.Unavailable) || w.ledger.Count() != 4 {
		t.Errorf("got %+v", got)
	}
	if stats := w.service.Stats(); stats.Taken[event.InAppKind] != 4 || stats.Refused[fault.Unavailable] != 2 {
		t.Errorf("counted %+v", stats)
	}
}
