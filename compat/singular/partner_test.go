package singular_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"waypost/compat/singular"
)

// abilities say what a partner of acme.yaml can do, written down apart from the file.
type abilities struct {
	id                             int
	name                           string
	links, multiple, reengage, ctv bool
	sites                          []int
}

// TestPartnersInEveryCombination asks every partner for every mix of systems,
// options and deep links.
func TestPartnersInEveryCombination(t *testing.T) {
	t.Parallel()
	partners := []abilities{
		{1201, "Wide Network", true, true, true, true, []int{24171, 26538}},
		{1202, "Narrow Network", true, false, false, false, []int{24171, 26538}},
		{1203, "Walled Garden", false, false, false, false, []int{24171}},
		{1204, "In House", true, true, false, false, []int{26538}},
		{234, "Agency A", false, false, false, false, nil},
	}
	base := serve(t, singular.Config{Rules: acmeRules(t)})
	given := []string{"", "false", "true"}
	for _, p := range partners {
		for _, sites := range [][]int{{24171}, {26538}, {24171, 26538}} {
			for _, reengage := range given {
				for _, ctv := range given {
					for _, deep := range []bool{false, true} {
						checkPartner(t, base, p, sites, reengage, ctv, deep)
					}
				}
			}
		}
	}
}

func checkPartner(t *testing.T, base string, p abilities, sites []int, reengage, ctv string, deep bool) {
	t.Helper()
	name := fmt.Sprintf("%s %v re-engagement %q CTV %q deep link %v", p.name, sites, reengage, ctv, deep)
	body := map[string]any{
		"app_id": 4833, "link_type": "partner", "partner_id": p.id, "tracking_link_name": name, "link_subdomain": "acme",
		"link_dns_zone": "localhost", "destination_fallback_url": "https://www.acme.test/", "enable_reengagement": reengage, "enable_ctv": ctv,
	}
	for _, site := range sites {
		r := map[string]any{"app_site_id": site, "destination_url": "https://x.test/"}
		if deep {
			r["destination_deeplink_url"] = "acme://x"
		}
		body[map[int]string{24171: "ios_redirection", 26538: "android_redirection"}[site]] = r
	}
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	status, _, answer := send(t, base, "POST", linksPath, string(text))
	if refusal := p.refusal(sites); refusal != "" {
		if want := fmt.Sprintf(`{"error":{"code":400,"message":%q}}`, refusal); status != 400 || answer != want {
			t.Errorf("%s: got %d %s, want %s", name, status, answer, want)
		}
		return
	}
	var made struct {
		ID    string   `json:"tracking_link_id"`
		Notes []string `json:"extra_info"`
	}
	if err := json.Unmarshal([]byte(answer), &made); err != nil || status != 200 {
		t.Fatalf("%s: got %d %s", name, status, answer)
	}
	const note = "partner's default value was used, instead of given argument "
	notes := []string{}
	if ctv == "true" && !p.ctv {
		notes = append(notes, note+"enable_ctv")
	}
	if reengage == "true" && !p.reengage {
		notes = append(notes, note+"enable_reengagement")
	}
	if !slices.Equal(made.Notes, notes) {
		t.Errorf("%s: notes are %q, want %q", name, made.Notes, notes)
	}
	_, _, list := send(t, base, "GET", linksPath+"?tracking_link_id="+made.ID, "")
	var shown []struct {
		Reengagement bool    `json:"enable_reengagement"`
		CTV          bool    `json:"enabled_ctv"`
		Window       *string `json:"click_reengagement_window"`
		Partner      int     `json:"partner_id"`
	}
	if err := json.Unmarshal([]byte(list), &shown); err != nil || len(shown) != 1 {
		t.Fatalf("%s: list is %s", name, list)
	}
	got, on := shown[0], reengage == "true" && p.reengage
	if got.Reengagement != on || got.CTV != (ctv == "true" && p.ctv) || (got.Window != nil) != on || got.Partner != p.id {
		t.Errorf("%s: shown as %s", name, list)
	}
}

// refusal returns why the partner cannot have a link of the app sites.
func (p *abilities) refusal(sites []int) string {
	switch {
	case !p.links:
		return "Partner " + p.name + " does not allow tracking links"
	case len(sites) > 1 && !p.multiple:
		return "Partner does not support multiple OSs per link"
	}
	for _, site := range sites {
		if !slices.Contains(p.sites, site) {
			return fmt.Sprintf("Partner %s is not configured for app %d", p.name, site)
		}
	}
	return ""
}
