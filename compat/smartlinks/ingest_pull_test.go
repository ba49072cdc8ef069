package smartlinks_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/compat/smartlinks"
	"waypost/internal/uid"
	"waypost/link"
)

const aClick = uid.Click(9023861282613779883)

// earned is an installation that a click on tracker 2 of link 77 won.
func earned(install string) (history.Installation, history.Touch) {
	source := attribution.Source{
		Partner: 1201, Name: "Wide Network", Campaign: "Spring", CampaignID: "7", Site: "pub", AdID: "cr", Link: 77, Tracker: 2,
	}
	i := history.Installation{
		App: 26538, ID: install, DeepLink: "acme://offer?a=1&b=2", LinkUntil: noon.Add(time.Hour), Outcome: attribution.NewInstall,
		Credit: &attribution.Credit{Match: attribution.Match{Touch: aClick, Source: source}},
	}
	t := history.Touch{Dialect: link.SmartLinks, Query: "&site_id=pub&sub_site_id=s%202"}
	t.ID = aClick
	return i, t
}

func pullBody(device, attempts string) string {
	return message("get_attribution", androidApp, `"kochava_device_id":"`+device+`"`, attempts)
}

func TestAttributionIsPulled(t *testing.T) {
	t.Parallel()
	f := func(name string, change func(i *history.Installation, t *history.Touch), want string) {
		t.Helper()
		i, touch := earned("KD1")
		change(&i, &touch)
		for _, path := range []string{"/track/kvquery", "/track/json/"} {
			s := serveIngest(t)
			s.decisions.Decide(i, touch)
			if status, _, text := s.post(path, pullBody("KD1", `"attempt_count":1`)); status != http.StatusOK || text != want {
				t.Errorf("%s, %s:\ngot  %d %s\nwant %s", name, path, status, text, want)
			}
		}
	}
	tracker := asJSON(t, smartlinks.TrackerOf(77, 2))
	head, tail := `{"success":"1","data":{"retry":-1,"kochava_device_id":"KD1","attribution":`, `}}`
	rest := `"app_group_campaign_id":"7","app_group_campaign_name":"Spring","tracker_id":` + tracker + `,"click_id":"9023861282613779883","site_id":"pub"`
	full := `{"network_id":1201,"network_name":"Wide Network",` + rest + `,"sub_site_id":"s 2","creative_id":"cr","deferred_deeplink":{"destination":"acme://offer?a=1&b=2"}}`
	f("earned", func(*history.Installation, *history.Touch) {}, head+full+tail)
	f("nobody's", func(i *history.Installation, _ *history.Touch) { i.Credit, i.DeepLink = nil, "" }, head+`{}`+tail)
	f("no network", func(i *history.Installation, _ *history.Touch) {
		i.DeepLink, i.Credit.Match.Source.Partner, i.Credit.Match.Source.Name = "", 0, ""
	}, head+`{"network_id":3881,"network_name":"SmartLinks",`+rest+`,"sub_site_id":"s 2","creative_id":"cr"}`+tail)
	f("another dialect's", func(i *history.Installation, touch *history.Touch) {
		touch.Dialect = link.OneLink
		i.DeepLink, i.Credit.Match.Source = "", attribution.Source{Name: "email", Tracker: 1}
	}, head+`{"network_name":"email","click_id":"9023861282613779883"}`+tail)
	// The vendor's library sees a reinstall by an id that is not its own.
	f("a reinstall", func(i *history.Installation, _ *history.Touch) {
		i.Outcome, i.Credit, i.DeepLink = attribution.Reinstall, nil, ""
	},
		`{"success":"1","data":{"retry":-1,"kochava_device_id":"","attribution":{}}}`)
	f("won back", func(i *history.Installation, _ *history.Touch) { i.Outcome = attribution.Reattribution }, head+full+tail)
}

func TestDeepLinkIsToldOnce(t *testing.T) {
	t.Parallel()
	s := serveIngest(t)
	s.decisions.Decide(earned("KD1"))
	if _, _, text := s.post("/track/kvquery", pullBody("KD2", "")); strings.Contains(text, "acme://") || !strings.Contains(text, `"retry":2`) {
		t.Errorf("another device is told %s", text)
	}
	if _, _, text := s.post("/track/kvquery", strings.Replace(pullBody("KD1", ""), androidApp, iosApp, 1)); strings.Contains(text, "acme://") {
		t.Errorf("another app is told %s", text)
	}
	if _, _, text := s.post("/track/kvquery", pullBody("KD1", "")); !strings.Contains(text, `"destination":"acme://offer?a=1&b=2"`) {
		t.Errorf("the device is told %s", text)
	}
	if _, _, text := s.post("/track/kvquery", pullBody("KD1", "")); strings.Contains(text, "acme://") || !strings.Contains(text, "Wide Network") {
		t.Errorf("asked again, the device is told %s", text)
	}
}

// A list's answer is about nobody: it must not use up what is told once.
func TestListsTakeNoDeepLink(t *testing.T) {
	t.Parallel()
	s := serveIngest(t)
	s.decisions.Decide(earned("KD1"))
	bare := `{"kochava_app_id":"` + androidApp + `","kochava_device_id":"KD1"}`
	if status, _, text := s.post("/track/kvquery", "["+bare+","+bare+"]"); status != http.StatusBadRequest {
		t.Errorf("%d %s", status, text)
	}
	if _, _, text := s.post("/track/kvquery", "["+bare+"]"); !strings.Contains(text, "acme://offer") {
		t.Errorf("the device is told %s", text)
	}
}

func TestPending(t *testing.T) {
	t.Parallel()
	f := func(attempts string, retry string) {
		t.Helper()
		want := `{"success":"1","data":{"retry":` + retry + `,"kochava_device_id":"KD9","attribution":{}}}`
		if status, _, text := serveIngest(t).post("/track/kvquery", pullBody("KD9", attempts)); status != http.StatusOK || text != want {
			t.Errorf("%s: %d %s, want %s", attempts, status, text, want)
		}
	}
	f("", "2")
	f(`"attempt_count":0`, "2")
	f(`"attempt_count":1`, "2")
	f(`"attempt_count":"2"`, "4")
	f(`"attempt_count":5`, "32")
	f(`"attempt_count":1000000000`, "300")
	f(`"attempt_count":-3`, "2")
	f(`"attempt_count":"x"`, "2")
}

// Without an id of its own an app asks by its device's, under the same rules.
func TestPullByDevice(t *testing.T) {
	t.Parallel()
	s := serveIngest(t)
	installed := s.keep(message("install", androidApp, `"kochava_device_id":""`, `"device_ids":{"adid":"`+someADID+`"}`))
	s.decisions.Decide(earned(installed.Install))
	ask := message("get_attribution", androidApp, "", `"device_ids":{"ADID":"`+strings.ToUpper(someADID)+`"}`)
	if status, _, text := s.post("/track/kvquery", ask); status != http.StatusOK || !strings.Contains(text, "acme://offer") || !strings.Contains(text, `"kochava_device_id":""`) {
		t.Errorf("%d %s", status, text)
	}
	if status, _, text := s.post("/track/kvquery", message("get_attribution", androidApp, "", "")); status != http.StatusBadRequest || !strings.Contains(text, "data.device_ids is required") {
		t.Errorf("%d %s", status, text)
	}
}

// An installation has one name: a device id that it was told beside that name
// does not find it.
func TestOneNameOfAnInstallation(t *testing.T) {
	t.Parallel()
	s := serveIngest(t)
	ids := `"device_ids":{"adid":"` + someADID + `"}`
	installed := s.keep(message("install", androidApp, `"kochava_device_id":"KD1"`, ids))
	s.decisions.Decide(earned(installed.Install))
	if bought := s.keep(message("event", androidApp, "", `"event_name":"E",`+ids)); bought.Install == installed.Install {
		t.Errorf("the event is of the installation %q", bought.Install)
	}
	if bought := s.keep(message("event", androidApp, `"kochava_device_id":"KD1"`, `"event_name":"E"`)); bought.Install != installed.Install {
		t.Errorf("the event is of the installation %q", bought.Install)
	}
	if _, _, text := s.post("/track/kvquery", message("get_attribution", androidApp, "", ids)); !strings.Contains(text, `"retry":2`) || strings.Contains(text, "acme://") {
		t.Errorf("by its device id it is told %s", text)
	}
	if _, _, text := s.post("/track/kvquery", pullBody("KD1", ids)); !strings.Contains(text, "acme://offer") {
		t.Errorf("by its name it is told %s", text)
	}
}
