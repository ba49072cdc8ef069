package link

import (
	"strings"
	"testing"

	"waypost/internal/device"
)

func sampleCatalog() Catalog {
	return Catalog{
		Accounts: []Account{{ID: 1, Key: "acme", RedirectAllowlist: []string{"Shop.Acme.test"}}, {ID: 2, Key: "rival"}},
		Tokens:   []Token{{Account: 1, Name: "t", Hash: HashSecret("secret"), Grants: []Grant{{Account: 1, Role: Write, AppGroups: []AppGroupID{7}}}}},
		Apps: []App{
			{ID: 10, Account: 1, Platform: device.IOS, StoreURL: "https://apps.apple.com/us/app/acme/id1"},
			{ID: 11, Account: 1, Platform: device.Android, StoreURL: "https://play.google.com/store/apps/details?id=a"},
		},
		AppGroups: []AppGroup{{ID: 7, Key: "acme", Account: 1, Apps: []AppID{10, 11}}},
		Domains: []Domain{
			{Host: "acme.test", Account: 1, BaseURL: "https://acme.test", AppGroup: 7},
			{Host: "brand.test", Account: 1, BaseURL: "https://brand.test:8443", AppGroup: 7, BrandOf: "acme.test"},
			{Host: "rival.test", Account: 2, BaseURL: "https://rival.test"},
		},
		Templates: []Template{{ID: "A1b3", Account: 1, AppGroup: 7, Domain: "acme.test", WebURL: "https://www.acme.test/"}},
	}
}

func TestDirectoryResolves(t *testing.T) {
	t.Parallel()
	d, err := NewDirectory(sampleCatalog())
	if err != nil {
		t.Fatal(err)
	}
	view := d.Template("A1b3")
	if view == nil || view.Owner != d.Account(1) || view.Group != d.Group(7) || view.Home.Host != "acme.test" {
		t.Fatalf("the template is %+v", view)
	}
	if app := view.Group.App(device.Android); app == nil || app.ID != 11 {
		t.Errorf("the Android app is %+v", app)
	}
	if app := view.Group.App(device.Roku); app != nil {
		t.Errorf("there is no Roku app, got %+v", app)
	}
	for host, serves := range map[string]bool{"acme.test": true, "brand.test": true, "rival.test": false, "none.test": false} {
		if got := view.ServesBrand(d, host); got != serves {
			t.Errorf("%s serves the template: %v", host, got)
		}
	}
	for brand, want := range map[string]string{"": "https://acme.test/A1b3/x", "brand.test": "https://brand.test:8443/A1b3/x"} {
		if got := view.URL(d, brand, "x"); got != want {
			t.Errorf("the URL on %q is %s, want %s", brand, got, want)
		}
	}
	token := d.Token(HashSecret("secret"))
	if token == nil || !token.Grants[0].InGroups(7) || token.Grants[0].InGroups(8) {
		t.Errorf("the token is %+v", token)
	}
	if d.Token(HashSecret("Secret")) != nil {
		t.Error("another secret opens the account")
	}
	for host, uses := range map[string]bool{
		"shop.acme.test": true, "apps.apple.com": true, "www.acme.test": true, "brand.test": true, "rival.test": false, "evil.test": false,
	} {
		if got := d.UsesHost(1, host); got != uses {
			t.Errorf("account 1 uses %s: %v", host, got)
		}
	}
	if d.UsesHost(2, "www.acme.test") || d.UsesHost(3, "acme.test") {
		t.Error("hosts of one account count for another")
	}
}

func TestDirectoryRefusesDanglingReferences(t *testing.T) {
	t.Parallel()
	f := func(complaint string, spoil func(*Catalog)) {
		t.Helper()
		c := sampleCatalog()
		spoil(&c)
		if _, err := NewDirectory(c); err == nil || !strings.Contains(err.Error(), complaint) {
			t.Errorf("got %v, want a complaint about %s", err, complaint)
		}
	}
	f("app 99", func(c *Catalog) { c.AppGroups[0].Apps = append(c.AppGroups[0].Apps, 99) })
	f("account 9", func(c *Catalog) { c.Domains[0].Account = 9 })
	f(`domain "gone.test"`, func(c *Catalog) { c.Templates[0].Domain = "gone.test" })
}

// TestDomainsAreInOrder: clients take the first domain of a list, whichever
// order a store keeps them in.
func TestDomainsAreInOrder(t *testing.T) {
	t.Parallel()
	given := []Domain{
		{Host: "a.test", Account: 1, BrandOf: "m.test"}, {Host: "b.test", Account: 1},
		{Host: "z.test", Account: 1, Default: true}, {Host: "m.test", Account: 1, Default: true}, {Host: "c.test", Account: 1},
	}
	d, err := NewDirectory(Catalog{Accounts: []Account{{ID: 1}}, Domains: given})
	if err != nil {
		t.Fatal(err)
	}
	var hosts []string
	for _, domain := range d.Catalog.Domains {
		hosts = append(hosts, domain.Host)
	}
	if got := strings.Join(hosts, " "); got != "m.test z.test b.test c.test a.test" {
		t.Errorf("domains are in the order %s", got)
	}
	if given[0].Host != "a.test" {
		t.Error("the catalog that was given is in another order now")
	}
}

func TestDirectoryFindsPostbacks(t *testing.T) {
	t.Parallel()
	d, err := NewDirectory(Catalog{Postbacks: []Postback{{Key: "a", Account: 1}, {Key: "b", Account: 2}, {Key: "c", Account: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	if of := d.Postbacks(1); len(of) != 2 || of[0].Key != "a" || of[1].Key != "c" {
		t.Errorf("account 1 has %v", of)
	}
	if p := d.Postback(1, "c"); p != d.Postbacks(1)[1] {
		t.Errorf("got %+v", p)
	}
	if p := d.Postback(1, "b"); p != nil {
		t.Errorf("another account's: %+v", p)
	}
}
