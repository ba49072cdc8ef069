// Package network tells which network an address belongs to, from lists that
// the operator provides. It knows nothing of what the networks mean.
package network

import (
	"bufio"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"

	"github.com/gaissmai/bart"
)

// List is a file of networks that have one name.
type List struct {
	Name string
	File string
}

// Table holds the networks of all lists. Reading it is safe for concurrent use
// once it is filled; a nil one is empty.
type Table struct {
	prefixes bart.Table[string]
}

// Open reads the lists in their order; no lists make a nil Table. Its errors
// name the file, and the line where one cannot be read.
func Open(lists []List) (*Table, error) {
	if len(lists) == 0 {
		return nil, nil
	}
	t := &Table{}
	for _, l := range lists {
		if err := t.open(l); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func (t *Table) open(l List) error {
	file, err := os.Open(l.File)
	if err != nil {
		return fmt.Errorf("read the list of %s networks: %w", l.Name, err)
	}
	defer file.Close()
	if err := t.Read(l.Name, file); err != nil {
		return fmt.Errorf("read the list of %s networks: %s: %w", l.Name, l.File, err)
	}
	return nil
}

// Read adds a list: one network or address a line, IPv4 or IPv6, behind which
// a comma begins what is not read (Apple's list of Private Relay's egress
// addresses has more columns). "#" begins a comment. A network that is there
// already takes the new name.
func (t *Table) Read(name string, list io.Reader) error {
	lines := bufio.NewScanner(list)
	n := 0
	for lines.Scan() {
		n++
		text := lines.Text()
		if n == 1 {
			text = strings.TrimPrefix(text, "\ufeff") // spreadsheets begin files so
		}
		text, _, _ = strings.Cut(text, "#")
		text, _, _ = strings.Cut(text, ",")
		if text = strings.Trim(text, " \t\r\""); text == "" {
			continue
		}
		p, err := parse(text)
		if err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		t.prefixes.Insert(p, name)
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("line %d: %w", n+1, err)
	}
	return nil
}

// mapped is how many bits IPv4 addresses that are written as IPv6 have before
// their own (RFC 4291 §2.5.5.2).
const mapped = 96

// parse reads a network, or an address, which is a network of one. Bits beyond
// a network's length are taken for 0.
func parse(text string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(text)
	if err != nil {
		a, err := netip.ParseAddr(text)
		if err != nil || a.Zone() != "" {
			return p, fmt.Errorf("%.60q is neither a network such as 192.0.2.0/24 or 2001:db8::/32 nor an address", text)
		}
		p = netip.PrefixFrom(a, a.BitLen())
	}
	if a := p.Addr(); a.Is4In6() && p.Bits() >= mapped {
		p = netip.PrefixFrom(a.Unmap(), p.Bits()-mapped)
	}
	return p.Masked(), nil
}

// Find returns the name of the smallest network that holds the address; empty:
// none does. It allocates nothing.
func (t *Table) Find(a netip.Addr) string {
	if t == nil {
		return ""
	}
	name, _ := t.prefixes.Lookup(a.Unmap().WithZone(""))
	return name
}

// Len is how many networks there are.
func (t *Table) Len() int {
	if t == nil {
		return 0
	}
	return t.prefixes.Size()
}
