package route

import (
	"encoding/binary"
	"slices"

	"waypost/internal/macro"
	"waypost/link"
)

// A plan's one text holds, in this order: for each kind of visitor the number
// of his destination; the destinations, recordSize bytes each; where the first
// text begins and where each ends, fourBytes each; the texts.
const fourBytes = 4

// Places in the record of a destination. The last four are numbers of texts.
const (
	ruleAt = iota
	kindAt
	trackerAt
	flagsAt
	nextAt
	openAt
	deepLinkAt
	replyAt
	recordSize
)

// Flags of a destination.
const (
	toStore = 1 << iota
	copiesToken
)

// Numbers of texts that every plan has.
const (
	storedText = iota
	nameText
	selfText
)

// noText is the number of a text that is not there. No link has nearly so many:
// there are fewer than thirty kinds of visitor, each with three texts at most,
// and a product has one store for a platform.
const noText = 0xff

// allRules are the rules by the numbers that stand for them in plans.
var allRules = [...]Rule{
	PreviewRule, NoRedirect, BotWeb, AndroidApp, AndroidWeb, AndroidStore, IOSApp, IOSWeb, IOSStore, TVStore, Web, FallbackPage,
}

// packer puts a plan together.
type packer struct {
	head  []byte // visitors' numbers and destinations
	texts []string
}

// text returns the number of a text. Equal texts are kept once, empty ones not at all.
func (k *packer) text(s string) byte {
	if s == "" {
		return noText
	}
	if n := slices.Index(k.texts, s); n >= 0 {
		return byte(n)
	}
	k.texts = append(k.texts, s)
	return byte(len(k.texts) - 1)
}

func (k *packer) destination(chosen *choice, next, open, deepLink macro.Text, reply string) {
	var flags byte
	if chosen.store {
		flags |= toStore
	}
	if chosen.copies {
		flags |= copiesToken
	}
	k.head = append(k.head, byte(slices.Index(allRules[:], chosen.rule)), byte(chosen.kind), byte(chosen.tracker), flags,
		k.text(next.Packed()), k.text(open.Packed()), k.text(deepLink.Packed()), k.text(reply))
}

// pack returns everything as one text, and where in it the places of the texts are.
func (k *packer) pack() (packed string, places uint16) {
	at := len(k.head) + fourBytes*(len(k.texts)+1)
	buf := binary.LittleEndian.AppendUint32(k.head, uint32(at))
	for _, t := range k.texts {
		at += len(t)
		buf = binary.LittleEndian.AppendUint32(buf, uint32(at))
	}
	for _, t := range k.texts {
		buf = append(buf, t...)
	}
	return string(buf), uint16(len(k.head))
}

// destination reads one back.
func (p *Plan) destination(n int) Destination {
	r := p.packed[slots+n*recordSize:][:recordSize]
	return Destination{
		Rule: allRules[r[ruleAt]], Kind: Kind(r[kindAt]), Tracker: link.Tracker(r[trackerAt]),
		store: r[flagsAt]&toStore != 0, copies: r[flagsAt]&copiesToken != 0,
		next: macro.Unpack(p.text(r[nextAt])), open: macro.Unpack(p.text(r[openAt])), deepLink: macro.Unpack(p.text(r[deepLinkAt])),
		reply: p.text(r[replyAt]), plan: p,
	}
}

// text returns a text by its number.
func (p *Plan) text(n byte) string {
	if n == noText {
		return ""
	}
	at := int(p.places) + fourBytes*int(n)
	return p.packed[p.number(at):p.number(at+fourBytes)]
}

func (p *Plan) number(at int) int {
	s := p.packed[at:][:fourBytes]
	return int(s[0]) | int(s[1])<<8 | int(s[2])<<16 | int(s[3])<<24
}

// eachStore yields the lines of the page that lists stores.
func (p *Plan) eachStore(f func(label string, url macro.Text)) {
	for n := p.stores; n < p.stores+2*p.lines; n += 2 {
		f(p.text(n), macro.Unpack(p.text(n+1)))
	}
}
