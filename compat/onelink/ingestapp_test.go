package onelink

import (
	"encoding/hex"
	"testing"

	"waypost/internal/device"
	"waypost/internal/fault"
	"waypost/link"
)

func TestWireIDs(t *testing.T) {
	t.Parallel()
	f := func(app link.App, want string) {
		t.Helper()
		if got := wireID(&app); got != want {
			t.Errorf("%+v: got %q, want %q", app, got, want)
		}
	}
	f(link.App{Platform: device.IOS, StoreID: "123", BundleID: "com.x"}, "id123")
	f(link.App{Platform: device.IOS, StoreID: "id123"}, "id123")
	f(link.App{Platform: device.AppleTV, StoreID: "123"}, "id123")
	f(link.App{Platform: device.IOS, BundleID: "com.x"}, "")
	f(link.App{Platform: device.Android, Package: "com.x", StoreID: "9"}, "com.x")
	f(link.App{Platform: device.FireOS, Package: "com.x"}, "com.x")
	f(link.App{Platform: device.Roku, StoreID: "41468"}, "41468")
	f(link.App{Platform: device.Tizen, BundleID: "a.b"}, "a.b")
	f(link.App{Platform: device.Web}, "")
}

// TestSignatureTellsTheAccount: two accounts may have registered one package.
// Nobody's secret is empty.
func TestSignatureTellsTheAccount(t *testing.T) {
	t.Parallel()
	d, err := link.NewDirectory(link.Catalog{
		Accounts: []link.Account{{ID: 1, SDKSecret: "one"}, {ID: 2, SDKSecret: "two"}, {ID: 3}},
		Apps: []link.App{
			{ID: 11, Account: 1, Platform: device.Android, Package: "com.x"}, {ID: 12, Account: 2, Platform: device.Android, Package: "com.x"},
			{ID: 13, Account: 3, Platform: device.Android, Package: "com.x"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	in := NewIngest(IngestConfig{})
	f := func(secret string, want link.AppID) {
		t.Helper()
		app, err := in.signed(d, "com.x", hex.EncodeToString(sign(secret, "text")), "text", onPlatform(device.Android))
		if want == 0 {
			if !fault.Is(err, fault.Unauthorized) {
				t.Errorf("%q: got %v, %v", secret, app, err)
			}
		} else if err != nil || app.ID != want {
			t.Errorf("%q: got %v, %v", secret, app, err)
		}
	}
	f("one", 11)
	f("two", 12)
	f("", 0)
	f("three", 0)
}

// TestTokensReachTheirApps: the token's account, role and app groups.
func TestTokensReachTheirApps(t *testing.T) {
	t.Parallel()
	d, err := link.NewDirectory(link.Catalog{
		Accounts: []link.Account{{ID: 1}, {ID: 2}},
		Apps: []link.App{
			{ID: 11, Account: 1, Platform: device.Android, Package: "com.x"}, {ID: 12, Account: 2, Platform: device.Android, Package: "com.x"},
			{ID: 13, Account: 1, Platform: device.FireOS, Package: "com.fire"},
		},
		AppGroups: []link.AppGroup{
			{ID: 5, Account: 1, Apps: []link.AppID{11}}, {ID: 6, Account: 1, Apps: []link.AppID{13}}, {ID: 7, Account: 1, Apps: []link.AppID{11}, Archived: true},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	in := NewIngest(IngestConfig{})
	f := func(name, id string, on device.Platform, want link.AppID, grants ...link.Grant) {
		t.Helper()
		app := in.permitted(d, &link.Token{Grants: grants}, id, onPlatform(on))
		if (app == nil) != (want == 0) || app != nil && app.ID != want {
			t.Errorf("%s: got %v, want %d", name, app, want)
		}
	}
	f("own", "com.x", device.Android, 11, link.Grant{Account: 1, Role: link.Write})
	f("the other account's", "com.x", device.Android, 12, link.Grant{Account: 2, Role: link.Admin})
	f("reader of one, writer of the other", "com.x", device.Android, 12, link.Grant{Account: 1, Role: link.Read}, link.Grant{Account: 2, Role: link.Write})
	f("its group", "com.x", device.Android, 11, link.Grant{Account: 1, Role: link.Write, AppGroups: []link.AppGroupID{5}})
	f("another group", "com.x", device.Android, 0, link.Grant{Account: 1, Role: link.Write, AppGroups: []link.AppGroupID{6}})
	f("an archived group", "com.x", device.Android, 0, link.Grant{Account: 1, Role: link.Write, AppGroups: []link.AppGroupID{7, 99}})
	f("Amazon's devices are Android's", "com.fire", device.Android, 13, link.Grant{Account: 1, Role: link.Write})
	f("another platform", "com.x", device.IOS, 0, link.Grant{Account: 1, Role: link.Write})
	f("nobody", "com.x", device.Android, 0)
}

func TestOwnsIngest(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]bool{
		"/inappevent/com.x": true, "/inappevent": true, "//inappevent//x": true, "/v1.0/s2s/click/app/ios/id1": true, "/v1.0/ios/id1": true,
		"/v1.0/android/x": true, "/install_data/v5.0/id1": true,
		"/": false, "/v1.0": false, "/v1.0/shortlinks": false, "/install_data/v4.0/id1": false, "/inappevents/x": false, "/shortlink/v1/x": false,
	} {
		if got := OwnsIngest(path); got != want {
			t.Errorf("%s: got %v", path, got)
		}
		if want && Owns(path) {
			t.Errorf("%s has two owners", path)
		}
	}
}
