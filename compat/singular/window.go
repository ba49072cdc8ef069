package singular

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"waypost/link"
)

// window is one of the five attribution windows of a link (API page, "Query
// Parameters").
type window struct {
	name  string
	unit  time.Duration
	most  int // in units
	usual int // where neither the client nor the partner's set-up says
	field func(*Stored) *int
	setup func(*link.PartnerApp) time.Duration
}

const day = 24 * time.Hour

// windows are in the order of the vendor's table.
var windows = [...]window{
	{
		"click_deterministic_window", day, 30, 7,
		func(s *Stored) *int { return &s.ClickDeterministicDays },
		func(p *link.PartnerApp) time.Duration { return p.ClickDeterministic },
	},
	{
		"click_probabilistic_window", time.Hour, 24, 24,
		func(s *Stored) *int { return &s.ClickProbabilisticHours },
		func(p *link.PartnerApp) time.Duration { return p.ClickProbabilistic },
	},
	{
		"view_deterministic_window", time.Hour, 24, 24,
		func(s *Stored) *int { return &s.ViewDeterministicHours },
		func(p *link.PartnerApp) time.Duration { return p.ViewDeterministic },
	},
	{
		"view_probabilistic_window", time.Hour, 24, 8,
		func(s *Stored) *int { return &s.ViewProbabilisticHours },
		func(p *link.PartnerApp) time.Duration { return p.ViewProbabilistic },
	},
	{
		reengagementWindow, day, 30, 7,
		func(s *Stored) *int { return &s.ClickReengagementDays },
		func(p *link.PartnerApp) time.Duration { return p.Reengagement },
	},
}

// reengagementWindow is the window that means nothing without re-engagement:
// one client always sends it, so it is then not even read.
const reengagementWindow = "click_reengagement_window"

// read returns what a client asks for: a number, or as the API itself writes
// it, "7 Days".
func (w *window) read(raw json.RawMessage) (int, error) {
	text := strings.TrimSpace(looseText(raw))
	if number, ok := strings.CutSuffix(text, " "+w.unitName()); ok {
		text = number
	}
	n, ok := wholeNumber(text)
	if !ok || n < 0 || n > int64(w.most) {
		return 0, said("%s value not supported", w.name)
	}
	return int(n), nil
}

// byDefault returns the longest of the partner's windows for the apps that a
// link leads to, in whole units, rounded up: no touch that the set-up would
// credit is lost to a link's coarser unit.
func (w *window) byDefault(setups []*link.PartnerApp) int {
	var longest time.Duration
	for _, p := range setups {
		longest = max(longest, w.setup(p))
	}
	if longest <= 0 {
		return w.usual
	}
	return min(int((longest+w.unit-1)/w.unit), w.most)
}

func (w *window) unitName() string {
	if w.unit == day {
		return "Days"
	}
	return "Hours"
}

// show returns the window of a link as the API writes it.
func (w *window) show(s *Stored) string {
	return strconv.Itoa(*w.field(s)) + " " + w.unitName()
}
