package postback

import (
	"net/netip"
	"testing"
)

func TestAddresses(t *testing.T) {
	t.Parallel()
	f := func(host, ip string, wantPublic, wantNamed bool) {
		t.Helper()
		public, named := &guard{}, &guard{named: true}
		if err := public.check(host, netip.MustParseAddr(ip)); (err == nil) != wantPublic {
			t.Errorf("%s at %s: %v, want allowed %v", host, ip, err, wantPublic)
		}
		if err := named.check(host, netip.MustParseAddr(ip)); (err == nil) != wantNamed {
			t.Errorf("%s at %s, named by the URL: %v, want allowed %v", host, ip, err, wantNamed)
		}
	}
	for _, ip := range []string{"8.8.8.8", "1.1.1.1", "172.15.0.1", "172.32.0.1", "100.63.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1"} {
		f("partner.example.com", ip, true, true)
	}
	special := []string{
		"127.0.0.1", "127.255.0.9", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "100.127.255.255",
		"169.254.169.254", "0.0.0.0", "0.1.2.3", "224.0.0.1", "239.255.255.255", "255.255.255.255", "240.0.0.1", "198.18.0.1", "192.0.0.8", "192.0.2.1",
		"::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1", "fec0::1", "2001:db8::1",
		"::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", // mapped and compatible
		"64:ff9b::7f00:1", "64:ff9b:1::a00:1", "2002:7f00:1::", "2001:0:7f00:1::", // translated and tunnelled
	}
	for _, ip := range special {
		f("partner.example.com", ip, false, false)
		f("localhost.example.com", ip, false, false)
		f("127.0.0.2", ip, false, false) // named, but another one
	}
	for _, ip := range []string{"127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "::1", "fd12::1"} {
		f(ip, ip, false, true)
		for _, host := range []string{"localhost", "LOCALHOST.", "collector", "a.localhost", "printer.local", "collector.internal", "nas.home.arpa"} {
			f(host, ip, false, true)
		}
	}
	f("::ffff:127.0.0.1", "127.0.0.1", false, true)
	for _, ip := range []string{"169.254.169.254", "fe80::1", "0.0.0.0", "::", "224.0.0.1", "::ffff:169.254.169.254"} {
		f(ip, ip, false, false) // nobody's receiver lives there, whoever names it
		f("metadata.google.internal", ip, false, false)
	}
}

func TestNetworksOfTheOperator(t *testing.T) {
	t.Parallel()
	g := &guard{own: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}}
	if err := g.check("hooks.example.com", netip.MustParseAddr("10.1.2.3")); err != nil {
		t.Error(err)
	}
	if err := g.check("hooks.example.com", netip.MustParseAddr("10.2.2.3")); err == nil {
		t.Error("an address outside of the networks is allowed")
	}
}
