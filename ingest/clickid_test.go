package ingest_test

import (
	"net/url"
	"strings"
	"testing"

	"waypost/ingest"
	"waypost/internal/uid"
)

const (
	someClick = "9023861282613779883"
	someToken = "OTAyMzg2MTI4MjYxMzc3OTg4Mw=="
)

func TestClickInReferrer(t *testing.T) {
	t.Parallel()
	f := func(raw, want string) {
		t.Helper()
		if got := ingest.ClickInReferrer(raw); got != want {
			t.Errorf("ClickInReferrer(%q) = %q, want %q", raw, got, want)
		}
	}
	plain := "af_tranid=" + url.QueryEscape(someToken) + "&pid=wide&c=spring"
	f(plain, someClick)
	f("?"+plain, someClick)
	f(url.QueryEscape(plain), someClick)
	f(url.QueryEscape(url.QueryEscape(plain)), someClick)
	f("af_tranid="+someToken+"&pid=wide", someClick)
	f("pid=wide&af_tranid="+strings.TrimRight(someToken, "="), someClick)
	f("singular_click_id="+someClick, someClick)
	f("singular_click_id%3D"+someClick, someClick)
	f("ko_click_id="+someClick+"&utm_source=x", someClick)
	f("click_id="+someClick, someClick)
	f("click_id=partners-own&af_tranid="+url.QueryEscape(someToken), someClick)
	f("utm_source=google-play&utm_medium=organic", "")
	f("", "")
	f("af_tranid=%zz", "")
	f("af_tranid=1234", "")
	f("af_tranid=bm90IGEgbnVtYmVyIGF0IGFsbA==", "")
	f("ko_click_id=99999999999999999999", "")
	f(strings.Repeat("x", 9000)+"&click_id="+someClick, "")
}

func TestClickInURL(t *testing.T) {
	t.Parallel()
	f := func(raw, want string) {
		t.Helper()
		if got := ingest.ClickInURL(raw); got != want {
			t.Errorf("ClickInURL(%q) = %q, want %q", raw, got, want)
		}
	}
	f("acme://shoe?ko_click_id="+someClick, someClick)
	f("acme://shoe?a=b&af_tranid="+url.QueryEscape(someToken)+"#top", someClick)
	f("https://acme.test/shoe?referrer=singular_click_id%3D"+someClick, someClick)
	f("https://acme.test/shoe?referrer="+url.QueryEscape("utm_source=x&af_tranid="+url.QueryEscape(someToken)), someClick)
	f("https://acme.test/#/shoe?click_id="+someClick, someClick)
	f("https://acme.test/#click_id="+someClick, someClick)
	f("https://acme.test/A1b3/promo", "")
	f("https://acme.test/?referrer=referrer%3Dclick_id%3D"+someClick, "")
	f("", "")
	f("not a url %%%?x", "")
}

// FuzzClickInReferrer: whatever it finds is an id of ours, and what we wrote
// is found.
func FuzzClickInReferrer(f *testing.F) {
	for _, seed := range []string{
		"af_tranid%3DOTAyMzg2MTI4MjYxMzc3OTg4Mw%3D%3D%26pid%3Dwide", "singular_click_id=9023861282613779883", "utm_source=(not%20set)", "%25%25", "a=b&=&&=c", "",
	} {
		f.Add(seed, uint64(42))
	}
	f.Fuzz(func(t *testing.T, raw string, n uint64) {
		for _, found := range []string{ingest.ClickInReferrer(raw), ingest.ClickInURL(raw)} {
			if c, ok := uid.ParseClick(found); found != "" && (!ok || c.String() != found) {
				t.Fatalf("found %q in %q", found, raw)
			}
		}
		id := uid.ClickOf(n)
		token := string(id.AppendToken(nil)) + uid.TokenPadding
		ours := "af_tranid=" + url.QueryEscape(token) + "&x=" + url.QueryEscape(raw)
		if len(ours) > 2000 {
			return
		}
		for _, form := range []string{ours, url.QueryEscape(ours)} {
			if got := ingest.ClickInReferrer(form); got != id.String() {
				t.Fatalf("ClickInReferrer(%q) = %q, want %s", form, got, id)
			}
		}
	})
}
