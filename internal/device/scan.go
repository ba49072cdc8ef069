package device

// letters folds a byte to five bits: letters without case, four separators
// that occur in vocabulary words, and zero for everything else.
var letters = func() (fold [256]uint8) {
	for c := byte('a'); c <= 'z'; c++ {
		fold[c] = c - 'a' + 1
		fold[c-'a'+'A'] = c - 'a' + 1
	}
	fold['/'], fold['_'], fold['.'], fold['-'] = 27, 28, 29, 30
	return fold
}()

const (
	prefixLen  = 3           // bytes of a word that the index looks at
	prefixMask = 1<<15 - 1   // three times five bits
	scanLimit  = 4096        // bytes; what lies behind is not read, and fields below are 16 bits wide
	absent     = int16(-1)   // position of a word that was not found
	rankLowest = uint8(0xff) // worse than every app's rank
)

// entry is one word of the vocabulary, ready to be compared.
type entry struct {
	text        string // lower case
	left, right bool   // no letter or digit may stand before; no letter after
	word        word   // what to note when it is found
	bot         botClass
	label       string // name of the bot or app; empty: take it from the agent
	rank        uint8  // of apps: the lowest wins
}

// lexicon finds every word of the vocabulary in one pass. It looks at three
// bytes at a time, so an agent without such words costs one test per byte.
type lexicon struct {
	maybe   [1 << 15 / 64]uint64 // bit set of first three bytes, small enough for the nearest cache
	first   [1 << 15]uint16      // 1 + index into entries, valid where the bit is set
	entries []entry              // grouped by their first three bytes
}

// sighting is what a pass found.
type sighting struct {
	at      [wordCount]int16 // where each word stands first, or absent
	preview int16            // entries of named preview fetchers, other named bots; -1 if none
	named   int16
	generic int16 // entry of a word that only bots use ("crawler"), and where it stands
	genAt   int16
	weak    int16 // the same for words that apps use too ("httpclient")
	weakAt  int16
	closed  int16 // where Android's comment ends, absent while it is open
	app     int16 // entry of the app with the lowest rank
	appRank uint8
}

func prefix(s string) uint16 {
	return uint16(letters[s[0]])<<10 | uint16(letters[s[1]])<<5 | uint16(letters[s[2]])
}

// scan fills s with what is found in ua, which has at most scanLimit bytes.
func (l *lexicon) scan(ua string, s *sighting) {
	for i := range s.at {
		s.at[i] = absent
	}
	s.preview, s.named, s.generic, s.weak, s.app = -1, -1, -1, -1, -1
	s.appRank, s.closed = rankLowest, absent
	var code uint32
	for i := 0; i < len(ua); i++ {
		if ua[i] == ')' && s.closed == absent && s.at[wordAndroid] != absent {
			s.closed = int16(i)
		}
		code = (code<<5 | uint32(letters[ua[i]])) & prefixMask
		if l.maybe[code>>6]&(1<<(code&63)) != 0 && i >= prefixLen-1 {
			l.note(ua, i-prefixLen+1, uint16(code), s)
		}
	}
}

// note compares the words that begin with code and notes those standing at i.
func (l *lexicon) note(ua string, i int, code uint16, s *sighting) {
	for k := int(l.first[code]) - 1; k < len(l.entries) && prefix(l.entries[k].text) == code; k++ {
		e := &l.entries[k]
		if !matchFold(ua[i:], e.text) || e.left && i > 0 && isAlnum(ua[i-1]) {
			continue
		}
		if end := i + len(e.text); e.right && end < len(ua) && isLetter(ua[end]) {
			continue
		}
		s.keep(ua, i, k, e)
	}
}

func (s *sighting) keep(ua string, i, k int, e *entry) {
	at, index := int16(i), int16(k)
	if e.word != wordNone && s.at[e.word] == absent {
		s.at[e.word] = at
	}
	if e.rank != 0 && e.rank < s.appRank {
		s.app, s.appRank = index, e.rank
	}
	switch {
	case e.bot == botNone:
	case e.label != "" && e.bot == botPreview:
		if s.preview < 0 {
			s.preview = index
		}
	case e.label != "":
		if s.named < 0 {
			s.named = index
		}
	case e.bot == botWeak:
		if s.weak < 0 && !insideURL(ua, i) {
			s.weak, s.weakAt = index, at
		}
	case s.generic >= 0 && e.certainty() <= vocabulary.entries[s.generic].certainty():
	case s.countsAsGeneric(ua, i, len(e.text), e.text == "bot"):
		s.generic, s.genAt = index, at
	}
}

// countsAsGeneric keeps names of phones ("CUBOT NOTE 20", "DROIDBOT") from
// making bots of their owners: inside Android's own comment nothing counts
// that is not a bot's known name. "bot" must also end its word, or be followed
// by the next word of a name in camel case.
func (s *sighting) countsAsGeneric(ua string, i, n int, isBot bool) bool {
	if s.at[wordAndroid] != absent && s.closed == absent {
		return false
	}
	if !isBot {
		return true
	}
	if i >= 2 && matchFold(ua[i-2:], "cubot") {
		return false
	}
	end := i + n
	if end >= len(ua) || !isLetter(ua[end]) || i == 0 || !isAlnum(ua[i-1]) {
		return true
	}
	if (ua[end] == 's' || ua[end] == 'S') && (end+1 >= len(ua) || !isLetter(ua[end+1])) {
		return true
	}
	return isUpper(ua[end]) && !isUpper(ua[end-1])
}

// insideURL reports whether the word at i is the scheme of an address.
func insideURL(ua string, i int) bool {
	rest := ua[i:]
	return matchFold(rest, "http://") || matchFold(rest, "https://")
}

// matchFold reports whether s begins with lower, whatever the case of s.
func matchFold(s, lower string) bool {
	if len(s) < len(lower) {
		return false
	}
	for i := 0; i < len(lower); i++ {
		c := s[i]
		if isUpper(c) {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

func isUpper(c byte) bool  { return c-'A' < 26 }
func isLetter(c byte) bool { return c|0x20-'a' < 26 && c < 0x80 }
func isDigit(c byte) bool  { return c-'0' < 10 }
func isAlnum(c byte) bool  { return isLetter(c) || isDigit(c) }
