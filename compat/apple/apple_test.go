package apple

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"waypost/compat/compattest"
	"waypost/event"
	"waypost/ingest"
	"waypost/ingest/ingesttest"
	"waypost/internal/device"
	"waypost/link"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// receiving is a receiver on a socket, over the core.
type receiving struct {
	t       testing.TB
	base    string
	ledger  *ingesttest.Ledger
	service *ingest.Service
}

// serve starts one with the keys; nil: Apple's. The apps are those of Apple's
// examples, one that has two accounts, and one on Android.
func serve(t testing.TB, k *keys) *receiving {
	t.Helper()
	d, err := link.NewDirectory(link.Catalog{
		Accounts: []link.Account{{ID: 5899, Key: "acme"}, {ID: 6001, Key: "rival"}},
		Apps: []link.App{
			{ID: 1, Account: 5899, Platform: device.IOS, StoreID: "525463029"},
			{ID: 2, Account: 5899, Platform: device.IOS, StoreID: "id10738027756"},
			{ID: 3, Account: 5899, Platform: device.IOS, StoreID: "77"},
			{ID: 4, Account: 6001, Platform: device.IOS, StoreID: "77"},
			{ID: 5, Account: 6001, Platform: device.Android, StoreID: "78"},
			{ID: 6, Account: 5899, Platform: device.IOS, StoreID: "79"},
			{ID: 7, Account: 5899, Platform: device.IOS, StoreID: "79"},
		},
		Domains: []link.Domain{{Host: "go.acme.test", Account: 5899}, {Host: "rival.test", Account: 6001}},
	})
	if err != nil {
		t.Fatal(err)
	}
	r := &receiving{t: t, ledger: &ingesttest.Ledger{}}
	r.service = ingest.New(ingest.Config{
		Directory: func() *link.Directory { return d }, Ledger: r.ledger, Decisions: ingesttest.NewDecisions(), Now: func() time.Time { return noon },
	})
	r.base = compattest.Serve(t, New(Config{Intake: r.service, keys: k}))
	return r
}

// post sends a postback and returns the status, the field that the answer
// blames, and the event, if one was kept.
func (r *receiving) post(path, host, body string, headers ...string) (status int, field string, kept *event.PlatformConversion) {
	r.t.Helper()
	before := r.ledger.Count()
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodPost, r.base+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Host = host
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer answer.Body.Close()
	var said struct {
		ID    string
		Error problem
	}
	if err := json.NewDecoder(answer.Body).Decode(&said); err != nil {
		r.t.Fatalf("%d: %v", answer.StatusCode, err)
	}
	if r.ledger.Count() == before {
		if said.Error.Message == "" || said.ID != "" {
			r.t.Errorf("nothing was kept of %s, and the answer is %+v", body, said)
		}
		return answer.StatusCode, said.Error.Field, nil
	}
	c, err := event.DecodePlatformConversion(r.ledger.Last(r.t))
	if err != nil {
		r.t.Fatal(err)
	}
	if said.ID != c.ID.String() || r.ledger.Count() != before+1 {
		r.t.Errorf("the answer names %q, the event is %+v", said.ID, c)
	}
	return answer.StatusCode, said.Error.Field, &c
}

// example is a postback that Apple has published.
type example struct {
	Name, Source, Read, Kind string
	Signed                   bool
	Postback                 json.RawMessage
}

// path is where devices post such postbacks.
func (e *example) path() string {
	if e.Kind == string(event.AdAttributionKit) {
		return adAttributionKitPath + "/"
	}
	return skAdNetworkPath + "/"
}

func examples(t testing.TB) (list []example) {
	t.Helper()
	text, err := os.ReadFile("testdata/exemplary/postbacks.json")
	if err != nil {
		t.Fatal(err)
	}
	strict := json.NewDecoder(bytes.NewReader(text))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&list); err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		if e.Name == "" || e.Source == "" || e.Read == "" || e.Kind == "" || len(e.Postback) == 0 {
			t.Fatalf("the example %+v is not whole", e)
		}
	}
	return list
}

// TestTrap13AppleVectors: each postback that Apple has published is what its
// page says, and the one whose signature is no good is refused.
func TestTrap13AppleVectors(t *testing.T) {
	t.Parallel()
	number := func(n int) *int { return &n }
	sk := event.PlatformConversion{App: 1, Framework: event.SKAdNetwork, Network: "com.example", Conversion: event.Download, Won: true, Interaction: event.ClickedAd}
	high, low, won, assisted, second, first := sk, sk, sk, sk, sk, sk
	high.FrameworkVersion, high.Key, high.Source, high.SourceDomain, high.Value = "4.0", "6aafb7a5-0170-41b5-bbe4-fe71dedf1e30/0", "5239", "example.com", number(63)
	low.FrameworkVersion, low.Key, low.Source, low.SourceDomain, low.Coarse = "4.0", "6aafb7a5-0170-41b5-bbe4-fe71dedf1e31/0", "39", "example.com", "high"
	won.FrameworkVersion, won.Key, won.Source, won.SourceApp, won.Value = "3.0", "6aafb7a5-0170-41b5-bbe4-fe71dedf1e28/0", "42", "1234567891", number(20)
	won.Network, won.Conversion = "example123.skadnetwork", event.Redownload
	assisted.FrameworkVersion, assisted.Key, assisted.Source, assisted.Won = "3.0", "f9ac267a-a889-44ce-b5f7-0166d11461f0/0", "42", false
	assisted.Network, assisted.Conversion = "example123.skadnetwork", event.Redownload
	second.FrameworkVersion, second.Key, second.Source, second.SourceApp, second.Value = "2.2", won.Key, "42", "1234567891", number(20)
	second.Conversion = event.Redownload
	first = second
	first.FrameworkVersion, first.Interaction = "2.1", ""
	kit := event.PlatformConversion{
		App: 2, Framework: event.AdAttributionKit, Key: "85546EB7-FD39-44BC-8990-C98A4AC36A49/0", Test: true, Network: "development.adattributionkit",
		Source: "1234", Marketplace: "com.apple.AppStore", Conversion: event.Reengagement, Won: true, Interaction: event.ClickedAd, Value: number(24), Country: "US",
	}
	want := map[string]event.PlatformConversion{
		"4-web-high-tier": high, "4-web-low-tier": low, "3-won": won, "3-assisted": assisted, "2-2": second, "2-1": first, "kit-developer-settings": kit,
	}
	r, seen := serve(t, nil), 0
	for _, e := range examples(t) {
		status, field, kept := r.post(e.path(), "example.com", string(e.Postback))
		if !e.Signed {
			if status != http.StatusBadRequest || kept != nil || field != fieldJWS {
				t.Errorf("%s: answered %d %q, kept %+v", e.Name, status, field, kept)
			}
			continue
		}
		if status != http.StatusOK || kept == nil {
			t.Errorf("%s: answered %d %q", e.Name, status, field)
			continue
		}
		expected := want[e.Name]
		expected.Version, expected.Kind, expected.ID, expected.At, expected.Account = event.Version, event.PlatformConversionKind, kept.ID, noon.UnixMilli(), 5899
		if !reflect.DeepEqual(*kept, expected) {
			t.Errorf("%s: kept\n%+v, want\n%+v", e.Name, *kept, expected)
		}
		seen++
	}
	if seen != len(want) {
		t.Errorf("%d examples are signed, %d are expected", seen, len(want))
	}
}

// TestChangedPostbacksAreRefused: whatever of Apple's examples is signed cannot
// be changed, added or left out; what is not signed can.
func TestChangedPostbacksAreRefused(t *testing.T) {
	t.Parallel()
	r := serve(t, nil)
	for _, e := range examples(t) {
		if !e.Signed || e.Kind != string(event.SKAdNetwork) {
			continue
		}
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(e.Postback, &fields); err != nil {
			t.Fatal(err)
		}
		send := func(name, value string) int {
			t.Helper()
			changed := map[string]json.RawMessage{}
			for field, said := range fields {
				changed[field] = said
			}
			if changed[name] = json.RawMessage(value); value == "" {
				delete(changed, name)
			}
			body, err := json.Marshal(changed)
			if err != nil {
				t.Fatal(err)
			}
			status, _, _ := r.post(e.path(), "example.com", string(body))
			return status
		}
		for name, said := range fields {
			switch name {
			case "conversion-value", "coarse-conversion-value":
				if got := send(name, ""); got != http.StatusOK {
					t.Errorf("%s without %s: answered %d", e.Name, name, got)
				}
				continue
			}
			other := map[byte]string{'t': "false", 'f': "true", '"': `"other"`}[said[0]]
			if other == "" {
				other = "2"
			}
			for _, value := range []string{other, "", "null"} {
				if got := send(name, value); got != http.StatusBadRequest {
					t.Errorf("%s with %s %q: answered %d", e.Name, name, value, got)
				}
			}
		}
		for name, value := range map[string]string{"country-code": `"DE"`, "anything": "[1]"} {
			if got := send(name, value); got != http.StatusOK {
				t.Errorf("%s with %s: answered %d", e.Name, name, got)
			}
		}
	}
}

// TestAddedFieldsAreNotBelieved: what a version does not sign is nobody's word,
// and makes no second postback of a first one.
func TestAddedFieldsAreNotBelieved(t *testing.T) {
	t.Parallel()
	r := serve(t, nil)
	added := map[string]string{
		fieldSource: `"9999"`, fieldCampaign: `["x"]`, fieldSourceSite: `"evil.test"`, fieldFidelity: "0", fieldWon: "false", fieldSequence: "2",
	}
	for _, e := range examples(t) {
		if !e.Signed || e.Kind != string(event.SKAdNetwork) {
			continue
		}
		_, _, plain := r.post(e.path(), "example.com", string(e.Postback))
		for field, value := range added {
			if strings.Contains(string(e.Postback), `"`+field+`"`) {
				continue
			}
			body := strings.TrimSuffix(string(e.Postback), "}") + `,"` + field + `":` + value + "}"
			status, blamed, changed := r.post(e.path(), "example.com", body)
			if changed == nil {
				t.Errorf("%s with %s: answered %d %q", e.Name, field, status, blamed)
				continue
			}
			if changed.ID, changed.At = plain.ID, plain.At; !reflect.DeepEqual(changed, plain) {
				t.Errorf("%s with %s is %+v, want %+v", e.Name, field, changed, plain)
			}
		}
	}
}

// TestSignedTextIsCutInOneWay: what Apple has signed cannot be read as another
// postback, its parts moved to other fields.
func TestSignedTextIsCutInOneWay(t *testing.T) {
	t.Parallel()
	signer := newSigner(t)
	r := serve(t, signer.keys())
	f := func(name, field, body string) {
		t.Helper()
		if status, blamed, kept := r.post(skAdNetworkPath, "example.com", body); status != http.StatusBadRequest || blamed != field || kept != nil {
			t.Errorf("%s: answered %d %q, kept %+v", name, status, blamed, kept)
		}
	}
	moved := strings.Replace(signer.skAdNetwork(), `"source-app-id":99`, `"source-domain":"99"`, 1)
	f("the app that showed it as a site", fieldSourceSite, moved)
	for _, field := range []string{fieldVersion, fieldNetwork, fieldTransaction, fieldSourceSite} {
		f("a separator in "+field, field, signer.skAdNetwork(field, "a\u20631"))
	}
	merged := `{"version":"4.0","ad-network-id":"com.example\u20635239","source-identifier":"525463029","app-id":"6","transaction-id":"x",` +
		`"redownload":false,"source-domain":"example.com","fidelity-type":1,"did-win":true,"postback-sequence-index":0,` +
		`"attribution-signature":"MEUCIGRmSMrqedNu6uaHyhVcifs118R5z/AB6cvRaKrRRHWRAiEAv96ne3dKQ5kJpbsfk4eYiePmrZUU6sQmo+7zfP/1Bxo="}`
	f("two fields as one", fieldNetwork, merged)
}

func TestBadPostbacks(t *testing.T) {
	t.Parallel()
	signer := newSigner(t)
	r := serve(t, signer.keys())
	f := func(name string, want int, field, path, body string, headers ...string) {
		t.Helper()
		status, got, kept := r.post(path, "example.com", body, headers...)
		if status != want || got != field || kept != nil {
			t.Errorf("%s: answered %d %q, want %d %q; kept %+v", name, status, got, want, field, kept)
		}
	}
	const sk, kit = skAdNetworkPath + "/", adAttributionKitPath + "/"
	f("nothing", 400, "body", sk, "")
	f("no object", 400, "body", kit, "[]")
	f("half of one", 400, "body", sk, `{"version":`)
	f("a wrong type", 400, "did-win", sk, signer.skAdNetwork("did-win", "yes"))
	f("a wrong type", 400, "version", sk, `{"version":4}`)
	f("a wrong type", 400, "source-domain", sk, strings.Replace(signer.skAdNetwork(), `"source-app-id":99`, `"source-domain":[]`, 1))
	f("a domain of digits", 400, "source-domain", sk, signer.skAdNetwork("source-domain", "12"))
	f("too much", 400, "body", sk, `{"version":"`+strings.Repeat("4", ingest.MaxBody)+`"}`)
	f("no gzip", 400, "body", sk, "{}", "Content-Encoding", "gzip")
	f("no version", 400, "version", sk, "{}")
	for _, version := range []string{"1.0", "2.0", "5.0", strings.Repeat("9", 100)} {
		f("version "+version, 400, "version", sk, `{"version":"`+version+`"}`)
	}
	f("a number that is none", 400, "app-id", sk, signer.skAdNetwork("app-id", "12x"))
	f("a number in a list", 400, "source-identifier", sk, signer.skAdNetwork("source-identifier", []int{1}))
	f("a long number", 400, "app-id", sk, signer.skAdNetwork("app-id", strings.Repeat("9", 21)))
	f("a long network", 400, "ad-network-id", sk, signer.skAdNetwork("ad-network-id", strings.Repeat("n", 257)))
	f("a long id", 400, "transaction-id", sk, signer.skAdNetwork("transaction-id", strings.Repeat("n", 65)))
	f("a fourth postback", 400, "sequence", sk, signer.skAdNetwork("postback-sequence-index", 3))
	f("a signature that is no base64", 400, "attribution-signature", sk, strings.Replace(signer.skAdNetwork(), `"attribution-signature":"`, `"attribution-signature":"*`, 1))
	f("another's app", 404, "app", sk, signer.skAdNetwork("app-id", 1))
	f("an app of Android", 404, "app", sk, signer.skAdNetwork("app-id", 78))

	f("no jws", 400, "jws-string", kit, "{}")
	f("half a jws", 400, "jws-string", kit, `{"jws-string":"a.b"}`)
	f("another's key", 400, "jws-string", kit, signer.kit("apple-cas-identifier/9", "ES256"))
	f("no key", 400, "jws-string", kit, signer.kit("", "ES256"))
	f("unsigned", 400, "jws-string", kit, signer.kit("apple-cas-identifier/0", "none"))
	f("signed with a shared secret", 400, "jws-string", kit, signer.kit("apple-cas-identifier/0", "HS256"))
	f("the key of developers in production's name", 400, "jws-string", kit, signer.exchanged().kit("apple-cas-identifier/0", "ES256"))
	f("the key of production in developers' name", 400, "jws-string", kit, signer.exchanged().kit("apple-development-identifier/1", "ES256"))
	for _, field := range []string{"advertised-item-identifier", "ad-network-identifier", "source-identifier", "postback-identifier", "postback-sequence-index", "did-win", "conversion-type"} {
		f("no "+field, 400, "jws-string."+field, kit, signer.kit("apple-cas-identifier/0", "ES256", field, nil))
	}
	f("no such conversion", 400, "jws-string.conversion-type", kit, signer.kit("apple-cas-identifier/0", "ES256", "conversion-type", "rent"))
	f("an app of Xcode's", 400, "jws-string.advertised-item-identifier", kit, signer.kit("apple-development-identifier/1", "ES256", "advertised-item-identifier", 0))
	f("a publisher without a number", 400, "jws-string.publisher-item-identifier", kit, signer.kit("apple-cas-identifier/0", "ES256", "publisher-item-identifier", "me"))
	if n := r.ledger.Count(); n != 0 {
		t.Errorf("%d lines are in the ledger", n)
	}
	if stats := r.service.Stats(); stats.UnknownApps != 2 {
		t.Errorf("%d apps were unknown", stats.UnknownApps)
	}
}

func TestOtherMethods(t *testing.T) {
	t.Parallel()
	r := serve(t, nil)
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodOptions} {
		status, header, _ := compattest.Send(t, method, r.base+skAdNetworkPath+"/", "")
		if status != http.StatusMethodNotAllowed || header.Get("Allow") != "POST" {
			t.Errorf("%s: answered %d, allows %q", method, status, header.Get("Allow"))
		}
	}
}

// TestWhatIsNotSignedIsFlagged: values that no device sends are kept, and said
// to be odd.
func TestWhatIsNotSignedIsFlagged(t *testing.T) {
	t.Parallel()
	signer := newSigner(t)
	r := serve(t, signer.keys())
	f := func(field string, value any, flag string) {
		t.Helper()
		status, _, kept := r.post(adAttributionKitPath, "example.com", signer.kitBeside(field, value))
		if status != http.StatusOK || kept == nil || strings.Join(kept.Flags, " ") != flag {
			t.Errorf("%s %v: answered %d, kept %+v", field, value, status, kept)
		}
	}
	f("conversion-value", 0, "")
	f("conversion-value", 63, "")
	f("conversion-value", "63", "")
	f("conversion-value", nil, "")
	f("conversion-value", 64, event.ValueFlag)
	f("conversion-value", 6.5, event.ValueFlag)
	f("conversion-value", json.Number("1e400"), event.ValueFlag)
	f("conversion-value", json.Number("99999999999999999999"), event.ValueFlag)
	f("conversion-value", []int{1}, event.ValueFlag)
	f("conversion-value", -1, event.ValueFlag)
	f("coarse-conversion-value", "medium", "")
	f("coarse-conversion-value", "huge", event.CoarseFlag)
	f("coarse-conversion-value", 1, event.CoarseFlag)
	f("country-code", "DE", "")
	f("country-code", 49, event.CountryFlag)
	f("country-code", "Germany", event.CountryFlag)
	f("ad-interaction-type", "view", "")
	f("ad-interaction-type", "shouted", event.InteractionFlag)
	f("ad-interaction-type", true, event.InteractionFlag)
}

// TestHostTellsWhoseAppItIs: where two accounts have the app, the domain that
// the device posted to is one account's link host, or above it.
func TestHostTellsWhoseAppItIs(t *testing.T) {
	t.Parallel()
	signer := newSigner(t)
	r := serve(t, signer.keys())
	for host, want := range map[string]link.AppID{"acme.test": 3, "GO.acme.test:8080": 3, "rival.test.": 4, "me.test": 0, "est": 0, "o.acme.test": 0} {
		status, _, kept := r.post(skAdNetworkPath+"/", host, signer.skAdNetwork("app-id", 77))
		switch {
		case want == 0 && (status != http.StatusNotFound || kept != nil):
			t.Errorf("%s: answered %d, kept %+v", host, status, kept)
		case want != 0 && (status != http.StatusOK || kept == nil || kept.App != want):
			t.Errorf("%s: answered %d, kept %+v", host, status, kept)
		}
	}
}

// TestOneOfTwoAppsOfAnAccount: the first of an account's apps with a number has
// its postbacks, whatever the host is.
func TestOneOfTwoAppsOfAnAccount(t *testing.T) {
	t.Parallel()
	signer := newSigner(t)
	r := serve(t, signer.keys())
	if status, _, kept := r.post(skAdNetworkPath+"/", "me.test", signer.skAdNetwork("app-id", 79)); status != http.StatusOK || kept == nil || kept.App != 6 {
		t.Errorf("answered %d, kept %+v", status, kept)
	}
}

// TestUnknownAppsAreShown to the account with links at the host.
func TestUnknownAppsAreShown(t *testing.T) {
	t.Parallel()
	signer := newSigner(t)
	r := serve(t, signer.keys())
	for _, host := range []string{"acme.test", "acme.test", "nobody.test"} {
		r.post(skAdNetworkPath+"/", host, signer.skAdNetwork("app-id", 123))
	}
	list, err := r.service.Unknown(t.Context(), 5899)
	if err != nil || len(list) != 1 || list[0].Name != "123" || list[0].Reports != 2 {
		t.Errorf("acme is shown %+v, %v", list, err)
	}
	if list, err := r.service.Unknown(t.Context(), 6001); err != nil || len(list) != 0 {
		t.Errorf("rival is shown %+v, %v", list, err)
	}
}

// TestNothingIsAcknowledgedUnkept: a device sends again what is not answered
// with 200.
func TestNothingIsAcknowledgedUnkept(t *testing.T) {
	t.Parallel()
	signer := newSigner(t)
	r := serve(t, signer.keys())
	r.ledger.Fail(errors.New("the disk is gone"))
	status, header, _ := compattest.Send(t, http.MethodPost, r.base+skAdNetworkPath+"/", signer.skAdNetwork())
	if status != http.StatusServiceUnavailable || header.Get("Retry-After") == "" {
		t.Errorf("answered %d, try again after %q", status, header.Get("Retry-After"))
	}
	r.ledger.Fail(nil)
	if status, _, kept := r.post(skAdNetworkPath+"/", "example.com", signer.skAdNetwork()); status != http.StatusOK || kept == nil || kept.Test {
		t.Errorf("answered %d, kept %+v", status, kept)
	}
	if status, _, kept := r.post(adAttributionKitPath+"/", "example.com", signer.kit("apple-cas-identifier/0", "ES256")); status != http.StatusOK || kept == nil || kept.Test {
		t.Errorf("answered %d, kept %+v", status, kept)
	}
	if status, _, kept := r.post(adAttributionKitPath+"/", "example.com", signer.kit("apple-development-identifier/0", "ES256")); status != http.StatusOK || kept == nil || !kept.Test {
		t.Errorf("answered %d, kept %+v", status, kept)
	}
}

func TestOwns(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]bool{
		"/.well-known/skadnetwork/report-attribution/": true, "/.well-known/skadnetwork/report-attribution": true,
		"/.well-known/appattribution/report-attribution/": true, "/.well-known/appattribution/report-attribution": true,
		"/.well-known/skadnetwork/report-attribution//": false, "/.well-known/apple-app-site-association": false, "/": false, "": false,
	} {
		if Owns(path) != want {
			t.Errorf("Owns(%q) is %v", path, !want)
		}
	}
}
