package manage_test

import (
	"reflect"
	"testing"
	"time"

	"waypost/internal/device"
	"waypost/link"
	"waypost/manage/manifest"
)

const day = 24 * time.Hour

// wantAcme is what examples/acme.yaml says, field by field. The file is a
// contract: a change here is a change of what people's files mean.
func wantAcme() link.Catalog {
	return link.Catalog{
		Accounts: []link.Account{
			{
				ID: 5899, Key: "acme", Name: "Acme Inc", Timezone: "UTC", Names: map[link.Dialect]string{link.OneLink: "ACC1"},
				RedirectAllowlist: []string{"www.acme.test", "shop.acme.test"}, Limits: link.DefaultLimits(),
				SDKKey: "acme-sdk-key", SDKSecret: "acme-sdk-secret", IPPolicy: link.IPFull,
			},
			{ID: 6001, Key: "rival", Name: "Rival Ltd", Timezone: "UTC", Names: map[link.Dialect]string{link.OneLink: "ACC2"}, IPPolicy: link.IPFull},
		},
		Agencies: []link.Agency{{ID: 990, Key: "bigshop", Name: "Big Shop"}},
		Tokens: []link.Token{
			{Account: 5899, Name: "backend", Hash: link.HashSecret("acme-admin-token"), Grants: []link.Grant{{Account: 5899, Role: link.Admin}}},
			{Account: 5899, Name: "reader", Hash: link.HashSecret("acme-read-token"), Grants: []link.Grant{{Account: 5899, Role: link.Read}}},
			{
				Account: 5899, Name: "agency", Hash: link.HashSecret("acme-agency-token"), ActsAsAgency: true,
				Grants: []link.Grant{{Account: 5899, Role: link.Write, AppGroups: []link.AppGroupID{4833}}},
			},
			{Account: 6001, Name: "backend", Hash: link.HashSecret("rival-admin-token"), Grants: []link.Grant{{Account: 6001, Role: link.Admin}}},
			{
				Agency: 990, Name: "main", Hash: link.HashSecret("bigshop-token"),
				Grants: []link.Grant{{Account: 5899, Role: link.Write, AppGroups: []link.AppGroupID{4833}}, {Account: 6001, Role: link.Read}},
			},
		},
		Apps:      wantApps(),
		AppGroups: []link.AppGroup{{ID: 4833, Key: "acme", Account: 5899, Name: "Acme Group", Apps: []link.AppID{24171, 26538, 38581}}, {ID: 4900, Key: "rival", Account: 6001, Name: "Rival Group", Apps: []link.AppID{40001, 40002}}},
		Domains: []link.Domain{ // in the order of a Directory
			{Host: "acme.localhost", Account: 5899, BaseURL: "http://acme.localhost:8080", AppGroup: 4833, Default: true},
			{Host: "rival.localhost", Account: 6001, BaseURL: "https://rival.localhost", AppGroup: 4900, Default: true},
			{Host: "boss.localhost", Account: 5899, BaseURL: "http://boss.localhost:8080", AppGroup: 4833},
			{Host: "mybranded.test", Account: 5899, BaseURL: "https://mybranded.test", AppGroup: 4833, BrandOf: "acme.localhost"},
			{Host: "other.test", Account: 5899, BaseURL: "https://other.test", AppGroup: 4833, BrandOf: "boss.localhost"},
		},
		Templates: []link.Template{
			{
				ID: "A1b3", Account: 5899, Name: "Acme default", AppGroup: 4833, Domain: "acme.localhost", WebURL: "https://www.acme.test/",
				OG: link.OpenGraph{Title: "Acme", Description: "Everything for the coyote", ImageURL: "https://www.acme.test/og.png"},
			},
			{ID: "Rv41", Account: 6001, Name: "Rival default", AppGroup: 4900, Domain: "rival.localhost", WebURL: "https://www.rival.test/"},
		},
		Partners: wantPartners(),
		Postbacks: []link.Postback{{
			Key: "wide-install", Account: 5899, Partner: 1201, App: 26538, On: []string{"install"}, Method: "GET",
			URL: "http://127.0.0.1:9099/postback?click={click_id}&campaign={campaign}&gaid={gaid}",
		}},
	}
}

func wantApps() []link.App {
	return []link.App{
		{
			ID: 24171, GUID: "koacme-ios-4fkz131i", Key: "acme-ios", Account: 5899, Name: "Acme", Platform: device.IOS, BundleID: "com.acme.app",
			TeamID: "A1B2C3D4E5", StoreID: "1234567890", StoreURL: "https://apps.apple.com/us/app/acme/id1234567890", Scheme: "acme",
		},
		{
			ID: 26538, GUID: "koacme-android-tewdf", Key: "acme-android", Account: 5899, Name: "Acme", Platform: device.Android, Package: "com.acme.app",
			Fingerprints: []string{"14:6D:E9:83:C5:73:06:50:D8:EE:B9:95:2F:34:FC:64:16:A0:83:42:E6:1D:BE:A8:8A:04:96:B2:3F:CF:44:E5"},
			StoreURL:     "https://play.google.com/store/apps/details?id=com.acme.app", Scheme: "acme",
		},
		{ID: 38581, GUID: "koacme-web-j87qn6", Key: "acme-web", Account: 5899, Name: "Acme", Platform: device.Web, URL: "https://www.acme.test/"},
		{
			ID: 30001, Key: "solo-ios", Account: 5899, Name: "Solo", Platform: device.IOS, BundleID: "com.acme.solo", TeamID: "A1B2C3D4E5",
			StoreID: "987654321", StoreURL: "https://apps.apple.com/us/app/solo/id987654321",
		},
		{ID: 30002, Key: "solo-android", Account: 5899, Name: "Solo", Platform: device.Android, Package: "com.acme.solo", StoreURL: "https://play.google.com/store/apps/details?id=com.acme.solo"},
		{
			ID: 40001, Key: "rival-ios", Account: 6001, Name: "Rival", Platform: device.IOS, BundleID: "com.rival.app", TeamID: "Z9Y8X7W6V5",
			StoreID: "555555555", StoreURL: "https://apps.apple.com/us/app/rival/id555555555",
		},
		{ID: 40002, Key: "rival-android", Account: 6001, Name: "Rival", Platform: device.Android, Package: "com.rival.app", StoreURL: "https://play.google.com/store/apps/details?id=com.rival.app"},
	}
}

func wantPartners() []link.Partner {
	return []link.Partner{
		{
			ID: 1201, Key: "wide", Account: 5899, Name: "Wide Network", Kind: link.Network, TrackingLinks: true, MultipleOS: true, Reengagement: true, CTV: true,
			LinkQuery: "idfa={IDFA}&aifa={AIFA}&cl={CLICK_ID}&pcn={CAMPAIGN_NAME}&pcid={CAMPAIGN_ID}",
			ConfiguredFor: []link.PartnerApp{
				{App: 24171, ClickDeterministic: 7 * day, ViewDeterministic: 24 * time.Hour},
				{App: 26538, ClickDeterministic: 14 * day, ViewDeterministic: 12 * time.Hour},
			},
		},
		{
			ID: 1202, Key: "narrow", Account: 5899, Name: "Narrow Network", Kind: link.Network, TrackingLinks: true,
			ConfiguredFor: []link.PartnerApp{{App: 24171}, {App: 26538}},
		},
		{ID: 1203, Key: "walled", Account: 5899, Name: "Walled Garden", Kind: link.Network, ConfiguredFor: []link.PartnerApp{{App: 24171}}},
		{
			ID: 1204, Key: "inhouse", Account: 5899, Name: "In House", Kind: link.Network, Private: true, TrackingLinks: true, MultipleOS: true,
			ConfiguredFor: []link.PartnerApp{{App: 26538}},
		},
		{ID: 234, Key: "agency-a", Account: 5899, Name: "Agency A", Kind: link.AgencyPartner, LogoURL: "/logo/agency_a.png"},
	}
}

func TestAcmeMeansWhatItSays(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for i := range f.Directory().Catalog.AppGroups { // a copy of the store's, read by nobody else
		g := &f.Directory().Catalog.AppGroups[i]
		if !g.CreatedAt.Equal(start) || !g.UpdatedAt.Equal(start) {
			t.Errorf("%q was made at %v and changed at %v, want %v", g.Key, g.CreatedAt, g.UpdatedAt, start)
		}
		g.CreatedAt, g.UpdatedAt = time.Time{}, time.Time{}
	}
	got, want := reflect.ValueOf(f.Directory().Catalog), reflect.ValueOf(wantAcme())
	for i := range want.NumField() {
		name := want.Type().Field(i).Name
		if got.Field(i).Len() != want.Field(i).Len() {
			t.Errorf("%s: %d things, want %d", name, got.Field(i).Len(), want.Field(i).Len())
			continue
		}
		for j := range want.Field(i).Len() {
			g, w := got.Field(i).Index(j).Interface(), want.Field(i).Index(j).Interface()
			if !reflect.DeepEqual(g, w) {
				t.Errorf("%s[%d]:\n got %+v\nwant %+v", name, j, g, w)
			}
		}
	}
}

func TestAcmeResolves(t *testing.T) {
	t.Parallel()
	d := newFixture(t).Directory()
	view := d.Template("A1b3")
	if view.Owner.Key != "acme" || view.Group.App(device.Android).ID != 26538 || view.Group.App(device.Web).ID != 38581 {
		t.Errorf("template resolves to %+v", view)
	}
	if got := view.URL(d, "", "promo"); got != "http://acme.localhost:8080/A1b3/promo" {
		t.Errorf("URL %s", got)
	}
	if got := view.URL(d, "mybranded.test", "promo"); got != "https://mybranded.test/A1b3/promo" {
		t.Errorf("branded URL %s", got)
	}
	for host, serves := range map[string]bool{"acme.localhost": true, "mybranded.test": true, "boss.localhost": false, "other.test": false, "rival.localhost": false} {
		if view.ServesBrand(d, host) != serves {
			t.Errorf("%s serves A1b3: %v", host, !serves)
		}
	}
	if !d.UsesHost(5899, "shop.acme.test") || d.UsesHost(6001, "shop.acme.test") {
		t.Error("the allowlist is not the account's own")
	}
}

func TestAcmeTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	before, err := f.store.LoadCatalog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	again, err := f.Apply(t.Context(), acme(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(again.Things) != 30 || again.Count(manifest.Unchanged) != 30 {
		t.Errorf("%d things, %d unchanged: %+v", len(again.Things), again.Count(manifest.Unchanged), again.Things)
	}
	after, err := f.store.LoadCatalog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(before, after) {
		t.Errorf("the store changed from %+v to %+v", before, after)
	}
	if f.reloaded != 1 {
		t.Errorf("reloaded %d times, want once, by the first apply", f.reloaded)
	}
}
