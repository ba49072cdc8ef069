package attribution

import (
	"fmt"
	"strings"
)

// Explain tells the decision in sentences, one a line, for people who ask why.
func (d *Decision) Explain() []string {
	lines := []string{fmt.Sprintf("%s of %s: %s (algorithm %d).", d.Outcome, d.Conversion, d.verdict(), d.Version)}
	if d.Winner != nil {
		lines = append(lines, "won: "+d.told(d.Winner))
	}
	if d.Secondary != nil {
		lines = append(lines, "installation's own source: "+d.told(d.Secondary))
	}
	for i := range d.Assists {
		lines = append(lines, "assisted: "+d.told(&d.Assists[i]))
	}
	for _, r := range d.Rejected {
		lines = append(lines, "rejected: "+d.toldRejection(r))
	}
	for _, f := range d.Flags {
		if f.Touch == 0 {
			lines = append(lines, fmt.Sprintf("flag: %s.", f.Code))
		} else {
			lines = append(lines, fmt.Sprintf("flag: %s, touch %s.", f.Code, f.Touch))
		}
	}
	if l := d.Likeness; l.Candidates > 0 {
		lines = append(lines, fmt.Sprintf("likeness: %s among %d, best %s, next %s.", l.Code, l.Candidates, l.Best, l.Next))
	} else if d.Outcome != Happening {
		lines = append(lines, fmt.Sprintf("likeness: %s.", l.Code))
	}
	if !d.EventsUntil.IsZero() {
		lines = append(lines, "events follow until "+d.EventsUntil.UTC().Format("2006-01-02 15:04:05")+".")
	}
	return lines
}

func (d *Decision) verdict() string {
	switch {
	case d.Refusal != "":
		return fmt.Sprintf("refused by %s", d.Refusal)
	case d.Late:
		return string(d.Verdict) + ", changed by a touch that came late"
	}
	return string(d.Verdict)
}

func (d *Decision) told(m *Match) string {
	text := fmt.Sprintf("%s %s by %s, %s before, lookback %s", m.Kind, m.Touch, m.Method, d.At.Sub(m.At), m.Lookback)
	if m.LookbackOf != "" {
		text += fmt.Sprintf(" (%s)", strings.ReplaceAll(string(m.LookbackOf), "_", " "))
	}
	if len(m.Signals) > 0 {
		parts := make([]string, len(m.Signals))
		for i, s := range m.Signals {
			parts[i] = fmt.Sprintf("%s %d/%d", s.Name, s.Weight*s.Got/10, s.Weight)
		}
		text += fmt.Sprintf(", score %s (%s)", m.Score, strings.Join(parts, ", "))
	}
	return text + "."
}

func (d *Decision) toldRejection(r Rejection) string {
	text := fmt.Sprintf("touch %s, %s before", r.Touch, d.At.Sub(r.At))
	if r.Method != "" {
		text += ", by " + string(r.Method)
	}
	if r.Score > 0 {
		text += ", score " + r.Score.String()
	}
	return text + ": " + string(r.Code) + "."
}

// String is the score as a fraction of one: "0.9673".
func (s Score) String() string { return fmt.Sprintf("%d.%04d", s/10000, s%10000) }
