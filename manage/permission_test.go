package manage_test

import (
	"testing"

	"waypost/internal/fault"
	"waypost/link"
)

func TestAuthenticate(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for _, secret := range []string{"", "nobody", "acme-admin-token ", string(link.HashSecret("acme-admin-token"))} {
		_, err := f.Authenticate(secret)
		refused(t, err, fault.Unauthorized, "", "")
	}
	if a := f.actor("acme-read-token"); a.Account != 5899 || a.Token.Name != "reader" {
		t.Errorf("reader is %+v", a)
	}
	if a := f.actor("bigshop-token"); a.Account != 0 || len(a.Token.Grants) != 2 {
		t.Errorf("a token of several accounts is %+v", a)
	}
}

func TestTemplatePermission(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	// A second group of acme, which the agency's token does not cover.
	if _, err := f.Apply(t.Context(), parsed(t, "solo.yaml", soloYAML)); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		secret   string
		template link.TemplateID
		needs    link.Role
		kind     fault.Kind // Internal: allowed
		reason   fault.Reason
	}{
		{"acme-admin-token", "A1b3", link.Admin, 0, ""},
		{"acme-read-token", "A1b3", link.Read, 0, ""},
		{"acme-read-token", "A1b3", link.Write, fault.Forbidden, fault.ReadOnly},
		{"acme-agency-token", "A1b3", link.Write, 0, ""},
		{"acme-agency-token", "A1b3", link.Admin, fault.Forbidden, fault.ReadOnly},
		{"acme-agency-token", "Solo", link.Read, fault.Forbidden, fault.NotAllowed},
		{"acme-admin-token", "Solo", link.Write, 0, ""},
		{"rival-admin-token", "A1b3", link.Read, fault.NotFound, fault.NotAllowed},
		{"acme-admin-token", "Rv41", link.Read, fault.NotFound, fault.NotAllowed},
		{"acme-admin-token", "none", link.Read, fault.NotFound, fault.Unknown},
		{"acme-admin-token", "a1B3", link.Read, fault.NotFound, fault.Unknown},
		{"bigshop-token", "A1b3", link.Write, 0, ""},
		{"bigshop-token", "Solo", link.Read, fault.Forbidden, fault.NotAllowed},
		{"bigshop-token", "Rv41", link.Read, 0, ""},
		{"bigshop-token", "Rv41", link.Write, fault.Forbidden, fault.ReadOnly},
	}
	for _, tt := range tests {
		t.Run(tt.secret+" "+string(tt.template)+" "+string(tt.needs), func(t *testing.T) {
			t.Parallel()
			view, err := f.Template(f.actor(tt.secret), tt.template, tt.needs)
			if tt.kind == 0 {
				if err != nil || view.ID != tt.template {
					t.Errorf("got %v, %v", view, err)
				}
				return
			}
			field := ""
			if tt.kind == fault.NotFound {
				field = "template"
			}
			refused(t, err, tt.kind, field, tt.reason)
		})
	}
}

// What another account has must read like what nobody has.
func TestForeignTemplateReadsLikeNone(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	_, foreign := f.Template(f.actor("rival-admin-token"), "A1b3", link.Read)
	_, none := f.Template(f.actor("rival-admin-token"), "none", link.Read)
	if foreign.Error() != none.Error() {
		t.Errorf("%q differs from %q", foreign, none)
	}
}

func TestAccountNamed(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	tests := []struct {
		secret, name string
		dialect      link.Dialect
		want         link.AccountID
	}{
		{"acme-read-token", "ACC1", link.OneLink, 5899},
		{"acme-read-token", "5899", link.OneLink, 5899},
		{"acme-read-token", "5899", link.SmartLinks, 5899},
		{"acme-read-token", "ACC1", link.SmartLinks, 0},
		{"acme-read-token", "acc1", link.OneLink, 0},
		{"acme-read-token", "ACC2", link.OneLink, 0},
		{"acme-read-token", "6001", link.OneLink, 0},
		{"acme-read-token", "", link.Singular, 0},
		{"bigshop-token", "ACC1", link.OneLink, 5899},
		{"bigshop-token", "ACC2", link.OneLink, 6001},
	}
	for _, tt := range tests {
		t.Run(tt.secret+" "+tt.name+" "+string(tt.dialect), func(t *testing.T) {
			t.Parallel()
			a, err := f.AccountNamed(f.actor(tt.secret), tt.dialect, tt.name)
			if tt.want == 0 {
				refused(t, err, fault.NotFound, "account", fault.Unknown)
				return
			}
			if err != nil || a.ID != tt.want {
				t.Errorf("got %v, %v", a, err)
			}
		})
	}
}

func TestCheckBrand(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	view := f.Directory().Template("A1b3")
	for _, host := range []string{"mybranded.test", "MyBranded.test", "acme.localhost"} {
		if err := f.CheckBrand(view, host); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
	for host, reason := range map[string]fault.Reason{
		"nobody.test": fault.Unknown, "rival.localhost": fault.Unknown, "": fault.Unknown,
		"other.test": fault.NotAllowed, "boss.localhost": fault.NotAllowed,
	} {
		refused(t, f.CheckBrand(view, host), fault.Invalid, "brand_domain", reason)
	}
}

const soloYAML = `
accounts:
  - key: acme
    id: 5899
    name: Acme Inc
    onelink_account_id: ACC1
    app_groups:
      - {key: solo, name: Solo, apps: [solo-ios, solo-android]}
    domains:
      - {host: solo.localhost, app_group: solo, default: true}
    templates:
      - {id: Solo, name: Solo, app_group: solo, domain: solo.localhost}
`
