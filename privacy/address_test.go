package privacy_test

import (
	"net/netip"
	"testing"

	"waypost/link"
	"waypost/privacy"
)

func TestAppendAddress(t *testing.T) {
	t.Parallel()
	tests := []struct {
		policy   link.IPPolicy
		ip, want string
	}{
		{link.IPFull, "203.0.113.77", "203.0.113.77"},
		{"", "203.0.113.77", "203.0.113.77"},
		{link.IPFull, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2:3:4:5:6"},
		{link.IPFull, "::ffff:203.0.113.77", "203.0.113.77"},
		{link.IPFull, "fe80::1%eth0", "fe80::1"},
		{link.IPTruncated, "203.0.113.77", "203.0.113.0"},
		{link.IPTruncated, "::ffff:203.0.113.77", "203.0.113.0"},
		{link.IPTruncated, "2001:db8:1:2:3:4:5:6", "2001:db8:1::"},
		{link.IPTruncated, "fe80::1%eth0", "fe80::"},
		{link.IPNone, "203.0.113.77", ""},
		{link.IPNone, "2001:db8::1", ""},
		{"some", "203.0.113.77", ""},
		{link.IPFull, "", ""},
		{link.IPTruncated, "", ""},
	}
	for _, tt := range tests {
		t.Run(string(tt.policy)+" "+tt.ip, func(t *testing.T) {
			t.Parallel()
			ip, _ := netip.ParseAddr(tt.ip) // the empty text is the address that is not known
			got := string(privacy.AppendAddress([]byte("ip="), tt.policy, ip))
			if got != "ip="+tt.want {
				t.Errorf("got %q, want %q", got, "ip="+tt.want)
			}
		})
	}
}

// Not parallel: AllocsPerRun counts the allocations of the whole process.
func TestAppendAddressAllocatesNothing(t *testing.T) {
	buf := make([]byte, 0, 64)
	for _, text := range []string{"203.0.113.77", "2001:db8:1:2:3:4:5:6", "::ffff:203.0.113.77", "fe80::1%eth0"} {
		ip := netip.MustParseAddr(text)
		for _, policy := range []link.IPPolicy{link.IPFull, link.IPTruncated, link.IPNone} {
			if n := testing.AllocsPerRun(100, func() { buf = privacy.AppendAddress(buf[:0], policy, ip) }); n != 0 {
				t.Errorf("%s of %s: %v allocations", policy, text, n)
			}
		}
	}
}
