package link

import (
	"encoding/json"
	"strings"
	"time"
)

// Source says what made a link. It decides which API may change it.
type Source string

// Sources.
const (
	SourceV1   Source = "v1"   // OneLink API v1
	SourceV2   Source = "v2"   // OneLink API v2.0, and our bulk form
	SourceUI   Source = "ui"   // the dashboard
	SourceBulk Source = "bulk" // an uploaded file
	SourceSDK  Source = "sdk"  // an app's invitation
)

// Param is one name and value, decoded, in the order it was given.
type Param struct {
	Name, Value string
}

// Path is where a link answers: "template/code" for links made from a
// template, "//host/path" for links that own a path of a host. It is unique
// in the whole installation and case-sensitive.
type Path string

// TemplatePath returns the Path of a template's link.
func TemplatePath(t TemplateID, code string) Path {
	return Path(string(t) + "/" + code)
}

// MaxCode is the longest link code (OneLink API, "URL ID").
const MaxCode = 50

// ValidCode reports whether a code may stand in a link's path. The vendor's
// text says letters and numbers, its own example has underscores.
func ValidCode(code string) bool {
	return validWord(code, MaxCode, true)
}

// ValidTemplateID reports whether id may name a template.
func ValidTemplateID(id TemplateID) bool {
	return validWord(string(id), 32, false)
}

func validWord(s string, most int, punctuation bool) bool {
	if s == "" || len(s) > most {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
		case punctuation && (c == '_' || c == '-'):
		default:
			return false
		}
	}
	return true
}

// Link is a URL with routes, whatever API made it.
type Link struct {
	ID       LinkID
	Account  AccountID
	Dialect  Dialect
	Template TemplateID
	Code     string
	Path     Path
	Source   Source
	Brand    string // host of the branded domain it was made for; empty for the template's own
	// Data is the dialect's own description of the link: a JSON object as its
	// client sent it. The dialect turns it into routes.
	Data  json.RawMessage
	TTL   time.Duration // zero: never expires
	Renew bool          // clicks push ExpiresAt to their time plus TTL

	ExpiresAt time.Time // zero: never
	CreatedAt time.Time
	UpdatedAt time.Time
	// TargetHosts are the hosts that Data sends people to; stores remember
	// them for the account when the link is saved. Not read back.
	TargetHosts []string
	// Base is the path of the link that this one stands for with parameters of
	// its own (Data holds them); empty for links of their own. What Base leads to
	// is looked up at each click.
	Base Path
	// Listing is nil for links that are known by their path alone.
	Listing *Listing
}

// Taken says what kept a new link from being stored.
type Taken uint8

// What a new link may find taken.
const (
	Free          Taken = iota
	PathTaken           // another link that has not expired answers there
	IdentityTaken       // another link that is not archived has its Listing.Identity
)

// Archived reports whether the link was put away: it goes on to send people on.
func (l *Link) Archived() bool { return l.Listing != nil && l.Listing.Archived }

// HostPath returns the Path of a link that owns a path of a host. The path has
// no slash at its front.
func HostPath(host, path string) Path { return Path("//" + host + "/" + path) }

// SplitHost returns the host and the path of a HostPath; ok is false for others.
func (p Path) SplitHost() (host, path string, ok bool) {
	rest, ok := strings.CutPrefix(string(p), "//")
	if !ok {
		return "", "", false
	}
	return strings.Cut(rest, "/")
}

// Expired reports whether the link's time is over at now.
func (l *Link) Expired(now time.Time) bool {
	return !l.ExpiresAt.IsZero() && !now.Before(l.ExpiresAt)
}

// ExpiryGrace is how long an expired link can still be revived by an update
// before it is swept away (OneLink API: up to 48 hours).
const ExpiryGrace = 48 * time.Hour
