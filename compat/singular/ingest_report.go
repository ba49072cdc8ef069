package singular

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"waypost/event"
	"waypost/ingest"
	"waypost/internal/device"
	"waypost/link"
	"waypost/privacy"
)

// Parameters of the S2S reference that stand in more than one place here.
const (
	paramKey        = "a"
	paramBundle     = "i"
	paramEventName  = "n"
	paramAttributes = "e"
	paramUser       = "custom_user_id"
	paramReferrer   = "install_ref"
	paramOpened     = "openuri"
	paramMillis     = "umilisec"
	paramSeconds    = "utime"
)

// telling is one request on its way to a report.
type telling struct {
	*Ingest
	request *http.Request
	endpoint
	said     filled
	account  *link.Account
	platform device.Platform // Unknown: the app tells
}

// report translates the request. Its checks are in the vendor's order.
func (t *telling) report() (ingest.Report, error) {
	if err := t.check(); err != nil {
		return ingest.Report{}, err
	}
	ids, err := t.devices()
	if err != nil {
		return ingest.Report{}, err
	}
	consent, err := consentOf(t.said)
	if err != nil {
		return ingest.Report{}, err
	}
	r := ingest.Report{
		Dialect: link.Singular, App: t.app(), Install: ingest.InstallOf(ids), IDs: ids, User: t.said[paramUser], Consent: consent,
		Device: ingest.Device{
			Platform: t.platform, OS: t.said[queryVersion], Model: t.said["mo"], Locale: t.said[queryLocale], Country: t.said["country"],
		},
		Agent: t.said[queryAgent], AppVersion: t.said["app_v"], SDK: t.said["sdk"],
	}
	t.takeTime(&r)
	t.takeAddresses(&r)
	if t.event {
		attributes := t.attributes()
		r.Name = t.said[paramEventName]
		r.Amount, r.Currency = revenue(t.said, attributes)
		r.Params = t.said.rest(attributes, eventParams)
		return r, nil
	}
	r.First = t.said.is("install")
	r.OpenedURL = t.said[paramOpened]
	r.Params = t.said.rest(nil, launchParams)
	if err := takeReferrer(t.said[paramReferrer], &r); err != nil {
		return ingest.Report{}, err
	}
	return r, nil
}

func flag(r *ingest.Report, name string) {
	if !slices.Contains(r.Flags, name) {
		r.Flags = append(r.Flags, name)
	}
}

// check asks for what must be there: the key, the platform, the app, and an
// event's name.
func (t *telling) check() (err error) {
	if t.said[paramKey] == "" {
		return missingArgument(paramKey)
	}
	if t.account, err = t.Intake.Account(ingest.AppRef{Key: t.said[paramKey], Name: t.said[paramBundle]}); err != nil {
		return err
	}
	if t.said[queryPlatform] == "" {
		return missingArgument(queryPlatform)
	}
	var known bool
	if t.platform, known = platformOf(t.said[queryPlatform]); !known {
		return noPlatform(t.said[queryPlatform])
	}
	if t.platform == device.Android && t.said["amid"] != "" && t.said["aifa"] == "" {
		t.platform = device.FireOS // which the reference calls Android, and ingest takes for it where there is no app of its own
	}
	if t.said[paramBundle] == "" {
		return missingArgument(paramBundle)
	}
	if t.event && t.said[paramEventName] == "" {
		return missingArgument(paramEventName)
	}
	return nil
}

// app names the app. A website is known by its address, which the Links API
// shows as its public id.
func (t *telling) app() ingest.AppRef {
	ref := ingest.AppRef{Key: t.said[paramKey], Name: t.said[paramBundle], Platform: t.platform}
	if t.platform != device.Web {
		return ref
	}
	apps := t.Directory().Catalog.Apps
	for i := range apps {
		if app := &apps[i]; app.Account == t.account.ID && app.Platform == device.Web && isSite(app.URL, ref.Name) {
			return ingest.AppRef{Key: ref.Key, ID: app.ID}
		}
	}
	return ref
}

// isSite reports whether a name means a website: its address, or its host.
func isSite(address, name string) bool {
	host := link.Host(address)
	if u, err := url.Parse(name); err == nil && u.Host != "" {
		name = u.Hostname()
	}
	return host != "" && strings.EqualFold(strings.TrimPrefix(name, "www."), strings.TrimPrefix(host, "www."))
}

// takeTime sets when it happened and what a repetition is known by. Without a
// time in it an identical request may be a repetition or another session, so
// it is a repetition within the hour.
func (t *telling) takeTime(r *ingest.Report) {
	for _, name := range []string{paramMillis, paramSeconds} {
		at, err := ingest.ParseTime(name, t.said[name])
		if err != nil && r.At.IsZero() {
			flag(r, event.ClockFlag)
		}
		if r.At.IsZero() {
			r.At = at
		}
	}
	what := "launch"
	if t.event {
		what = "evt"
	}
	if t.said[paramMillis] == "" && t.said[paramSeconds] == "" {
		what += t.Now().UTC().Truncate(time.Hour).Format(time.RFC3339)
	}
	r.Key = t.said.key(what)
}

// takeAddresses sets the device's addresses. The sender's is the device's only
// where it says so: most senders are servers.
func (t *telling) takeAddresses(r *ingest.Report) {
	for _, name := range []string{queryAddress, "ipv6"} {
		if t.said[name] == "" {
			continue
		}
		if a, err := privacy.ParseAddress(t.said[name]); err == nil {
			r.Addresses = append(r.Addresses, a)
		} else {
			flag(r, event.AddressFlag)
		}
	}
	if len(r.Addresses) == 0 && t.said.is("use_ip") {
		r.Addresses = ingest.AddressList(t.Address(t.request))
	}
}
