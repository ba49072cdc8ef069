package postback

import (
	"strings"
	"testing"

	"waypost/attribution"
	"waypost/event"
)

// TestWithheld: partners whom the person's word keeps out are told of nothing;
// the account is told all the same.
func TestWithheld(t *testing.T) {
	t.Parallel()
	f := func(name string, before, said []string, told bool) {
		t.Helper()
		for _, telling := range []Telling{earned(attribution.NewInstall), earned(attribution.Reengagement), earned(attribution.Happening), refused()} {
			telling.Installation.Withhold, telling.Told.Withhold = before, said
			if d, ok := Make(toWide(acmeURL, everything...), telling); ok != told {
				t.Errorf("%s: the partner is told %v: %q", name, ok, d.Kind)
			}
			if _, ok := Make(webhook(everything...), telling); !ok {
				t.Errorf("%s: the account is not told", name)
			}
		}
	}
	f("nobody asked", nil, nil, true)
	f("by its key", []string{"WIDE"}, nil, false)
	f("by its name", nil, []string{"other_int", "wide network"}, false)
	f("all", []string{event.WithholdAll}, nil, false)
	f("others", []string{"other_int", "wider"}, nil, true)
	f("lifted by the report", []string{event.WithholdAll}, []string{event.WithholdNone}, true)
	f("other partners from now on", []string{"wide"}, []string{"other_int"}, true)
	f("from now on", []string{"other_int"}, []string{"wide"}, false)
	f("lifted before", []string{event.WithholdNone}, nil, true)

	spelled := earned(attribution.NewInstall)
	spelled.Decided.Decision.Winner.Source.Name, spelled.Installation.Withhold = "spelled_int", []string{"Spelled_Int"}
	if d, ok := Make(toWide(acmeURL, "install"), spelled); ok {
		t.Errorf("told as the link spells it: %+v", d)
	}
	spelled.Installation, spelled.Told.Withhold = nil, []string{"spelled_int"} // an event before its installation
	if d, ok := Make(toWide(acmeURL, "install"), spelled); ok {
		t.Errorf("told without an installation: %+v", d)
	}
}

// TestForbiddenParameters: what the person does not permit is not told by way of
// the clicked URL either, whatever its parameter is called.
func TestForbiddenParameters(t *testing.T) {
	t.Parallel()
	const gaid, agent = "38400000-8cf0-41bd-b23e-10b96e40000d", "Mozilla/5.0 (X)"
	f := func(name string, consent event.Consent, want string) {
		t.Helper()
		telling := earned(attribution.NewInstall)
		telling.Told.Consent = &consent
		telling.Touch.Agent = agent
		telling.Touch.DeviceIDs = []attribution.DeviceID{{Kind: attribution.GAID, Value: gaid}, {Kind: attribution.AndroidID, Value: "a1b2c3d4e5f60718"}}
		telling.Touch.Query = "adv=" + strings.ToUpper(gaid) + "&and=a1b2c3d4e5f60718&from=198.51.100.9&by=Mozilla%2F5.0+(X)&free=x"
		got := filled(t, "https://p.test/?{adv},{and},{from},{by},{free}", telling)
		known := ""
		for part := range strings.SplitSeq(strings.TrimPrefix(got, "https://p.test/?"), ",") {
			known += map[bool]string{true: "0", false: "1"}[part == ""]
		}
		if known != want {
			t.Errorf("%s: known are %s, want %s: %s", name, known, want, got)
		}
		d, _ := Make(webhook("install"), telling)
		if told := strings.Contains(d.Body, `"adv"`); told != (want[0] == '1') {
			t.Errorf("%s: the body tells %s", name, d.Body)
		}
	}
	f("nobody asked", event.Consent{}, "11111")
	f("limited ads", event.Consent{LimitAds: event.Yes}, "01111")
	f("no advertising", event.Consent{Advertising: "no"}, "01111")
	f("nothing forbidden", event.Consent{Advertising: "yes", LimitAds: event.No, Child: event.No}, "11111")
	f("no measurement", event.Consent{Measurement: "no"}, "00001")
	f("child", event.Consent{Child: event.Yes}, "00001")
}
