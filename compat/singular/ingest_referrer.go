package singular

import (
	"strings"
	"time"

	"waypost/event"
	"waypost/ingest"
)

// takeReferrer reads install_ref: a JSON object with what the store's API said,
// whose names clients spell differently, or the referrer alone. An instant that
// is none is flagged; what begins as JSON and is no such object is refused,
// because the referrer in it would be lost.
func takeReferrer(text string, r *ingest.Report) error {
	if text == "" {
		return nil
	}
	members, isObject, err := referrerObject(text)
	if err != nil {
		return err
	}
	if !isObject {
		r.Referrer = &ingest.Referrer{Raw: text}
		return nil
	}
	said := filled{}
	for _, m := range members {
		name := plainName(m.name)
		if blank(m.value) {
			continue
		}
		if said[name] = strings.TrimSpace(looseText(m.value)); referrerNames[name] && (m.value[0] != '"' || ingest.OpensJSON(said[name])) {
			return noReferrer()
		}
	}
	at := func(names ...string) time.Time {
		t, err := ingest.ParseTime(paramReferrer, said.first(names...))
		if err != nil {
			flag(r, event.ReferrerFlag)
		}
		return t
	}
	r.Referrer = &ingest.Referrer{
		Raw:                  said.first("referrer", "installreferrer", "googleinstallreferrer"),
		ClickAt:              at("clicktimestampseconds", "referrerclicktimestampseconds"),
		ClickServerAt:        at("clicktimestampserverseconds", "referrerclicktimestampserverseconds", "clicktimestampsecondsserver"),
		InstallBeginAt:       at("installbegintimestampseconds"),
		InstallBeginServerAt: at("installbegintimestampserverseconds", "installbegintimestampsecondsserver"),
	}
	return nil
}

var referrerNames = map[string]bool{"referrer": true, "installreferrer": true, "googleinstallreferrer": true}

// referrerObject reads a text that begins as JSON does, which must be an object then.
func referrerObject(text string) (members []member, isObject bool, err error) {
	object, ok := ingest.ReferrerJSON(text)
	if ok && object == "" {
		return nil, false, nil
	}
	if members, err = parseObject([]byte(object)); !ok || err != nil {
		return nil, false, noReferrer()
	}
	return members, true, nil
}

func noReferrer() error {
	return wrong(paramReferrer, `it must be the store's referrer as it is, or a JSON object such as {"referrer":"…"}`)
}

// plainName is a name without its case and the marks between its words.
func plainName(name string) string {
	return strings.NewReplacer("_", "", "-", "", " ", "").Replace(strings.ToLower(name))
}
