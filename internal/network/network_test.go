package network

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func read(t testing.TB, lists ...string) *Table {
	t.Helper()
	table := &Table{}
	for i := 0; i < len(lists); i += 2 {
		if err := table.Read(lists[i], strings.NewReader(lists[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	return table
}

func TestFind(t *testing.T) {
	t.Parallel()
	table := read(t,
		"hosting", "\ufeff198.51.100.0/24\r\n# a comment\n\n  2001:db8::/32 # behind\n10.1.2.3/8\n192.0.2.9\n::ffff:203.0.113.0/120\n",
		"relay", "198.51.100.64/28,DE,DE-BE,Berlin,\n\"2001:db8:7::/48\",US,US-CA,Los Angeles,\n",
		"tor", "192.0.2.9\n2001:db8:7::1\n",
	)
	f := func(address, want string) {
		t.Helper()
		if got := table.Find(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s belongs to %q, want %q", address, got, want)
		}
	}
	f("198.51.100.63", "hosting")
	f("198.51.100.64", "relay")
	f("198.51.100.79", "relay")
	f("198.51.100.80", "hosting")
	f("198.51.101.0", "")
	f("::ffff:198.51.100.70", "relay")
	f("10.255.255.255", "hosting")
	f("11.0.0.0", "")
	f("192.0.2.9", "tor") // the list that was read last
	f("192.0.2.8", "")
	f("203.0.113.200", "hosting")
	f("2001:db8:6::1", "hosting")
	f("2001:db8:7::1", "tor")
	f("2001:db8:7::2%eth0", "relay")
	f("2001:db9::1", "")
	if got := table.Find(netip.Addr{}); got != "" {
		t.Errorf("no address belongs to %q", got)
	}
	if n := table.Len(); n != 8 {
		t.Errorf("%d networks, want 8", n)
	}
}

// TestWhole: the network of everything holds both families only where it says so.
func TestWhole(t *testing.T) {
	t.Parallel()
	table := read(t, "vpn", "0.0.0.0/0")
	if got := table.Find(netip.MustParseAddr("8.8.8.8")) + table.Find(netip.MustParseAddr("2001:db8::1")); got != "vpn" {
		t.Errorf("got %q", got)
	}
}

func TestBadLines(t *testing.T) {
	t.Parallel()
	f := func(list, line string) {
		t.Helper()
		err := (&Table{}).Read("tor", strings.NewReader(list))
		if err == nil || !strings.HasPrefix(err.Error(), line+": ") {
			t.Errorf("%q: %v, want a complaint about %s", list, err, line)
		}
	}
	f("192.0.2.1\n\nnonsense\n", "line 3")
	f("192.0.2.0/33", "line 1")
	f("# ok\n2001:db8::/129", "line 2")
	f("fe80::1%eth0", "line 1")
	f("192.0.2.1 192.0.2.2", "line 1")
	f("192.0.2.1\n"+strings.Repeat("1", 70_000), "line 2")
}

func TestOpen(t *testing.T) {
	t.Parallel()
	if table, err := Open(nil); table != nil || err != nil || table.Find(netip.MustParseAddr("192.0.2.1")) != "" || table.Len() != 0 {
		t.Errorf("without lists: %v, %v", table, err)
	}
	dir := t.TempDir()
	good, bad := filepath.Join(dir, "good.txt"), filepath.Join(dir, "bad.txt")
	for file, text := range map[string]string{good: "192.0.2.0/24\n", bad: "192.0.2.0/24\nwhat\n"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	table, err := Open([]List{{"hosting", good}})
	if err != nil || table.Find(netip.MustParseAddr("192.0.2.1")) != "hosting" {
		t.Errorf("%v", err)
	}
	f := func(file string, words ...string) {
		t.Helper()
		_, err := Open([]List{{"hosting", good}, {"tor", file}})
		for _, w := range append(words, file, "tor") {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("%s: %v, want %q in it", file, err, w)
			}
		}
	}
	f(bad, "line 2", `"what"`)
	f(filepath.Join(dir, "missing.txt"), "no such file")
	f(dir, "directory")
}

// many is a table of so many networks of both families.
func many(t testing.TB, n int) *Table {
	var list strings.Builder
	for i := range n {
		fmt.Fprintf(&list, "%d.%d.%d.0/%d\n", 1+i%220, i/220%256, i/56320%256, 16+i%9)
		fmt.Fprintf(&list, "2001:%x:%x::/48\n", i%65536, i/65536)
	}
	return read(t, "hosting", list.String())
}

// Not parallel: AllocsPerRun counts the allocations of the whole process.
func TestFindAllocatesNothing(t *testing.T) {
	table := many(t, 2_000)
	for _, a := range []netip.Addr{netip.MustParseAddr("5.1.0.7"), netip.MustParseAddr("2001:4::1"), netip.MustParseAddr("::ffff:250.0.0.1")} {
		if n := testing.AllocsPerRun(100, func() { table.Find(a) }); n != 0 {
			t.Errorf("to look %s up allocates %v times", a, n)
		}
	}
}

// FuzzRead: a list is read, or refused; what was read is found.
func FuzzRead(f *testing.F) {
	f.Add("198.51.100.0/24 # x\n2001:db8::/32,US\n", "198.51.100.7")
	f.Add("::ffff:203.0.113.0/120\n0.0.0.0/0", "::ffff:203.0.113.7")
	f.Add("::/0\n\ufeff1.2.3.4", "1.2.3.4")
	f.Fuzz(func(t *testing.T, list, address string) {
		table := &Table{}
		err := table.Read("vpn", strings.NewReader(list))
		a, bad := netip.ParseAddr(address)
		if err != nil || bad != nil || a.Zone() != "" {
			return
		}
		if table.Read("vpn", strings.NewReader(address)) != nil || table.Find(a) != "vpn" {
			t.Errorf("%s is listed and not found", a)
		}
	})
}

func BenchmarkFind(b *testing.B) {
	table, a := many(b, 200_000), netip.MustParseAddr("5.1.0.7")
	b.ReportAllocs()
	for b.Loop() {
		table.Find(a)
	}
}
