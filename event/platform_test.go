package event

import (
	"reflect"
	"strings"
	"testing"
)

func fullPlatformConversion() PlatformConversion {
	value := 63
	return PlatformConversion{
		Version: Version, Kind: PlatformConversionKind, ID: 9023861282613779883, At: 1763640000123, Account: 5899, App: 24171, Framework: SKAdNetwork, FrameworkVersion: "4.0",
		Key: "6aafb7a5-0170-41b5-bbe4-fe71dedf1e30/0", Test: true, Network: "com.example", Source: "5239", SourceApp: "1234567891", SourceDomain: "example.com",
		Marketplace: "com.apple.AppStore", Conversion: Redownload, Won: true, Sequence: 2, Interaction: ViewedAd, Value: &value, Coarse: "high", Country: "DE",
		Flags: []string{CoarseFlag},
	}
}

func TestPlatformConversionComesBack(t *testing.T) {
	t.Parallel()
	full := fullPlatformConversion()
	for v, i := reflect.ValueOf(full), 0; i < v.NumField(); i++ {
		if v.Field(i).IsZero() {
			t.Errorf("the test leaves %s empty", v.Type().Field(i).Name)
		}
	}
	bare := PlatformConversion{ID: 1, At: 1, Account: 1, App: 1, Framework: AdAttributionKit, Key: "k", Network: "n", Conversion: Download}
	for _, c := range []PlatformConversion{full, bare} {
		line, err := c.Line()
		if err != nil {
			t.Fatal(err)
		}
		got, err := DecodePlatformConversion(line)
		if err != nil || !reflect.DeepEqual(got, c) {
			t.Errorf("%s is read as %+v, %v", line, got, err)
		}
		if kind := KindOf(line); kind != PlatformConversionKind || kind.IsTold() || !kind.OfHistory() {
			t.Errorf("%s is of kind %q", line, kind)
		}
	}
}

func TestBadPlatformConversions(t *testing.T) {
	t.Parallel()
	full := fullPlatformConversion()
	line, err := full.Line()
	if err != nil {
		t.Fatal(err)
	}
	f := func(old, changed string) {
		t.Helper()
		text := strings.Replace(string(line), old, changed, 1)
		if text == string(line) {
			t.Fatalf("%s is not in %s", old, line)
		}
		if c, err := DecodePlatformConversion([]byte(text)); err == nil {
			t.Errorf("%s is read as %+v", text, c)
		}
	}
	f(`"v":1`, `"v":2`)
	f(`"type":"platform_conversion"`, `"type":"open"`)
	f(`"id":"9023861282613779883"`, `"id":"0"`)
	f(`"at":1763640000123`, `"at":-1`)
	f(`"account":5899,`, ``)
	f(`"app":24171,`, ``)
	f(`"framework":"skadnetwork"`, `"framework":""`)
	f(`"key":"6aafb7a5-0170-41b5-bbe4-fe71dedf1e30/0"`, `"key":""`)
	f(`"network":"com.example"`, `"network":""`)
	f(`"conversion":"redownload"`, `"conversion":""`)
	f(`"sequence":2`, `"sequence":3`)
	f(`"sequence":2`, `"sequence":-1`)
	f(`{`, ``)
}
