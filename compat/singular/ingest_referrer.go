package singular

import (
	"strings"
	"time"

	"waypost/ingest"
)

// referrerOf reads install_ref: a JSON object with what the store's API said,
// whose names clients spell differently, or the referrer alone. Nil: there is none.
func referrerOf(text string) *ingest.Referrer {
	if text == "" {
		return nil
	}
	members, err := parseObject([]byte(text))
	if err != nil {
		return &ingest.Referrer{Raw: text}
	}
	said := filled{}
	for _, m := range members {
		if !blank(m.value) {
			said[plainName(m.name)] = strings.TrimSpace(looseText(m.value))
		}
	}
	at := func(names ...string) time.Time {
		t, err := ingest.ParseTime(paramReferrer, said.first(names...))
		if err != nil {
			return time.Time{}
		}
		return t
	}
	return &ingest.Referrer{
		Raw:                  said.first("referrer", "installreferrer", "googleinstallreferrer"),
		ClickAt:              at("clicktimestampseconds", "referrerclicktimestampseconds"),
		ClickServerAt:        at("clicktimestampserverseconds", "referrerclicktimestampserverseconds", "clicktimestampsecondsserver"),
		InstallBeginAt:       at("installbegintimestampseconds"),
		InstallBeginServerAt: at("installbegintimestampserverseconds", "installbegintimestampsecondsserver"),
	}
}

// plainName is a name without its case and the marks between its words.
func plainName(name string) string {
	return strings.NewReplacer("_", "", "-", "", " ", "").Replace(strings.ToLower(name))
}
