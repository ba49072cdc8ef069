package onelink_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"waypost/attribution"
	"waypost/attribution/history"
)

const epoch = "1661969117203"

// conversion asks for an installation's conversion data.
func (w *reports) conversion(t testing.TB, app, install string) (int, map[string]any) {
	t.Helper()
	sig := signature(goldenKey, epoch+"\u2063"+install+"\u2063"+app)
	status, _, text := send(t, w.base, "GET", "/install_data/v5.0/"+app+"?device_id="+url.QueryEscape(install), "", "af_sig", sig, "af_request_epoch_ms", epoch)
	var got map[string]any
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return status, got
}

func TestConversionData(t *testing.T) {
	t.Parallel()
	f := func(name string, change func(*won), want map[string]any) {
		t.Helper()
		w := goldenReports(t)
		click := emailClick()
		change(&click)
		w.decide(click)
		status, got := w.conversion(t, "com.golden.app", "inst-1")
		if status != 200 {
			t.Fatalf("%s: got %d %v", name, status, got)
		}
		for member, value := range want {
			if have, there := got[member]; !there && value != "absent" || have != value && value != "absent" || there && value == "absent" {
				t.Errorf("%s: %s is %v, want %v", name, member, have, value)
			}
		}
	}
	f("everything a link may say", func(w *won) {
		w.query = "pid=Email&af_adset=set&af_adset_id=s1&af_ad=ad&af_channel=ch&af_cost_value=1.25&af_cost_currency=USD&is_incentivized=true&is_retargeting=true" +
			"&af_click_lookback=3d&idfa=x&af_ip=203.0.113.9&af_ua=x&af_prt=agency&own=1&http_referrer=https%3A%2F%2Fshop.test%2F"
		w.source.Agency, w.source.Site = "agency", "site"
		w.outcome = attribution.Reattribution
	}, map[string]any{
		"af_status": "Non-organic", "media_source": "Email", "adset": "set", "adset_id": "s1", "af_ad": "ad", "af_channel": "ch", "orig_cost": 1.25, "cost_cents_USD": 125.0,
		"is_incentivized": true, "is_retargeting": true, "retargeting_conversion_type": "re-attribution", "af_click_lookback": "3d", "agency": "agency", "af_siteid": "site",
		"own": "1", "http_referrer": "https://shop.test/", "idfa": "absent", "af_ip": "absent", "af_ua": "absent", "pid": "absent", "c": "absent", "af_prt": "absent",
	})
	f("another currency", func(w *won) { w.query = "af_cost_value=1.25&af_cost_currency=EUR" }, map[string]any{"orig_cost": 1.25, "cost_cents_USD": 0.0})
	for _, odd := range []string{"1e9", "-1", "x", "1/2", "99999999999999999999"} {
		cents := 0.0
		f("cost "+odd, func(w *won) { w.query = "af_cost_value=" + odd }, map[string]any{"cost_cents_USD": cents})
	}
	f("a view", func(w *won) { w.kind = attribution.View }, map[string]any{"af_click_lookback": nil})
	f("a forgotten touch", func(w *won) { w.query = "" }, map[string]any{"media_source": "Email", "campaign": "Spring", "deep_link_value": "absent", "af_sub1": nil})
}

// TestConversionWindow: conversion data tells for a day where the person
// belongs, the deep-link API for a quarter of an hour (spec-attribution §8,
// trap 19).
func TestConversionWindow(t *testing.T) {
	t.Parallel()
	f := func(after time.Duration, told bool) {
		t.Helper()
		w := goldenReports(t)
		click := emailClick()
		click.clicked, click.after = after, after
		click.query += "&af_dp=acme%3A%2F%2Fx"
		w.decide(click)
		for range 2 { // however often it is asked
			_, got := w.conversion(t, "com.golden.app", "inst-1")
			_, value := got["deep_link_value"]
			_, uri := got["af_dp"]
			if value != told || uri != told || got["media_source"] != "Email" || got["fruit"] != "pear" {
				t.Errorf("after %s: got %v", after, got)
			}
		}
	}
	f(16*time.Minute, true)
	f(24*time.Hour, true)
	f(24*time.Hour+time.Millisecond, false)
}

// TestConversionOfWhoWasWonBack: while that lasts it is the click that did,
// whoever earned the installation.
func TestConversionOfWhoWasWonBack(t *testing.T) {
	t.Parallel()
	f := func(name string, organic bool, change func(*attribution.Credit), want map[string]any) {
		t.Helper()
		w := goldenReports(t)
		w.decide(emailClick())
		i, _, _ := w.decisions.ReadInstallation(t.Context(), goldenAndroid, "inst-1")
		if organic {
			i.Credit = nil
		}
		touch := history.Touch{Query: "pid=Mail&c=Back&deep_link_value=basket&fruit=plum"}
		touch.ID = 77
		i.Reengagement = &attribution.Credit{From: noon.Add(-time.Hour), Until: noon.Add(time.Hour), Match: attribution.Match{
			Touch: touch.ID, Kind: attribution.Click, Method: attribution.ByOpenedURL, At: noon.Add(-2 * time.Hour), Source: attribution.Source{Name: "Mail", Campaign: "Back"},
		}}
		i.ReengagedBy = "s-2"
		change(i.Reengagement)
		w.decisions.Decide(i, touch)
		status, got := w.conversion(t, "com.golden.app", "inst-1")
		for member, value := range want {
			if status != 200 || got[member] != value {
				t.Errorf("%s: %s is %v, want %v", name, member, got[member], value)
			}
		}
	}
	back := map[string]any{
		"af_status": "Non-organic", "media_source": "Mail", "campaign": "Back", "match_type": "id_matching", "is_retargeting": true,
		"retargeting_conversion_type": "re-engagement", "deep_link_value": "basket", "fruit": "plum", "click_time": "2026-11-20 10:00:00.000", "install_time": "2026-11-20 12:00:00.000",
	}
	before := map[string]any{"af_status": "Non-organic", "media_source": "Email", "is_retargeting": false, "retargeting_conversion_type": "none", "deep_link_value": "apples"}
	f("an organic installation", true, func(*attribution.Credit) {}, back)
	f("another's", false, func(*attribution.Credit) {}, back)
	f("for ever", false, func(c *attribution.Credit) { c.Until = time.Time{} }, back)
	f("no longer", false, func(c *attribution.Credit) { c.Until = noon }, before)
	f("no longer, organic", true, func(c *attribution.Credit) { c.Until = noon }, map[string]any{"af_status": "Organic", "af_message": "organic install"})
	f("more than a day after the click", true, func(c *attribution.Credit) { c.Match.At = c.From.Add(-25 * time.Hour) }, map[string]any{"media_source": "Mail", "deep_link_value": nil, "fruit": "plum"})
}

func TestConversionRefusals(t *testing.T) {
	t.Parallel()
	w := goldenReports(t)
	w.decide(emailClick())
	good := signature(goldenKey, epoch+"\u2063inst-1\u2063com.golden.app")
	f := func(target, sig, ms string, status int, want string) {
		t.Helper()
		var headers []string
		if sig != "" {
			headers = append(headers, "af_sig", sig)
		}
		if ms != "" {
			headers = append(headers, "af_request_epoch_ms", ms)
		}
		got, _, text := send(t, w.base, "GET", "/install_data/v5.0/"+target, "", headers...)
		var shape struct {
			Reason string `json:"error_reason"`
			Status int    `json:"status_code"`
		}
		if err := json.Unmarshal([]byte(text), &shape); err != nil || got != status || shape.Status != status || !strings.HasPrefix(shape.Reason, want) {
			t.Errorf("%s: got %d %s, want %d %s", target, got, text, status, want)
		}
	}
	f("com.golden.app", good, epoch, 400, "device_id: ")
	f("com.golden.app?device_id=inst-1", good, "", 400, "af_request_epoch_ms: ")
	f("com.golden.app?device_id=inst-1", "", epoch, 403, "af_sig: ")
	f("com.golden.app?device_id=inst-1", signature("other", epoch), epoch, 403, "af_sig: ")
	f("com.golden.app?device_id=inst-1", good, "1661969117204", 403, "af_sig: ")
	f("com.nobody?device_id=inst-1", good, epoch, 404, "no such app")
	w.decisions.Fail(errLedgerDown)
	f("com.golden.app?device_id=inst-1", good, epoch, 503, "Service Unavailable")
}
