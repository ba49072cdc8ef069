package onelink

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"waypost/attribution"
	"waypost/internal/fault"
)

// saidConsent is what one report says of a person's answers. Empty ones are
// not spoken of.
type saidConsent struct {
	tracking    attribution.Answer // Apple's question
	measurement attribution.Answer // the law's
	sharesID    attribution.Answer // the device's switch, turned round
}

// readConsent reads att, aie and consent_data of an in-app event.
func readConsent(fields map[string]json.RawMessage) (saidConsent, error) {
	var s saidConsent
	switch att := looseText(fields["att"]); letters(att) + digits(att) {
	case "", "0", "notdetermined":
	case "1", "2", "restricted", "denied":
		s.tracking = attribution.No
	case "3", "authorized":
		s.tracking = attribution.Yes
	default:
		return s, fault.Bad("att", fault.Malformed, "write 0 to 3, as ATTrackingManager has it; got %q", shortened(att))
	}
	switch aie := strings.ToLower(strings.TrimSpace(looseText(fields["aie"]))); aie {
	case "":
	case "true", "1":
		s.sharesID = attribution.Yes
	case "false", "0":
		s.sharesID = attribution.No
	default:
		return s, fault.Bad("aie", fault.Malformed, "write true or false; got %q", shortened(aie))
	}
	var err error
	s.measurement, err = readConsentData(fields["consent_data"])
	return s, err
}

// readConsentData reads the answers that the law demands. Where the law applies
// and does not find a clear yes, it is a no. Where both forms are there, both
// must say yes.
func readConsentData(raw json.RawMessage) (attribution.Answer, error) {
	if !given(raw) {
		return "", nil
	}
	const field = "consent_data"
	var data struct {
		Manual map[string]json.RawMessage `json:"manual"`
		TCF    map[string]json.RawMessage `json:"tcf"`
	}
	if err := json.Unmarshal(raw, &data); err != nil {
		return "", fault.Bad(field, fault.Malformed, `write {"manual":{…}} or {"tcf":{…}}`).Because(err)
	}
	if data.Manual == nil && data.TCF == nil {
		return "", fault.Bad(field, fault.Malformed, `write {"manual":{…}} or {"tcf":{…}}`)
	}
	var answers []attribution.Answer
	if data.Manual != nil && isTrue(data.Manual["gdpr_applies"]) {
		answers = append(answers, answer(isTrue(data.Manual["ad_user_data_enabled"])))
	}
	if data.TCF != nil && isTrue(data.TCF["gdpr_applies"]) {
		answers = append(answers, answer(tcfMeasures(looseText(data.TCF["tcstring"]))))
	}
	for _, a := range answers {
		if a == attribution.No {
			return a, nil
		}
	}
	if len(answers) > 0 {
		return attribution.Yes, nil
	}
	return "", nil
}

func answer(yes bool) attribution.Answer {
	if yes {
		return attribution.Yes
	}
	return attribution.No
}

// digits keeps the digits of a text.
func digits(text string) string {
	return strings.Map(func(c rune) rune {
		if c >= '0' && c <= '9' {
			return c
		}
		return -1
	}, text)
}

func isTrue(raw json.RawMessage) bool {
	text := strings.ToLower(looseText(raw))
	return text == "true" || text == "1"
}

// Bits of the core of a TC string, version 2 (IAB Europe, "Consent string and
// vendor list formats v2"): consent to purpose 1 stands at 152, the others follow.
const (
	tcfVersionBits  = 6
	tcfVersion      = 2
	tcfFirstPurpose = 152
	purposeStore    = 1 // to store and read on the device
	purposeMeasure  = 7 // to measure advertising
)

// tcfMeasures reports whether a person permits to measure advertising with
// what is stored on his device. A text that is no TC string permits nothing.
func tcfMeasures(text string) bool {
	core, _, _ := strings.Cut(text, ".")
	bits, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(core, "="))
	if err != nil || len(bits)*8 < tcfFirstPurpose+purposeMeasure || bits[0]>>(8-tcfVersionBits) != tcfVersion {
		return false
	}
	at := func(purpose int) bool {
		bit := tcfFirstPurpose + purpose - 1
		return bits[bit/8]>>(7-bit%8)&1 == 1
	}
	return at(purposeStore) && at(purposeMeasure)
}
