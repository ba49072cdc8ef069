package smartlinks_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"waypost/compat/compattest"
	"waypost/compat/smartlinks"
	"waypost/manage"
	"waypost/manage/memorystore"
)

// The accounts of the apply file that is a contract, without a shared domain:
// both kinds of link, with the keys that the file names.
func TestAcme(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../examples/acme.yaml")
	if err != nil {
		t.Fatal(err)
	}
	rules, err := manage.New(t.Context(), manage.Config{Store: memorystore.New(), Now: ticking()})
	if err != nil {
		t.Fatal(err)
	}
	compattest.Apply(t, rules, "acme.yaml", text)
	base := serve(t, smartlinks.Config{Rules: rules, Counts: &tally{}})
	route := `{"name":"r","destination_url":"https://apps.apple.com/us/app/acme/id1234567890",%s}`
	body := `{"app_group_id":4833,"app_group_campaign_name":"Spring","network_id":1201,"agency_network_id":234,"name":%q,"subdomain":"boss","path":"acme://offer",
		"default":{"app_id":38581,"destination_url":"https://www.acme.test/"},"routes_by_app":[{"app_id":24171,"events":["_Install"],"routes":[` + route + `]}]}`
	f := func(key, name, kind string, want ...string) {
		t.Helper()
		play := "A.\n\nSource: ours\nDate: 2026-08-16\n-- given --\nsetup: acme\n-- request --\nPOST /v1/links\nAuthentication-Key: " + key + "\n\n" +
			fmt.Sprintf(body, name, kind) + "\n-- response contains --\n200\n\n" + strings.Join(want, "\n") + "\n"
		c, err := compattest.Parse([]byte(play))
		if err != nil {
			t.Fatal(err)
		}
		if err := compattest.Play(c, compattest.Target{API: base}); err != nil {
			t.Error(err)
		}
	}
	f("acme-admin-token", "Plain", `"rules":{"platform_in":["iOS"]}`,
		`"click_url":"http://acme.localhost:8080/`, `"impression_url":"http://acme.localhost:8080/imp/`, `"is_agency":false`, `"network_name":"Wide Network"`, `"agency_network_id":234`, `"account_name":"Acme Inc"`)
	f("acme-agency-token", "Native", `"native_link":"ios"`,
		`"click_url":"http://boss.localhost:8080/`, `"subdomain":"boss"`, `"is_agency":true`, `"app_guid":"koacme-ios-4fkz131i"`, `"editable":true`)
	f("bigshop-token", "Shop", `"native_link":"ios"`, `"is_agency":true`, `"app_group_name":"Acme Group"`)
}
