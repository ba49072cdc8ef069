package event

import (
	"bytes"
	"encoding/json"
)

// KindOf returns the kind of a line and leaves the rest unread; empty when the
// line has none, or another version.
func KindOf(line []byte) Kind {
	const head = `{"v":1,"type":"`
	if rest, ok := bytes.CutPrefix(line, []byte(head)); ok {
		if end := bytes.IndexByte(rest, '"'); end > 0 && bytes.IndexByte(rest[:end], '\\') < 0 {
			return Kind(rest[:end])
		}
	}
	var w struct {
		Version int  `json:"v"`
		Kind    Kind `json:"type"`
	}
	if json.Unmarshal(line, &w) != nil || w.Version != Version {
		return ""
	}
	return w.Kind
}

// OfHistory reports whether events of the kind are no clicks or impressions and
// count in the history alone.
func (k Kind) OfHistory() bool { return k.IsTold() || k == PlatformConversionKind }

// IsTold reports whether apps tell events of the kind.
func (k Kind) IsTold() bool {
	switch k {
	case OpenKind, InAppKind, ConsentKind, IdentifyKind:
		return true
	}
	return false
}
