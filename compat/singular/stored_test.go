package singular

import (
	"reflect"
	"strings"
	"testing"

	"waypost/link"
)

func TestStoredComesBack(t *testing.T) {
	t.Parallel()
	f := func(s Stored) {
		t.Helper()
		data, err := s.Data()
		if err != nil {
			t.Fatal(err)
		}
		got, err := Read(data)
		if err != nil || !reflect.DeepEqual(got, s) {
			t.Errorf("%s comes back as %+v, %v", data, got, err)
		}
	}
	f(Stored{LinkType: PartnerLink, IOS: &Redirection{AppSite: 1, Destination: "https://x.test/"}})
	f(Stored{
		LinkType: CustomLink, SourceName: "social", LinkSubdomain: "acme", Zone: "sng.link", Fallback: "https://x.test/",
		Android:      &Redirection{AppSite: 2, Destination: "https://a.test/?a=1&b=2", DeepLink: "acme://x", Deferred: "acme://y"},
		Reengagement: true, CTV: true, ClickDeterministicDays: 1, ClickProbabilisticHours: 2, ViewDeterministicHours: 3,
		ViewProbabilisticHours: 4, ClickReengagementDays: 5, LinkParameter: []Pair{{"b", "<&>"}, {"a", ""}},
		OG: &OG{"t", "d", "https://i.test/"}, Short: "961w", Query: "b=%3C&a=",
	})
}

// TestStoredAddressesTakeTheirLength: a link full of "&" is no longer than what
// its client sent.
func TestStoredAddressesTakeTheirLength(t *testing.T) {
	t.Parallel()
	long := "https://x.test/?" + strings.Repeat("&", 2032)
	s := Stored{Fallback: long, IOS: &Redirection{Destination: long, DeepLink: long}, Query: strings.Repeat("a=%26&", 1300)}
	data, err := s.Data()
	if err != nil || len(data) > 3*len(long)+len(s.Query)+500 || data[len(data)-1] != '}' {
		t.Errorf("%d bytes, %v", len(data), err)
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	for _, data := range []string{``, `[]`, `{}`, `{"link_type":1}`, `{"link_type":"custom"}`} {
		if s, err := Read([]byte(data)); err == nil {
			t.Errorf("%q is read as %+v", data, s)
		}
	}
	for _, data := range []string{``, `[]`, `{"query":1}`} {
		if r, err := ReadReferral([]byte(data)); err == nil {
			t.Errorf("%q is read as %+v", data, r)
		}
	}
}

func TestLetters(t *testing.T) {
	t.Parallel()
	f := func(android, ios *Redirection, want byte) {
		t.Helper()
		if got := (&Stored{Android: android, IOS: ios}).Letter(); got != want {
			t.Errorf("letter %c, want %c", got, want)
		}
	}
	opens, plain := &Redirection{DeepLink: "x://y"}, &Redirection{Deferred: "x://y"}
	f(opens, opens, 'A')
	f(opens, plain, 'B')
	f(opens, nil, 'B')
	f(plain, opens, 'C')
	f(nil, opens, 'C')
	f(plain, plain, 'D')
	f(nil, plain, 'D')
	f(plain, nil, 'D')
}

func TestAppCodes(t *testing.T) {
	t.Parallel()
	f := func(id link.AppGroupID, want string) {
		t.Helper()
		if got := AppCode(id); got != want {
			t.Errorf("AppCode(%d) = %s, want %s", id, got, want)
		}
	}
	f(1, "0001")
	f(4833, "03q9")
	f(36*36*36*36-1, "zzzz")
	f(36*36*36*36, "10000")
}
