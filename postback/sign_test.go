package postback

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"
)

const hookSecret = "a-secret-of-the-hook"

func TestSignatureVectors(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/postbacks.md")
	if err != nil {
		t.Fatal(err)
	}
	f := func(r Request) {
		t.Helper()
		t1, sum, _ := strings.Cut(Sign(hookSecret, noon, r), ",v1=")
		if t1 != "t=1795176000" || !strings.Contains(string(text), "`"+sum+"`") {
			t.Errorf("%+v: %s, v1=%s is not in the document", r, t1, sum)
		}
	}
	f(Request{Method: "GET", URL: "https://p.test/in?a=1"})
	f(Request{Method: "POST", URL: "https://p.test/in", Body: `{"id":"1"}`})
}

func TestVerify(t *testing.T) {
	t.Parallel()
	r := Request{Method: "POST", URL: "https://p.test/in?a=1", Body: `{"id":"1"}`}
	good := Sign(hookSecret, noon, r)
	when, sum, _ := strings.Cut(good, ",")
	f := func(header string, r Request, now time.Time, want error) {
		t.Helper()
		if err := Verify(hookSecret, header, r, now); !errors.Is(err, want) {
			t.Errorf("Verify(%q, %+v) = %v, want %v", header, r, err, want)
		}
	}
	f(good, r, noon, nil)
	f(good, r, noon.Add(Tolerance), nil)
	f(good, r, noon.Add(-Tolerance), nil)
	f(when+", v1=00,v2=x, "+sum, r, noon, nil)
	f(good, r, noon.Add(Tolerance+time.Second), ErrOldSignature)
	f(good, r, noon.Add(-Tolerance-time.Second), ErrOldSignature)
	f(strings.Replace(good, "t=1", "t=-1", 1), r, noon, ErrOldSignature)
	f(strings.Replace(good, "1795176000", "1795176001", 1), r, noon, ErrBadSignature)
	f(when+",v1=00", r, noon, ErrBadSignature)
	f(when+",v1=zz", r, noon, ErrBadSignature)
	for _, header := range []string{"", "t=", when, sum, "t=x," + sum, "v1", ","} {
		f(header, r, noon, ErrNoSignature)
	}
	for _, other := range []Request{
		{Method: "GET", URL: r.URL, Body: r.Body}, {Method: r.Method, URL: r.URL + "&b=2", Body: r.Body}, {Method: r.Method, URL: r.URL, Body: r.Body + " "},
	} {
		f(good, other, noon, ErrBadSignature)
	}
	if err := Verify("another-secret", good, r, noon); !errors.Is(err, ErrBadSignature) {
		t.Errorf("another secret: %v", err)
	}
}
