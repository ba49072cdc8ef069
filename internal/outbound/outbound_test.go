package outbound

import (
	"net/netip"
	"strings"
	"testing"
)

func TestCheckURL(t *testing.T) {
	t.Parallel()
	f := func(raw, want string) {
		t.Helper()
		err := CheckURL(raw)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", raw, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "people") {
			t.Errorf("%s: %v repeats what may be people's", raw, err)
		}
	}
	for _, good := range []string{
		"http://127.0.0.1:9099/postback?click={click_id}", "https://partner.example.com/people", "HTTPS://Partner.Example.COM.:443", "http://localhost", "http://h:1", "http://h:65535", "http://h:/",
		"http://10.0.0.5/", "http://[::1]:9099/", "http://[2606:4700::1111]/", "http://user:word@h/", "http://bücher.test/",
	} {
		f(good, "")
	}
	for _, none := range []string{"", "people", "//h/people", "ftp://h/people", "http:///people", "http://:80/people", "http:people", "http://h:x/people", "http://h/people\n", "http://[::1/people"} {
		f(none, "no http or https URL with a host")
	}
	for _, port := range []string{"0", "00", "65536", "99999", "184467440737095516160"} {
		f("http://127.0.0.1:"+port+"/people", "there is no port "+port+";")
	}
	f("http://0.0.0.0:9099/people", "0.0.0.0 is never called: it names no machine")
	f("http://[::]/people", ":: is never called: it names no machine")
	f("http://169.254.169.254/people", "link-local")
	f("http://[fe80::1%25eth0]/people", "link-local")
	f("http://2130706433/people", `"2130706433" is neither a host name nor an address`)
	f("http://a..test/people", `"a..test" is no host name`)
}

func TestHosts(t *testing.T) {
	t.Parallel()
	f := func(host, want string) {
		t.Helper()
		err := CheckHost(host)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v, want %q", host, err, want)
		}
	}
	for _, host := range []string{
		"2130706433", "0x7f000001", "0X7F000001", "017700000001", "127.1", "127.0.1", "0177.0.0.1", "0x7f.0.0.1", "0x7f.1", "127.0.0.01", "127.0.0.1.",
		"1.2.3.4.5", "256.0.0.1", "a.0x7f", "a.1", ".", "",
		"127.0.0.\uff11", "127\u30020\u30020\u30021", "a\uff0e1", "\u2460", "\uff10x7f", "0\uff587f", // IDNA makes ASCII of them
	} {
		f(host, "neither a host name nor an address")
	}
	long := strings.Repeat("a", 63)
	for _, host := range []string{"a..test", ".test", "a b", "a,b.test", "a%b", "a/b", long + "a.test", strings.Repeat(long+".", 4)} {
		f(host, "no host name")
	}
	for _, host := range []string{
		"127.0.0.1", "::1", "localhost", "partner.example.com", "partner.example.com.", "1.example", "x0", "0.x1", "xn--p1ai.test", "my_hooks.test",
		"пример.рф", "例え。テスト", strings.Repeat("語", 30), long + ".test",
	} {
		f(host, "")
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	f := func(ip string, wantPublic, wantCalled bool) {
		t.Helper()
		if got := IsPublic(netip.MustParseAddr(ip)); got != wantPublic {
			t.Errorf("%s: public %v, want %v", ip, got, wantPublic)
		}
		if err := CheckAddress(netip.MustParseAddr(ip)); (err == nil) != wantCalled {
			t.Errorf("%s: %v, want called %v", ip, err, wantCalled)
		}
	}
	for _, ip := range []string{"8.8.8.8", "172.15.0.1", "172.32.0.1", "100.63.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1", "::ffff:8.8.8.8"} {
		f(ip, true, true)
	}
	for _, ip := range []string{"127.0.0.1", "127.255.0.9", "10.0.0.5", "172.16.0.1", "192.168.1.1", "100.64.0.1", "::1", "fd12::1", "::ffff:10.0.0.1"} {
		f(ip, false, true)
	}
	for _, ip := range []string{
		"0.0.0.0", "0.1.2.3", "169.254.169.254", "224.0.0.1", "240.0.0.1", "255.255.255.255", "198.18.0.1", "192.0.0.8", "192.0.2.1",
		"::", "fe80::1", "fe80::1%eth0", "ff02::1", "fec0::1", "2001:db8::1", "::ffff:169.254.169.254", "::ffff:0.0.0.0", "::127.0.0.1",
		"64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1", "2002:7f00:1::", "2001:0:7f00:1::",
	} {
		f(ip, false, false)
	}
}
