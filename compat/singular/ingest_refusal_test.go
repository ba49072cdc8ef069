package singular_test

import (
	"net/url"
	"slices"
	"testing"

	"waypost/event"
)

// TestUnreadableConsentIsRefused: what may be a no takes back no other no, and
// keeps nobody's id.
func TestUnreadableConsentIsRefused(t *testing.T) {
	t.Parallel()
	w := newIntake(t, acmeRules(t))
	base := w.serve(t)
	said := func(path, query, body, want string) {
		t.Helper()
		before := w.ledger.Count()
		if got := ask(t, base, "POST", path+"?"+query, body); !sameJSON(got, want) {
			t.Errorf("%s %s: got %s\nwant %s", query, body, got, want)
		}
		if kept := w.ledger.Count() - before; (kept == 1) != (want == accepted) {
			t.Errorf("%s %s: %d events are kept", query, body, kept)
		}
	}
	for _, path := range []string{"/api/v1/launch", "/api/v1/evt"} {
		for _, name := range []string{"dnt", "dntoff"} {
			unread := refused("invalid argument: " + name + ": it must be 1 or 0, true or false, yes or no")
			for _, value := range []string{"on", "off", "y", "n", "t", "f", "2", "-1", "maybe", "null"} {
				said(path, android+"&n=buy&"+name+"="+value, "", unread)
			}
			said(path, android+"&n=buy", `{"`+name+`":["1"]}`, unread)
			said(path, android+"&n=buy", `{"`+name+`":{}}`, unread)
			for _, value := range []string{"1", "0", "true", "FALSE", "Yes", "no"} {
				said(path, android+"&n=buy&"+name+"="+value, "", accepted)
			}
			said(path, android+"&n=buy", `{"`+name+`":true}`, accepted)
			said(path, android+"&n=buy", `{"`+name+`":null}`, accepted)
		}
		for _, options := range []string{`{"limit_data_sharing":"yes"}`, `{"limit_data_sharing":1}`, `[]`, `{`} {
			said(path, android+"&n=buy&data_sharing_options="+url.QueryEscape(options), "",
				refused(`invalid argument: data_sharing_options: it must be a JSON object such as {"limit_data_sharing":true}`))
		}
		for _, status := range []string{"4", "denied", "-1"} {
			said(path, android+"&n=buy&att_authorization_status="+status, "", refused("invalid argument: att_authorization_status: it must be 0 to 3"))
		}
	}
	said("/api/v1/launch", android+"&dnt=no", "", accepted)
	said("/api/v1/launch", android+"&dnt=yes", "", accepted)
	said("/api/v1/launch", android+"&dnt=on", "", refused("invalid argument: dnt: it must be 1 or 0, true or false, yes or no"))
	said("/api/v1/launch", android, "", accepted)
	if e := w.last(t); slices.ContainsFunc(e.IDs, func(id event.DeviceID) bool { return id.Kind == "gaid" }) {
		t.Errorf("after a refusal the advertising id is kept: %+v", e)
	}
}
