package onelink

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"waypost/attribution/history"
	"waypost/internal/device"
	"waypost/internal/fault"
	"waypost/link"
)

// appField is the Field of faults about the app that a path names.
const appField = "app_id"

// iosPrefix stands before an Apple store id in the vendor's app ids.
const iosPrefix = "id"

// wireIDs finds apps by the vendor's ids of them, in one state of the directory.
type wireIDs struct {
	directory *link.Directory
	apps      map[string][]*link.App
}

// wireID is what the vendor calls an app: "id" and the store's number for
// Apple's systems, the package for Android's, the store's id for the others.
func wireID(a *link.App) string {
	switch {
	case a.Platform == device.IOS || a.Platform == device.AppleTV:
		if a.StoreID == "" {
			return ""
		}
		return iosPrefix + strings.TrimPrefix(a.StoreID, iosPrefix)
	case a.Package != "":
		return a.Package
	case a.StoreID != "":
		return a.StoreID
	}
	return a.BundleID
}

// appsNamed returns the apps with the id, of any account.
func (in *Ingest) appsNamed(d *link.Directory, id string) []*link.App {
	known := in.apps.Load()
	if known == nil || known.directory != d {
		known = &wireIDs{d, map[string][]*link.App{}}
		for i := range d.Catalog.Apps {
			if called := wireID(&d.Catalog.Apps[i]); called != "" {
				known.apps[called] = append(known.apps[called], &d.Catalog.Apps[i])
			}
		}
		in.apps.Store(known)
	}
	return known.apps[id]
}

// holder returns who holds the secret, which may write somewhere. An unknown one
// is shown to the account of the app that the report names.
func (in *Ingest) holder(d *link.Directory, secret, app string) (*link.Token, link.AccountID, error) {
	actor, err := in.Tokens.Authenticate(secret)
	if err != nil {
		if fault.Is(err, fault.Unauthorized) && secret != "" {
			in.Intake.NoteUnknown(in.owner(d, app), history.UnknownKey, hint(secret))
		}
		return nil, 0, err
	}
	if !mayWrite(actor.Token) {
		return nil, 0, fault.New(fault.Unauthorized, "the token may only read")
	}
	return actor.Token, actor.Account, nil
}

// permitted returns the app with the id that the token may report for, or nil.
func (in *Ingest) permitted(d *link.Directory, t *link.Token, id string, on func(device.Platform) bool) *link.App {
	for _, app := range in.appsNamed(d, id) {
		for i := range t.Grants {
			if g := &t.Grants[i]; g.Account == app.Account && g.Role.Includes(link.Write) && covers(d, g, app.ID) && on(app.Platform) {
				return app
			}
		}
	}
	return nil
}

// covers reports whether a grant extends to an app: where it names app groups,
// one of them must have the app.
func covers(d *link.Directory, g *link.Grant, app link.AppID) bool {
	if len(g.AppGroups) == 0 {
		return true
	}
	for _, id := range g.AppGroups {
		group := d.Group(id)
		if group == nil || group.Archived {
			continue
		}
		for _, a := range group.Apps {
			if a.ID == app {
				return true
			}
		}
	}
	return false
}

func anyPlatform(device.Platform) bool { return true }

// onPlatform accepts apps of the platform. Amazon's devices run Android apps,
// and the vendor has no name for them.
func onPlatform(p device.Platform) func(device.Platform) bool {
	return func(of device.Platform) bool {
		return of == p || p == device.Android && (of == device.FireOS || of == device.AndroidTV || of == device.FireTV) ||
			p == device.IOS && of == device.AppleTV
	}
}

// lack reports whether no account of the token has such an app: one that is
// there, and out of the token's reach, is not unknown.
func (in *Ingest) lack(d *link.Directory, t *link.Token, id string, on func(device.Platform) bool) bool {
	return !slices.ContainsFunc(in.appsNamed(d, id), func(app *link.App) bool {
		return on(app.Platform) && slices.ContainsFunc(t.Grants, func(g link.Grant) bool { return g.Account == app.Account })
	})
}

// hint is what is shown of an unknown token, which may be a known one with a slip
// of the pen: enough to find it in a set-up, too little to guess it.
func hint(secret string) string {
	const shown, least = 4, 12 // characters
	text := []rune(secret)
	if len(text) < least {
		return "token …"
	}
	return "token " + string(text[:shown]) + "…"
}

// owner is the account that alone has apps of the id, which may lack Apple's
// "id"; zero where nobody or several have.
func (in *Ingest) owner(d *link.Directory, id string) link.AccountID {
	var owner link.AccountID
	for _, app := range slices.Concat(in.appsNamed(d, id), in.appsNamed(d, iosPrefix+id)) {
		if owner != 0 && owner != app.Account {
			return 0
		}
		owner = app.Account
	}
	return owner
}

// signer is the account whose SDK secret makes the signature; zero where none
// does. It looks at no more than mostSigners: who asks may be anybody.
func signer(d *link.Directory, signature []byte, text string) link.AccountID {
	accounts := d.Catalog.Accounts
	for i := range accounts[:min(len(accounts), mostSigners)] {
		if a := &accounts[i]; a.SDKSecret != "" && hmac.Equal(signature, sign(a.SDKSecret, text)) {
			return a.ID
		}
	}
	return 0
}

// mostSigners keeps looking for a signer below a quarter of a millisecond.
const mostSigners = 256

// called is how an unknown app is shown: with what would be right, where an Apple
// id lacks its beginning.
func called(id string) string {
	if strings.Trim(id, "0123456789") != "" {
		return id
	}
	return id + " (write " + iosPrefix + id + ")"
}

// signed returns the app with the id whose account's SDK secret makes the
// signature of the text. Of several accounts with such an app the signature tells.
func (in *Ingest) signed(d *link.Directory, id, signature, text string, on func(device.Platform) bool) (*link.App, error) {
	sent, err := hex.DecodeString(strings.ToLower(strings.TrimSpace(signature)))
	known := false
	for _, app := range in.appsNamed(d, id) {
		if !on(app.Platform) {
			continue
		}
		known = true
		account := d.Account(app.Account)
		if err == nil && account != nil && account.SDKSecret != "" && hmac.Equal(sent, sign(account.SDKSecret, text)) {
			return app, nil
		}
	}
	if !known {
		in.Intake.NoteUnknown(cmp.Or(signer(d, sent, text), in.owner(d, id)), history.UnknownApp, called(id))
		return nil, &fault.Error{Kind: fault.NotFound, Field: appField, Reason: fault.Unknown, Message: "no such app; an Apple id begins with \"id\""}
	}
	in.counters.badSignatures.Add(1)
	return nil, &fault.Error{Kind: fault.Unauthorized, Field: signatureField, Reason: fault.Malformed,
		Message: "write the HMAC-SHA256, in hex, under the account's SDK secret"}
}

// signatureField is the vendor's name of a signature.
const signatureField = "af_sig"

func sign(secret, text string) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(text))
	return mac.Sum(nil)
}
