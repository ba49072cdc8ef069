// Package uid makes the identifiers that leave the server: link codes and
// click ids. They are random, so that nobody can guess a neighbour's.
package uid

import (
	crand "crypto/rand"
	"encoding/base64"
	"math/rand/v2"
	"strconv"
	"strings"
)

const codeAlphabet = "abcdefghijklmnopqrstuvwxyz0123456789"

// Code returns n random characters of [a-z0-9]. Eight of them are 41 bits:
// the caller retries when a code is taken.
func Code(n int) string {
	buf := make([]byte, n)
	if _, err := crand.Read(buf); err != nil {
		panic("uid: the system has no randomness: " + err.Error()) // crypto/rand documents that it never fails
	}
	for i, b := range buf {
		// 256 is not a multiple of 36; the bias of 1/64 bit is no help to a guesser.
		buf[i] = codeAlphabet[int(b)%len(codeAlphabet)]
	}
	return string(buf)
}

// Click identifies one click for ever. It always has 19 decimal digits, so
// its text forms have one length and a link can be rendered around them.
type Click uint64

const clickMin, clickSpan = 1_000_000_000_000_000_000, 9_000_000_000_000_000_000

// NewClick returns a random id of 63 bits. The generator of math/rand/v2 is
// ChaCha8 seeded by the system, cheap enough for every redirect.
func NewClick() Click { return Click(clickMin + rand.Uint64N(clickSpan)) }

// ClickOf returns one id for one number, for ids that must come out the same again.
func ClickOf(n uint64) Click { return Click(clickMin + n%clickSpan) }

// Append appends the 19 decimal digits.
func (c Click) Append(dst []byte) []byte { return strconv.AppendUint(dst, uint64(c), 10) }

// String returns the decimal digits.
func (c Click) String() string { return strconv.FormatUint(uint64(c), 10) }

// TokenLen is the length of a click's token without its padding.
const TokenLen = 26

// TokenPadding ends every token. It is the only part that needs percent-encoding.
const TokenPadding = "=="

// AppendToken appends the base64 form of the decimal digits without its
// padding: 26 letters and digits, which survive any number of URL encodings.
func (c Click) AppendToken(dst []byte) []byte {
	var digits [20]byte
	return base64.RawStdEncoding.AppendEncode(dst, c.Append(digits[:0]))
}

// copiedMark begins what pages leave on clipboards, so that an app can tell it
// from what else people copy, and send nothing of that to anybody.
const copiedMark = "waypost:"

// Copied is what a page leaves of the click on the clipboard.
func (c Click) Copied() string { return string(c.AppendToken([]byte(copiedMark))) }

// ParseCopied is the inverse of Copied. White space around it does not matter.
func ParseCopied(text string) (c Click, ok bool) {
	token, ok := strings.CutPrefix(strings.TrimSpace(text), copiedMark)
	if !ok {
		return 0, false
	}
	return ParseClick(token)
}

// ParseClick reads a click's digits or its token, with or without padding.
func ParseClick(text string) (c Click, ok bool) {
	if len(text) >= TokenLen {
		text = strings.TrimSuffix(text, TokenPadding)
		digits, err := base64.RawStdEncoding.DecodeString(text)
		if err != nil || len(text) != TokenLen {
			return 0, false
		}
		text = string(digits)
	}
	const digits = 19
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || len(text) != digits || n < clickMin {
		return 0, false
	}
	return Click(n), true
}
