package uid

import (
	"encoding/base64"
	"regexp"
	"strconv"
	"testing"
)

func TestCodes(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^[a-z0-9]{8}$`)
	seen := map[string]bool{}
	for range 10_000 {
		c := Code(8)
		if !form.MatchString(c) || seen[c] {
			t.Fatalf("code %q, seen before: %v", c, seen[c])
		}
		seen[c] = true
	}
}

func TestClicksHaveOneLength(t *testing.T) {
	t.Parallel()
	seen := map[Click]bool{}
	for range 10_000 {
		c := NewClick()
		token := string(c.AppendToken(nil))
		if len(c.String()) != 19 || len(token) != TokenLen || seen[c] {
			t.Fatalf("click %s, token %s, seen before: %v", c, token, seen[c])
		}
		seen[c] = true
		digits, err := base64.StdEncoding.DecodeString(token + TokenPadding)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := strconv.ParseUint(string(digits), 10, 64); err != nil || Click(n) != c {
			t.Fatalf("token %s reads %s, want %s", token, digits, c)
		}
	}
}

// The vendor's captured link held this pair (spec of the Play referrer).
func TestTokenOfAKnownClick(t *testing.T) {
	t.Parallel()
	if got := string(Click(9023861282613779883).AppendToken(nil)) + TokenPadding; got != "OTAyMzg2MTI4MjYxMzc3OTg4Mw==" {
		t.Errorf("got %s", got)
	}
}

func TestTokenAllocatesNothing(t *testing.T) {
	buf := make([]byte, 0, 64)
	if n := testing.AllocsPerRun(100, func() { buf = NewClick().AppendToken(buf[:0]) }); n != 0 {
		t.Errorf("allocates %v times", n)
	}
}

func TestParseClick(t *testing.T) {
	t.Parallel()
	f := func(text string, want Click) {
		t.Helper()
		if got, ok := ParseClick(text); got != want || ok != (want != 0) {
			t.Errorf("ParseClick(%q) = %d, %v; want %d", text, got, ok, want)
		}
	}
	f("9023861282613779883", 9023861282613779883)
	f("OTAyMzg2MTI4MjYxMzc3OTg4Mw==", 9023861282613779883)
	f("OTAyMzg2MTI4MjYxMzc3OTg4Mw", 9023861282613779883)
	f("9999999999999999999", 9999999999999999999)
	f("+023861282613779883", 0)
	for _, none := range []string{"", "1", "902386128261377988", "90238612826137798830", "partner-click", "OTAyMzg2MTI4MjYxMzc3OTg4Mw=", "OTAyMzg2MTI4MjYxMzc3OTg4MwAA", "10000000000000000000"} {
		f(none, 0)
	}
	for range 100 {
		c := NewClick()
		f(c.String(), c)
		f(string(c.AppendToken(nil)), c)
	}
}

func TestCopied(t *testing.T) {
	t.Parallel()
	const c = Click(9023861282613779883)
	if got := c.Copied(); got != "waypost:OTAyMzg2MTI4MjYxMzc3OTg4Mw" {
		t.Errorf("copied %q", got)
	}
	for text, want := range map[string]Click{
		c.Copied(): c, " " + c.Copied() + "\r\n": c, "": 0, "waypost:": 0, "OTAyMzg2MTI4MjYxMzc3OTg4Mw": 0, "waypost:hello": 0,
	} {
		if got, ok := ParseCopied(text); got != want || ok != (want != 0) {
			t.Errorf("ParseCopied(%q) = %d, %v", text, got, ok)
		}
	}
}

func TestClickOf(t *testing.T) {
	t.Parallel()
	for _, n := range []uint64{0, 1, 1 << 63, 1<<64 - 1} {
		c := ClickOf(n)
		if got, ok := ParseClick(c.String()); !ok || got != c || ClickOf(n) != c {
			t.Errorf("ClickOf(%d) = %d, which is no id of a click", n, c)
		}
	}
}
