package attribution

import (
	"strings"
	"testing"
	"time"
)

func TestStateOfDeviceIDs(t *testing.T) {
	t.Parallel()
	f := func(kind IDKind, form IDForm, value string, want IDState) {
		t.Helper()
		if got := (DeviceID{kind, form, value}).State(); got != want {
			t.Errorf("%s %s %q is %s, want %s", kind, form, value, got, want)
		}
	}
	f(GAID, "", someGAID, Usable)
	f(IDFA, Raw, " AEBE52E7-03EE-455A-B3C4-E57283966239 ", Usable)
	f(GAID, SHA1, sha1Hex(someGAID), Usable)
	f(GAID, MD5, strings.ToUpper(md5Hex(someGAID)), Usable)
	f(AndroidID, "", "9774d56d682e549d", Usable)
	f(Instance, "", "KA.1.2", Usable)

	f(GAID, "", "", Absent)
	f(GAID, "", zeroUUID, Absent)
	f(AndroidID, "", "0000000000000000", Absent)
	f(GAID, "", "null", Absent)
	f(GAID, "", "{AIFA}", Absent)
	f(GAID, "", "__GAID__", Absent)
	f(GAID, SHA1, sha1Hex(zeroUUID), Absent)
	f(GAID, MD5, md5Hex(""), Absent)

	f(GAID, "", "not-an-id", Malformed)
	f(GAID, "", "11111111-1111-1111-1111-111111111111", Malformed)
	f(GAID, "", "38400000-8cf0-01bd-b23e-10b96e40000d", Malformed)
	f(GAID, "", "38400000-8cf0-41bd-b23e-10b96e40000g", Malformed)
	f(GAID, "", "384000008cf041bdb23e10b96e40000d", Malformed)
	f(GAID, SHA1, md5Hex(someGAID), Malformed)
	f(GAID, MD5, someGAID, Malformed)
	f(GAID, "sha256", sha1Hex(someGAID), Malformed)
	f(AndroidID, "", "9774d56d682e549c", Malformed)
	f(Instance, "", strings.Repeat("ab", 65), Malformed)
}

func TestKeysHoldNoRawID(t *testing.T) {
	t.Parallel()
	touch := someTouch(1, time.Hour).with(func(t *Touchpoint) {
		t.ClickID, t.ClipboardToken, t.DeviceIDs = "90238", "token", []DeviceID{{Kind: GAID, Value: someGAID}, {Kind: GAID, Value: zeroUUID}, {Kind: GAID, Value: "junk"}}
	})
	keys := touch.Keys()
	const perApp = 1 + 1 + 4 + 1 // click, clipboard, two hashes of two spellings, address
	if len(keys) != 2*perApp {
		t.Errorf("%d keys: %v", len(keys), keys)
	}
	seen := map[string]bool{}
	for _, k := range keys {
		if text := k.String(); seen[text] || strings.Contains(strings.ToLower(text), someGAID) {
			t.Errorf("key %s, seen before: %v", text, seen[text])
		}
		seen[k.String()] = true
	}
	if !seen["7/address/203.0.113.77/32"] || !seen["8/click/90238"] {
		t.Errorf("keys %v", keys)
	}
}

func TestLookups(t *testing.T) {
	t.Parallel()
	f := func(name string, change func(*Conversion), want ...string) {
		t.Helper()
		c := someInstall()
		change(c)
		p := DefaultPolicy()
		var got []string
		for _, l := range c.Lookups(&p) {
			got = append(got, l.Key.String()+" "+noon.Sub(l.Since).String())
			if !l.Until.Equal(noon.Add(p.ClockSkew)) {
				t.Errorf("%s: until %s", name, l.Until)
			}
		}
		if strings.Join(got, ", ") != strings.Join(want, ", ") {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	const address = "7/address/203.0.113.77/32 24h0m0s"
	f("address alone", func(*Conversion) {}, address)
	f("a referrer leaves nothing to guess", func(c *Conversion) { c.Referrer.ClickID = "9" }, "7/click/9 720h0m0s")
	f("the same click twice", func(c *Conversion) { c.Referrer.ClickID, c.OpenedClickID = "9", "9" }, "7/click/9 720h0m0s")
	f("opened", func(c *Conversion) { c.OpenedClickID = "8" }, "7/click/8 720h0m0s", address)
	f("clipboard", func(c *Conversion) { c.ClipboardToken = "t" }, "7/clipboard/t 720h0m0s", address)
	f("hash", func(c *Conversion) { c.DeviceIDs = []DeviceID{{GAID, SHA1, sha1Hex("x")}} }, "7/device/gaid:sha1:"+sha1Hex("x")+" 720h0m0s", address)
	f("an open", func(c *Conversion) { c.Kind = Open })
	f("no consent", func(c *Conversion) { c.Consent.Measurement = No })
	f("no usable address", func(c *Conversion) { c.Facts.Addresses = at("192.168.1.4") })
	f("both families", func(c *Conversion) {
		c.Facts.Addresses = append(at("2001:db8:1:2::77"), c.Facts.Addresses...)
	}, "7/address/2001:db8:1:2::/64 24h0m0s", address)
	f("mapped", func(c *Conversion) { c.Facts.Addresses = at("::ffff:203.0.113.77") }, address)
}

func TestIdentityKeysObeyConsent(t *testing.T) {
	t.Parallel()
	f := func(name string, change func(*Conversion), kinds ...string) {
		t.Helper()
		c := someInstall()
		c.DeviceIDs = []DeviceID{{IDFA, MD5, md5Hex("a")}, {IDFV, MD5, md5Hex("b")}}
		change(c)
		var got []string
		for _, k := range c.IdentityKeys() {
			kind, _, _ := strings.Cut(k.Value, ":")
			got = append(got, kind)
		}
		if strings.Join(got, " ") != strings.Join(kinds, " ") {
			t.Errorf("%s: %v, want %v", name, got, kinds)
		}
	}
	f("unasked", func(*Conversion) {}, "idfa", "idfv")
	f("refused Apple's question", func(c *Conversion) { c.Consent.Tracking = No }, "idfv")
	f("limits ads", func(c *Conversion) { c.Consent.LimitAds = true }, "idfv")
	f("refused advertising", func(c *Conversion) { c.Consent.Advertising = No }, "idfv")
	f("agreed to advertising", func(c *Conversion) { c.Consent.Advertising = Yes }, "idfa", "idfv")
	f("child", func(c *Conversion) { c.Consent.Child = true }, "idfv")
	f("refused the app's question", func(c *Conversion) { c.Consent.Measurement = No }, "idfv")
}

// TestConsentAfterMoreIsSaid: each answer holds until another is given to the
// same question.
func TestConsentAfterMoreIsSaid(t *testing.T) {
	t.Parallel()
	f := func(name string, before Consent, said Said, aboutConsent bool, want Consent) {
		t.Helper()
		if got := before.After(said, aboutConsent); got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
	strict := Consent{Tracking: No, Measurement: No, Advertising: No, LimitAds: true, Child: true}
	free := Consent{Tracking: Yes, Measurement: Yes, Advertising: Yes}
	f("nothing", strict, Said{}, true, strict)
	f("nothing, either", free, Said{}, false, free)
	f("tracking", strict, Said{Tracking: Yes}, false, Consent{Yes, No, No, true, true})
	f("measurement", strict, Said{Measurement: Yes}, false, Consent{No, Yes, No, true, true})
	f("advertising", strict, Said{Advertising: Yes}, false, Consent{No, No, Yes, true, true})
	f("the switch", strict, Said{LimitAds: No}, false, Consent{No, No, No, false, true})
	f("grown up, by another report", strict, Said{Child: No}, false, strict)
	f("grown up", strict, Said{Child: No}, true, Consent{No, No, No, true, false})
	f("a child, by another report", free, Said{Child: Yes}, false, Consent{Yes, Yes, Yes, false, true})
	f("everything refused", free, Said{No, No, No, Yes, Yes}, true, strict)
}

func FuzzReferrerParams(f *testing.F) {
	for _, seed := range []string{"", "a=b", "a%3Db%26c%3Dd", "%", "%253D", "a-b&c", "utm_source=google-play&utm_medium=organic", "=&&=", "a=%zz"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		for name, value := range ReferrerParams(raw) {
			if name == "" || len(name)+len(value) > len(raw) {
				t.Errorf("%q gave %q = %q", raw, name, value)
			}
		}
	})
}

func FuzzDeviceID(f *testing.F) {
	for _, seed := range []string{someGAID, zeroUUID, "", "{x}", "9774d56d682e549c", "\xff", "İ"} {
		f.Add("gaid", "", seed)
		f.Add("android_id", "sha1", seed)
	}
	f.Fuzz(func(t *testing.T, kind, form, value string) {
		id := DeviceID{IDKind(kind), IDForm(form), value}
		if id.State() != Usable {
			return
		}
		keys := id.keys(7)
		if len(keys) == 0 || len(keys) > 4 || len(strings.ToLower(strings.TrimSpace(value))) > maxID { // small letters may be shorter
			t.Errorf("%q has %d keys", value, len(keys))
		}
	})
}
