package onelink

import (
	"strconv"
	"strings"
	"time"

	"waypost/attribution"
)

// windows fills in what the link asks for. Windows that cannot be read are not
// asked for; those that are too long are cut by attribution.
func (s *said) windows(t *attribution.Touchpoint) {
	if d, ok := parseWindow(s.value(paramClickLookback)); ok && d > 0 {
		t.Lookbacks.ClickDeterministic = attribution.Lookback(d)
		// The vendor has one click window for new and for won-back people.
		t.Lookbacks.Reengagement = attribution.Lookback(d)
	}
	if d, ok := parseWindow(s.value(paramViewLookback)); ok && d > 0 {
		t.Lookbacks.ViewDeterministic = attribution.Lookback(d)
	}
	if text := s.value(paramEventWindow); strings.EqualFold(text, "lifetime") {
		t.EventWindow = attribution.Forever
	} else if d, ok := parseWindow(text); ok {
		t.EventWindow = min(d, longestEventWindow)
	}
	if d, ok := parseWindow(s.value(paramInactivity)); ok {
		t.CountActive = d == 0
	}
}

// longestEventWindow is the vendor's, short of a lifetime.
const longestEventWindow = 90 * 24 * time.Hour

// parseWindow reads "7d" or "12h": digits and a unit, as the vendor writes
// windows. A zero is read, too.
func parseWindow(text string) (time.Duration, bool) {
	if len(text) < 2 || len(text) > 5 {
		return 0, false
	}
	var unit time.Duration
	switch text[len(text)-1] {
	case 'd', 'D':
		unit = 24 * time.Hour
	case 'h', 'H':
		unit = time.Hour
	default:
		return 0, false
	}
	n, err := strconv.ParseUint(text[:len(text)-1], 10, 16)
	return time.Duration(n) * unit, err == nil
}

// ownedExperiences are values of af_xp: what the vendor's dashboard calls the
// experience that a link was made for. "custom" says nothing.
var ownedExperiences = words("email", "sms", "text", "qr", "social", "referral", "app", "web", "push")

// ownedSources are media sources that are the account's own by what they are
// called, compared by their letters alone.
var ownedSources = words("email", "mail", "newsletter", "crm", "sms", "text", "push", "pushnotification", "whatsapp", "qr", "qrcode",
	"organicsocial", "socialorganic", "website", "web", "smartbanner", "smartscript", "afappinvites", "appinvites", "userinvite", "referral",
	"afcrosspromotion", "crosspromotion", "inapp")

func words(list ...string) map[string]bool {
	set := make(map[string]bool, len(list))
	for _, w := range list {
		set[w] = true
	}
	return set
}

// isOwned reports whether the click comes from the account's own media. What
// costs money or comes through an agency or a network does not; of the rest,
// the kind of link tells, or the name of its source. In doubt it is not owned.
func (s *said) isOwned() bool {
	source := s.value(paramSource)
	if s.value(paramAgency) != "" || s.value(paramCostModel) != "" || s.value(paramCostValue) != "" ||
		strings.HasSuffix(strings.ToLower(source), integratedSuffix) {
		return false
	}
	return ownedExperiences[letters(s.value(paramExperience))] || s.is(paramQR, "true") || ownedSources[letters(source)]
}

// letters keeps the ASCII letters of a text, in small ones.
func letters(text string) string {
	return strings.Map(func(c rune) rune {
		if c |= 0x20; c >= 'a' && c <= 'z' {
			return c
		}
		return -1
	}, text)
}
