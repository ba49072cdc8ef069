package singular

import "waypost/ingest"

const statusOK = "ok"

// launched is the answer to a session. Its deferred deep link has the name of
// the S2S reference and the one that the SDK reads.
type launched struct {
	Status      string `json:"status"`
	DDL         string `json:"ddl,omitempty"`
	Deferred    string `json:"deferred_deeplink,omitempty"`
	Passthrough string `json:"deferred_passthrough,omitempty"`
	Resolved    string `json:"resolved_singular_link,omitempty"`
}

// launch takes a session. A deferred deep link that is not decided in time is
// told to the next session that asks.
func (t *telling) launch(r ingest.Report) (*launched, error) {
	answer := &launched{Status: statusOK}
	opened, err := t.opened()
	if err != nil {
		return nil, t.Intake.Refuse(err)
	}
	if opened != nil {
		if answer.Resolved, err = t.open(opened, &r); err != nil {
			return nil, err
		}
	}
	receipt, err := t.Intake.Open(t.request.Context(), r)
	if err != nil {
		return nil, err
	}
	if !t.said.is("ddl_enabled") {
		return answer, nil
	}
	if decided := t.Intake.Answer(t.request.Context(), receipt, t.Wait); decided.DeepLink != "" {
		answer.DDL, answer.Deferred = decided.DeepLink, decided.DeepLink
		if decided.Touch != nil {
			answer.Passthrough = passthroughOf(decided.Touch.Query)
		}
	}
	return answer, nil
}

// passthroughOf is what a click hands through to the app, as it was given.
func passthroughOf(rawQuery string) string {
	passed := ""
	for _, p := range readQuery(rawQuery) {
		if p.Name == queryPassthrough {
			passed = p.Value
		}
	}
	return passed
}
