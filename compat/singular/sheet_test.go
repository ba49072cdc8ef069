package singular_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"testing"

	"waypost/compat/compattest"
	"waypost/compat/singular"
)

// sheetLink is what a sheet keeps of a link.
type sheetLink struct {
	ID    string `json:"tracking_link_id"`
	Name  string `json:"tracking_link_name"`
	Click string `json:"click_tracking_link"`
	Short string `json:"short_link"`
}

// TestSheetWorkflow does what public tools do from a sheet of rows: read apps,
// partners and domains, make a link for each row, list them, draw their codes.
func TestSheetWorkflow(t *testing.T) {
	t.Parallel()
	base := serve(t, singular.Config{Rules: acmeRules(t)})
	get := func(target string, into any) {
		t.Helper()
		status, _, body := send(t, base, "GET", "/api/v1/singular_links/"+target, "")
		if err := json.Unmarshal([]byte(body), into); err != nil || status != 200 {
			t.Fatalf("%s: %d %s, %v", target, status, body, err)
		}
	}
	var apps struct {
		Available []struct {
			AppSite  int    `json:"app_site_id"`
			App      int    `json:"app_id"`
			Platform string `json:"app_platform"`
			StoreURL string `json:"store_url"`
		} `json:"available_apps"`
	}
	var domains struct {
		Available []struct {
			Subdomain string `json:"subdomain"`
			Zone      string `json:"dns_zone"`
		} `json:"available_domains"`
	}
	var partners struct {
		Available []struct {
			ID int `json:"singular_partner_id"`
		} `json:"available_partners"`
	}
	get("apps", &apps)
	get("domains", &domains)
	get("configured_partners", &partners)
	if len(apps.Available) != 3 || len(domains.Available) != 4 || len(partners.Available) != 5 {
		t.Fatalf("%d apps, %d domains, %d partners", len(apps.Available), len(domains.Available), len(partners.Available))
	}
	rows := map[string]sheetLink{}
	for i := range 200 {
		body := sheetRow(i)
		body["link_subdomain"], body["link_dns_zone"] = domains.Available[0].Subdomain, domains.Available[0].Zone
		for _, app := range apps.Available {
			if app.Platform == "ios" || app.Platform == "android" {
				body["app_id"] = app.App
				body[app.Platform+"_redirection"] = map[string]any{
					"app_site_id": fmt.Sprint(app.AppSite), "destination_url": app.StoreURL,
					"destination_deeplink_url": fmt.Sprintf("acme://row/%d", i), "destination_deferred_deeplink_url": "",
				}
			}
		}
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		status, _, answer := send(t, base, "POST", linksPath, string(text))
		var made sheetLink
		if err := json.Unmarshal([]byte(answer), &made); err != nil || status != 200 {
			t.Fatalf("row %d: %d %s, %v", i, status, answer, err)
		}
		if _, twice := rows[made.ID]; twice {
			t.Errorf("row %d has the id of another: %s", i, made.ID)
		}
		u, err := url.Parse(made.Click)
		if q := u.Query(); err != nil || q.Get("utm_medium") != "e-mail & co" || q.Get("utm_content") != fmt.Sprint(i) || q.Get("_dl") != fmt.Sprintf("acme://row/%d", i) {
			t.Errorf("row %d has the link %s", i, made.Click)
		}
		rows[made.ID] = made
	}
	var listed []sheetLink
	get("links?source_name=email&link_type=custom", &listed)
	if len(listed) != len(rows) {
		t.Fatalf("%d links are listed, %d were made", len(listed), len(rows))
	}
	for _, l := range listed {
		if l != rows[l.ID] {
			t.Errorf("listed as %+v, made as %+v", l, rows[l.ID])
		}
		checkPicture(t, base, l)
	}
}

// sheetRow is what the row of a sheet says by itself.
func sheetRow(i int) map[string]any {
	return map[string]any{
		"link_type": "custom", "source_name": "email", "partner_id": "", "tracking_link_name": fmt.Sprintf("row %d", i),
		"destination_fallback_url": "https://www.acme.test/", "click_deterministic_window": nil,
		"link_parameter": map[string]string{"utm_source": "news", "utm_medium": "e-mail & co", "utm_content": fmt.Sprint(i)},
	}
}

func checkPicture(t *testing.T, base string, l sheetLink) {
	t.Helper()
	status, header, picture := send(t, base, "GET", linksPath+"/"+l.ID+"/qr?size=250", "")
	if status != 200 {
		t.Fatalf("the code of %s: %d %s", l.Name, status, picture)
	}
	p, err := compattest.ReadPicture("data:" + header.Get("Content-Type") + ";base64," + base64.StdEncoding.EncodeToString([]byte(picture)))
	if want := (compattest.Picture{Format: "png", Width: 250, Height: 250, Text: l.Short}); err != nil || p != want {
		t.Errorf("the code of %s is %+v, want %+v, %v", l.Name, p, want, err)
	}
}

// The code of a partner's link leaves out macros that nobody would fill.
func TestPictureOfPartnerLink(t *testing.T) {
	t.Parallel()
	base := serve(t, singular.Config{Rules: acmeRules(t)})
	id := created(t, base, `{"app_id":4833,"link_type":"partner","partner_id":1201,"tracking_link_name":"p","link_subdomain":"boss","link_dns_zone":"localhost",
		"destination_fallback_url":"https://www.acme.test/","ios_redirection":{"app_site_id":24171,"destination_url":"https://x.test/"}}`)
	checkPicture(t, base, sheetLink{ID: id, Name: "p", Short: "http://boss.localhost:8080/D03q9/" + id})
}
