package ingest

import (
	"slices"
	"strconv"
	"strings"

	"waypost/attribution/history"
	"waypost/internal/device"
	"waypost/internal/fault"
	"waypost/link"
)

// Fields that faults of this package name. Dialects translate them to their own.
const (
	FieldKey      = "app_key"
	FieldApp      = "app"
	FieldPlatform = "platform"
	FieldInstall  = "install"
	FieldEventID  = "event_id"
	FieldName     = "name"
	FieldUser     = "user"
	FieldReferrer = "referrer"
	FieldOpened   = "open_url"
	FieldToken    = "clipboard_token"
	FieldParams   = "params"
	FieldIDs      = "ids"
	FieldConsent  = "consent"
	FieldQuery    = "query"
	FieldWithhold = "withhold"
)

// AppRef names an app the way a report does: by ID or GUID, or by a Name
// inside the account that Key or Account names. Everything that is set must hold.
type AppRef struct {
	ID   link.AppID
	GUID string
	// Key is the account's public SDK key.
	Key string
	// Account is who the caller has proved to be; zero: nobody.
	Account link.AccountID
	// Name is a bundle id, package, store id (with or without "id" before it), GUID or number.
	Name string
	// Platform tells apps of one Name apart. Without a Name it is the account's only app of the platform.
	Platform device.Platform
}

// names finds apps by what reports call them, in one state of the directory.
type names struct {
	directory *link.Directory
	keys      map[string]*link.Account
	guids     map[string]*link.App
	owners    map[string]link.AccountID // of an app's name; zero where several have one of it
	apps      map[appName][]*link.App
	stores    map[storeName][]*link.App
}

// storeName is an app's name in the store of its platform.
type storeName struct {
	platform device.Platform
	id       string // as the store writes it
}

type appName struct {
	account link.AccountID
	name    string
}

func newNames(d *link.Directory) *names {
	n := &names{d, map[string]*link.Account{}, map[string]*link.App{}, map[string]link.AccountID{}, map[appName][]*link.App{}, map[storeName][]*link.App{}}
	for i := range d.Catalog.Accounts {
		if a := &d.Catalog.Accounts[i]; a.SDKKey != "" {
			n.keys[a.SDKKey] = a
		}
	}
	for i := range d.Catalog.Apps {
		a := &d.Catalog.Apps[i]
		if a.GUID != "" {
			n.guids[a.GUID] = a
		}
		var seen []string
		for _, name := range []string{a.BundleID, a.Package, a.StoreID, a.GUID, strconv.FormatInt(int64(a.ID), 10)} {
			if name == "" || slices.Contains(seen, name) {
				continue
			}
			seen = append(seen, name)
			key := appName{a.Account, name}
			n.apps[key] = append(n.apps[key], a)
			n.own(name, a.Account)
		}
		if a.StoreID != "" {
			store := storeName{a.Platform, strings.TrimPrefix(a.StoreID, "id")}
			n.stores[store] = append(n.stores[store], a)
		}
		key := appName{a.Account, ""}
		n.apps[key] = append(n.apps[key], a)
	}
	return n
}

// own notes that an account has an app of the name.
func (n *names) own(name string, account link.AccountID) {
	if owner, known := n.owners[name]; known && owner != account {
		account = 0
	}
	n.owners[name] = account
}

// meant is the account whose app a report names, whatever key it has; zero where
// it names none, or several accounts have such an app.
func (n *names) meant(ref AppRef) link.AccountID {
	if app := n.directory.App(ref.ID); app != nil {
		return app.Account
	}
	if app := n.guids[ref.GUID]; app != nil {
		return app.Account
	}
	return n.owners[ref.Name]
}

// known returns the index of the directory's present state.
func (s *Service) known() *names {
	d := s.cfg.Directory()
	if n := s.names.Load(); n != nil && n.directory == d {
		return n
	}
	n := newNames(d)
	s.names.Store(n)
	return n
}

// Account returns the account with the SDK key of ref, for dialects that check a
// signature before they read on; a NotFound fault when there is none. Such a key
// is counted, and shown to the account whose app ref names, if it is one alone.
func (s *Service) Account(ref AppRef) (*link.Account, error) {
	if ref.Key == "" {
		return nil, fault.Bad(FieldKey, fault.Missing, "the account's SDK key is missing")
	}
	n := s.known()
	if a := n.keys[ref.Key]; a != nil {
		return a, nil
	}
	s.NoteUnknown(n.meant(ref), history.UnknownKey, ref.Key)
	return nil, &fault.Error{Kind: fault.NotFound, Field: FieldKey, Reason: fault.Unknown, Message: "no account has this SDK key"}
}

// FindApp returns the app that ref names, and its account. What is unknown is
// a NotFound fault, and counted.
func (s *Service) FindApp(ref AppRef) (*link.App, *link.Account, error) {
	n := s.known()
	account := ref.Account
	if ref.Key != "" {
		owner, err := s.Account(ref)
		if err != nil {
			return nil, nil, err
		}
		if account != 0 && account != owner.ID {
			return nil, nil, s.unknown(account, FieldKey, "", "this SDK key is another account's")
		}
		account = owner.ID
	}
	app, err := s.choose(n, account, ref)
	if err != nil {
		return nil, nil, err
	}
	owner := n.directory.Account(app.Account)
	if owner == nil {
		return nil, nil, s.unknown(app.Account, FieldApp, ref.GUID, "the app belongs to no account")
	}
	return app, owner, nil
}

func (s *Service) choose(n *names, account link.AccountID, ref AppRef) (*link.App, error) {
	if ref.ID != 0 || ref.GUID != "" {
		app, called := n.directory.App(ref.ID), strconv.FormatInt(int64(ref.ID), 10)
		if ref.ID == 0 {
			app, called = n.guids[ref.GUID], ref.GUID
		}
		if app == nil || account != 0 && app.Account != account || ref.ID != 0 && ref.GUID != "" && app.GUID != ref.GUID {
			return nil, s.unknown(account, FieldApp, called, "no such app")
		}
		return app, nil
	}
	if account == 0 {
		return nil, fault.Bad(FieldKey, fault.Missing, "the account's SDK key is missing")
	}
	if ref.Name == "" && ref.Platform == device.Unknown {
		return nil, fault.Bad(FieldApp, fault.Missing, "name the app: its bundle id, package, store id or number")
	}
	found := n.apps[appName{account, ref.Name}]
	if len(found) == 0 {
		found = n.apps[appName{account, strings.TrimPrefix(ref.Name, "id")}]
	}
	if ref.Platform != device.Unknown {
		found = ofPlatform(found, ref.Platform)
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) == 0:
		return nil, s.unknown(account, FieldApp, ref.Name, "the account has no such app")
	case ref.Platform == device.Unknown:
		return nil, fault.Bad(FieldPlatform, fault.Missing, "the account has apps of this name on several platforms: say which")
	}
	return nil, fault.Bad(FieldApp, fault.Malformed, "the account has several such apps: name one by its number")
}

// ofPlatform are the apps of a platform. Fire OS runs Android's apps where it
// has none of its own.
func ofPlatform(apps []*link.App, p device.Platform) []*link.App {
	var found []*link.App
	for _, a := range apps {
		if a.Platform == p {
			found = append(found, a)
		}
	}
	if len(found) == 0 && p == device.FireOS {
		return ofPlatform(apps, device.Android)
	}
	return found
}

func (s *Service) unknown(account link.AccountID, field, name, message string) error {
	s.NoteUnknown(account, history.UnknownApp, name)
	return &fault.Error{Kind: fault.NotFound, Field: field, Reason: fault.Unknown, Message: message}
}
