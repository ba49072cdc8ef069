package smartlinks

import (
	"time"

	"waypost/event"
	"waypost/ingest"
	"waypost/internal/fault"
)

// referrer reads what the store's install referrer API said: the text alone, or
// the object that the vendor's SDK makes of it; nil where there is none. What is
// neither is refused, because the credit in it would be lost.
func (m *message) referrer(r *ingest.Report) (found *ingest.Referrer, err error) {
	for _, field := range []string{"install_referrer", "conversion_data"} {
		one, err := m.referrerIn(field, r)
		if err != nil {
			return nil, err
		}
		if found == nil || found.Raw == "" && one != nil && one.Raw != "" {
			found = one
		}
	}
	return found, nil
}

// referrerIn reads a field that may hold a referrer. The object may be JSON in a text.
func (m *message) referrerIn(field string, r *ingest.Report) (*ingest.Referrer, error) {
	holder := m.holder(field)
	if holder.isBlank(field) {
		return nil, nil
	}
	raw, name := holder.raw(field), holder.name(field)
	if raw[0] == '"' {
		text := holder.loose(field)
		object, ok := ingest.ReferrerJSON(text)
		switch {
		case !ok:
			return nil, noReferrer(name)
		case object == "":
			return &ingest.Referrer{Raw: text}, nil
		}
		raw = []byte(object)
	}
	o, err := parseObject(raw)
	if err != nil {
		return nil, noReferrer(name).Because(err)
	}
	o.at = name + "."
	return o.readReferrer(r)
}

// readReferrer reads the object of the vendor's SDK, which also comes without a
// referrer where the store knows none. An instant that is none is flagged.
func (o object) readReferrer(r *ingest.Report) (*ingest.Referrer, error) {
	text := o.loose("referrer")
	if object, ok := ingest.ReferrerJSON(text); !ok || object != "" || !o.isBlank("referrer") && o.raw("referrer")[0] != '"' {
		return nil, noReferrer(o.name("referrer"))
	}
	instant := func(name string) time.Time { return o.instant(name, r, event.ReferrerFlag) }
	return &ingest.Referrer{
		Raw: text, ClickAt: instant("referrer_click_time"), InstallBeginAt: instant("install_begin_time"),
		ClickServerAt: instant("referrer_click_time_server"), InstallBeginServerAt: instant("install_begin_time_server"),
	}, nil
}

func noReferrer(name string) *fault.Error {
	return fault.Bad(name, fault.Malformed, `must be the store's referrer as it is, or an object such as {"referrer":"…"}`)
}
