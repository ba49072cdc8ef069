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
	manual, err := lawful(field+".manual", data.Manual, "ad_user_data_enabled", func(said json.RawMessage) bool {
		yes, ok := yesNo(said)
		return yes && ok
	})
	if err != nil {
		return "", err
	}
	tcf, err := lawful(field+".tcf", data.TCF, "tcstring", func(said json.RawMessage) bool { return tcfMeasures(looseText(said)) })
	if err != nil || tcf == attribution.No || manual == "" {
		return tcf, err
	}
	return manual, nil
}

// lawful is the answer of one form, empty where the law does not apply or the
// form does not speak. Whether it applies must be readable: a guess would take a
// refusal for none. Where that is not said, it is what the answer says.
func lawful(field string, form map[string]json.RawMessage, name string, permits func(json.RawMessage) bool) (attribution.Answer, error) {
	const law = "gdpr_applies"
	applies, ok := yesNo(form[law])
	switch {
	case !ok && blank(form[law]):
		if blank(form[name]) {
			return "", nil
		}
	case !ok:
		return "", fault.Bad(field+"."+law, fault.Malformed, "write true or false; got %q", shortened(looseText(form[law])))
	case !applies:
		return "", nil
	}
	return answer(permits(form[name])), nil
}

func blank(raw json.RawMessage) bool { return strings.TrimSpace(looseText(raw)) == "" }

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

// yesNo reads a boolean as clients write it; not ok where it is none.
func yesNo(raw json.RawMessage) (yes, ok bool) {
	switch strings.ToLower(strings.TrimSpace(looseText(raw))) {
	case "true", "1", "yes":
		return true, true
	case "false", "0", "no":
		return false, true
	}
	return false, false
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
