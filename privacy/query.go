package privacy

import (
	"bytes"
	"net/url"
	"strings"

	"waypost/link"
)

// Unkept stands in a query for an address that the policy keeps nothing of: who
// reads the query later still sees that it named one.
const Unkept = "0.0.0.0"

// maxValue bounds the values that are looked at, bytes: a few addresses with
// their ports. What is longer is none.
const maxValue = 256

// KeepsAll reports whether the policy keeps addresses as they are.
func KeepsAll(policy link.IPPolicy) bool { return policy == link.IPFull || policy == "" }

// AppendQuery appends a raw query as the policy lets events keep it. Servers
// that report a visitor's click send his address in it, under names of their
// vendors: in a parameter whose name holds "ip" or "addr", in any case, what
// reads as an address, or as a list of them with commas between, is cut like
// the visitor's own, or is Unkept. Everything else stays byte for byte. Where no
// such parameter is there it allocates nothing beyond growing dst.
func AppendQuery(dst []byte, policy link.IPPolicy, query []byte) []byte {
	if KeepsAll(policy) {
		return append(dst, query...)
	}
	for len(query) > 0 {
		end := bytes.IndexByte(query, '&') + 1
		if end == 0 {
			return appendPair(dst, policy, query)
		}
		dst = append(appendPair(dst, policy, query[:end-1]), '&')
		query = query[end:]
	}
	return dst
}

// AppendURL appends a URL with the addresses in its query cut as AppendQuery
// does.
func AppendURL(dst []byte, policy link.IPPolicy, rawURL []byte) []byte {
	end := bytes.IndexByte(rawURL, '#')
	if end < 0 {
		end = len(rawURL)
	}
	start := bytes.IndexByte(rawURL[:end], '?') + 1
	if start == 0 {
		return append(dst, rawURL...)
	}
	dst = append(dst, rawURL[:start]...)
	dst = AppendQuery(dst, policy, rawURL[start:end])
	return append(dst, rawURL[end:]...)
}

func appendPair(dst []byte, policy link.IPPolicy, pair []byte) []byte {
	value := bytes.IndexByte(pair, '=') + 1
	if value == 0 || len(pair)-value > maxValue || !namesAddress(pair[:value-1]) {
		return append(dst, pair...)
	}
	kept, ok := keptAddresses(policy, string(pair[value:]))
	if !ok {
		return append(dst, pair...)
	}
	dst = append(dst, pair[:value]...)
	return append(dst, kept...)
}

// namesAddress reports whether a parameter's name, escaped or not, may be an
// address's.
func namesAddress(name []byte) bool {
	if bytes.IndexByte(name, '%') >= 0 {
		if plain, err := url.QueryUnescape(string(name)); err == nil {
			name = []byte(plain)
		}
	}
	for i := range name {
		if hasPrefixFold(name[i:], "ip") || hasPrefixFold(name[i:], "addr") {
			return true
		}
	}
	return false
}

// hasPrefixFold is for a prefix of small letters.
func hasPrefixFold(b []byte, prefix string) bool {
	if len(b) < len(prefix) {
		return false
	}
	for i := range len(prefix) {
		if b[i]|0x20 != prefix[i] {
			return false
		}
	}
	return true
}

// keptAddresses is what stays of a value, escaped; not ok where no address is in it.
func keptAddresses(policy link.IPPolicy, raw string) (kept string, ok bool) {
	plain, err := url.QueryUnescape(raw)
	if err != nil {
		plain = raw
	}
	entries := strings.Split(plain, ",")
	for i, entry := range entries {
		ip, err := ParseAddress(entry)
		if err != nil {
			entries[i] = url.QueryEscape(entry)
			continue
		}
		ok = true
		if entries[i] = string(AppendAddress(nil, policy, ip)); entries[i] == "" {
			entries[i] = Unkept
		}
	}
	return strings.Join(entries, ","), ok
}
