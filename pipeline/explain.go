package pipeline

import (
	"context"
	"fmt"
	"strings"
	"time"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/internal/fault"
	"waypost/internal/uid"
	"waypost/link"
)

// Explained is an installation with everything that was decided of it.
type Explained struct {
	Installation history.Installation
	Decided      history.Decided   // the install
	Later        []history.Decided // its other conversions, the newest first, some
	// Touches that the install's decision names and that are not forgotten.
	Touches map[uid.Click]history.Touch
	// LinkToldAt is when the deferred deep link was first told; zero: not yet.
	LinkToldAt time.Time
}

// mostExplained bounds Later.
const mostExplained = 100

// ExplainInstall tells why an installation is credited as it is, or to nobody;
// NotFound when it is not known.
func (a *Attributor) ExplainInstall(ctx context.Context, app link.AppID, install string) (Explained, error) {
	e, err := a.explainInstall(ctx, app, install)
	if err != nil && !fault.Is(err, fault.NotFound) {
		err = fmt.Errorf("explain installation %q of app %d: %w", install, app, err)
	}
	return e, err
}

func (a *Attributor) explainInstall(ctx context.Context, app link.AppID, install string) (e Explained, err error) {
	var ok bool
	if e.Installation, ok, err = a.cfg.Store.ReadInstallation(ctx, app, install); err != nil {
		return e, err
	}
	if !ok {
		return e, fault.New(fault.NotFound, "app %d has no installation %q: it has not told its first open, or that is not decided yet", app, install)
	}
	if e.Decided, _, err = a.cfg.Store.ReadDecided(ctx, app, install, e.Installation.Conversion); err != nil {
		return e, err
	}
	later, err := a.cfg.Store.ListDecided(ctx, app, install, mostExplained+1)
	if err != nil {
		return e, err
	}
	for _, d := range later {
		if d.Conversion != e.Decided.Conversion {
			e.Later = append(e.Later, d)
		}
	}
	if e.LinkToldAt, _, err = a.cfg.Store.ReadHandedLink(ctx, app, install); err != nil {
		return e, err
	}
	e.Touches = map[uid.Click]history.Touch{}
	for id, at := range namedTouches(&e.Decided.Decision) {
		t, known, err := a.cfg.Store.ReadTouch(ctx, id, at)
		if err != nil {
			return e, err
		}
		if known {
			e.Touches[id] = t
		}
	}
	return e, nil
}

// namedTouches are those that a decision speaks of, with their times.
func namedTouches(d *attribution.Decision) map[uid.Click]time.Time {
	named := map[uid.Click]time.Time{}
	if d.Winner != nil {
		named[d.Winner.Touch] = d.Winner.At
	}
	for i := range d.Assists {
		named[d.Assists[i].Touch] = d.Assists[i].At
	}
	for _, r := range d.Rejected {
		named[r.Touch] = r.At
	}
	return named
}

// Text is the explanation in lines for people.
func (e *Explained) Text() []string {
	i := &e.Installation
	lines := []string{fmt.Sprintf("installation %s of app %d, first started %s, last active %s.", i.ID, i.App, textTime(i.At), textTime(i.LastActiveAt))}
	lines = append(lines, e.Decided.Decision.Explain()...)
	lines = append(lines, e.touchLines()...)
	if i.Reengagement != nil {
		lines = append(lines, fmt.Sprintf("won back by touch %s, %s.", i.Reengagement.Match.Touch, textTime(i.Reengagement.From)))
	}
	switch {
	case i.DeepLink == "":
	case e.LinkToldAt.IsZero():
		lines = append(lines, fmt.Sprintf("deferred deep link %q, not told yet, told until %s.", i.DeepLink, textTime(i.LinkUntil)))
	default:
		lines = append(lines, fmt.Sprintf("deferred deep link %q, told already, at %s; again until %s to a repetition of that open alone.", i.DeepLink, textTime(e.LinkToldAt), textTime(i.LinkUntil)))
	}
	for _, d := range e.Later {
		what := string(d.Kind)
		if d.Event != "" {
			what += " " + d.Event
		}
		lines = append(lines, fmt.Sprintf("later: %s, %s, %s.", what, textTime(d.Decision.At), verdictText(&d.Decision)))
	}
	return lines
}

// touchLines tells the touches in the order in which the decision does.
func (e *Explained) touchLines() (lines []string) {
	d := &e.Decided.Decision
	tell := func(id uid.Click) {
		if t, ok := e.Touches[id]; ok {
			lines = append(lines, "touch "+touchText(&t))
		} else {
			lines = append(lines, fmt.Sprintf("touch %s: forgotten.", id))
		}
	}
	if d.Winner != nil {
		tell(d.Winner.Touch)
	}
	for i := range d.Assists {
		tell(d.Assists[i].Touch)
	}
	for _, r := range d.Rejected {
		tell(r.Touch)
	}
	return lines
}

func touchText(t *history.Touch) string {
	parts := []string{fmt.Sprintf("%s: %s at %s", t.ID, t.Kind, textTime(t.At))}
	add := func(name, value string) {
		if value != "" {
			parts = append(parts, name+" "+value)
		}
	}
	if t.Source.Link != 0 {
		add("link", fmt.Sprint(t.Source.Link))
	}
	add("template", string(t.Template))
	add("source", t.Source.Name)
	add("campaign", t.Source.Campaign)
	add("on", strings.TrimSpace(t.Facts.Platform.String()+" "+t.Facts.OSVersion+" "+t.Facts.Model))
	return strings.Join(parts, ", ") + "."
}

func verdictText(d *attribution.Decision) string {
	switch {
	case d.Refusal != "":
		return fmt.Sprintf("refused by %s", d.Refusal)
	case d.Winner != nil:
		return fmt.Sprintf("credited to touch %s by %s", d.Winner.Touch, d.Winner.Method)
	}
	return string(d.Verdict)
}

func textTime(at time.Time) string { return at.UTC().Format("2006-01-02 15:04:05") }
