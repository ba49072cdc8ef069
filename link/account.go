// Package link holds the nouns of a link platform: accounts, apps, domains,
// templates, partners and links. It does no I/O. Stores fill these types,
// manage guards them, and the click path reads them through a Directory.
package link

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"waypost/internal/device"
)

// Ids are numbers that API clients see. Zero means "not assigned".
type (
	AccountID  int64
	AgencyID   int64
	AppID      int64
	AppGroupID int64
	PartnerID  int64
	LinkID     int64
	CampaignID int64
	TemplateID string // opaque and case-sensitive, [A-Za-z0-9]{1,32}
)

// Key is a thing's name in the apply file, unique per kind (and account), for ever.
type Key string

// Dialect names the API through which a thing was made or is spoken of.
type Dialect string

// Dialects. Own is our own API.
const (
	Own        Dialect = "waypost"
	OneLink    Dialect = "onelink"
	SmartLinks Dialect = "smartlinks"
	Singular   Dialect = "singular"
)

// NamesInstallationsTwice reports whether different calls of the dialect know
// one installation by different ids, so that only its device tells that it is one.
func (d Dialect) NamesInstallationsTwice() bool { return d == OneLink }

// Limit is an allowance per period. Unlimited has no bound; zero allows nothing.
type Limit int64

// Unlimited is the Limit without a bound.
const Unlimited Limit = -1

// LimitName names one limit of an account: dialect, dot, name.
type LimitName string

// Limits that the apply file may set.
const (
	OneLinkMonthlyWrites  LimitName = "onelink.monthly_writes"
	OneLinkV1PerSecond    LimitName = "onelink.v1_per_second"
	OneLinkV2PerSecond    LimitName = "onelink.v2_per_second"
	OneLinkQRPerSecond    LimitName = "onelink.qr_per_second"
	SingularPerMinute     LimitName = "singular.creates_per_minute"
	SingularPerDay        LimitName = "singular.creates_per_day"
	SingularPerMonth      LimitName = "singular.creates_per_month"
	SingularReadPerMinute LimitName = "singular.reads_per_minute"
	SmartLinksPerSecond   LimitName = "smartlinks.per_second"
)

// DefaultLimits are the vendors' documented ones for OneLink ("API
// limitations") and none elsewhere.
func DefaultLimits() map[LimitName]Limit {
	return map[LimitName]Limit{
		OneLinkMonthlyWrites: 7_500_000, OneLinkV1PerSecond: 500, OneLinkV2PerSecond: 1000, OneLinkQRPerSecond: 25,
		SingularPerMinute: Unlimited, SingularPerDay: Unlimited, SingularPerMonth: Unlimited, SingularReadPerMinute: Unlimited,
		SmartLinksPerSecond: Unlimited,
	}
}

// Account owns everything below it.
type Account struct {
	ID       AccountID
	Key      Key
	Name     string
	Timezone string // IANA name; limits are counted in UTC whatever it says
	Names    map[Dialect]string
	// RedirectAllowlist holds hosts, lower case, that a target taken from a
	// clicked URL may point to beside those the account already uses.
	RedirectAllowlist []string
	Limits            map[LimitName]Limit // absent ones are DefaultLimits
	SDKKey            string              // public
	SDKSecret         string              // kept readable: it signs, so a hash of it would be of no use
	IPPolicy          IPPolicy
	// SharedDomain is the Host of the SharedDomain that serves the account's
	// plain SmartLinks. Empty: they live on their group's default domain.
	SharedDomain string
	Attribution  AttributionSettings // of its apps, where they say nothing else
}

// IPPolicy says how much of a visitor's address events keep.
type IPPolicy string

// IPPolicies. The empty one is IPFull.
const (
	IPFull      IPPolicy = "full"
	IPTruncated IPPolicy = "truncated" // /24 of IPv4, /48 of IPv6
	IPNone      IPPolicy = "none"
)

// Limit returns the account's limit or its default.
func (a *Account) Limit(name LimitName) Limit {
	if l, ok := a.Limits[name]; ok {
		return l
	}
	return DefaultLimits()[name]
}

// Role is what a token may do.
type Role string

// Roles, each including the ones before it.
const (
	Read  Role = "read"
	Write Role = "write"
	Admin Role = "admin"
)

// Includes reports whether r may do what needs may do. Unknown roles may do
// nothing, and nobody may do what an unknown role may.
func (r Role) Includes(needs Role) bool {
	return needs.rank() > 0 && r.rank() >= needs.rank()
}

func (r Role) rank() int {
	switch r {
	case Read:
		return 1
	case Write:
		return 2
	case Admin:
		return 3
	}
	return 0
}

// SecretHash is the SHA-256 of a token's secret in hex. Tokens are long random
// strings, so a slow hash would add cost per call and no safety.
type SecretHash string

// HashSecret returns what is stored instead of the secret.
func HashSecret(secret string) SecretHash {
	sum := sha256.Sum256([]byte(secret))
	return SecretHash(hex.EncodeToString(sum[:]))
}

// Grant lets a token act in one account. Empty AppGroups means all of them.
type Grant struct {
	Account   AccountID
	Role      Role
	AppGroups []AppGroupID
}

// Token opens every API of the accounts it has grants for.
type Token struct {
	Account AccountID // owner; zero when Agency owns it
	Agency  AgencyID  // zero when Account owns it
	Name    string
	Hash    SecretHash
	// ActsAsAgency marks an account's own token that is handed to an agency.
	ActsAsAgency bool
	Grants       []Grant // one for an account's own token
}

// Agency works for several accounts.
type Agency struct {
	ID   AgencyID
	Key  Key
	Name string
}

// App is one product on one platform.
type App struct {
	ID           AppID
	GUID         string
	Key          Key
	Account      AccountID
	Name         string
	Platform     device.Platform
	BundleID     string   // iOS
	TeamID       string   // iOS
	Package      string   // Android
	Fingerprints []string // Android: SHA-256 of signing certificates, AA:BB:…
	StoreID      string
	StoreURL     string
	Scheme       string // without "://"; empty when the app answers to none
	// Clipboard says that the app looks at the clipboard at its first start, for
	// the token that pages leave there which lead to its store. iOS.
	Clipboard   bool
	URL         string // web
	Attribution AttributionSettings
}

// AppGroup is the product across its platforms.
type AppGroup struct {
	ID      AppGroupID
	Key     Key // empty for groups that were made by API
	Account AccountID
	Name    string
	Apps    []AppID // at most one for each platform, in the order in which they came
	// Archived groups take no listed links and have let go of their apps, which
	// Apps goes on to name. It is for ever.
	Archived  bool
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Domain is a host that serves links.
type Domain struct {
	Host     string // lower case, without port
	Account  AccountID
	BaseURL  string // scheme and authority that links are shown with, without a final slash
	AppGroup AppGroupID
	Default  bool   // the group's domain where a link names none
	BrandOf  string // host whose links this one serves too; empty for a host of its own
}

// SharedDomain is a host that serves links of several accounts. It is no
// app group's, so no app can claim it.
type SharedDomain struct {
	Host    string // lower case, without port
	BaseURL string // as a Domain's
}

// OpenGraph is what a link preview shows.
type OpenGraph struct {
	Title, Description, ImageURL string
}

// Template is a set of shared rules that links are made from.
type Template struct {
	ID       TemplateID
	Account  AccountID
	Name     string
	AppGroup AppGroupID
	Domain   string // Host of the domain its links live on
	WebURL   string // where desktops go; may be empty
	OG       OpenGraph
	// URIScheme, such as "acme://main", makes every Android click try the app
	// by scheme first. Empty leaves opening the app to App Links.
	URIScheme string
	// MarketLinks sends Android to market:// instead of Play's https page.
	MarketLinks bool
	QR          QRStyle
}

// QRStyle colours a template's QR codes; zero values are black on white.
type QRStyle struct {
	Foreground, Background string // "#rrggbb"
}

// PartnerKind tells networks from agencies.
type PartnerKind string

// Kinds of partner.
const (
	Network       PartnerKind = "network"
	AgencyPartner PartnerKind = "agency"
)

// Partner is who may earn credit.
type Partner struct {
	ID            PartnerID
	Key           Key
	Account       AccountID
	Name          string
	Kind          PartnerKind
	Private       bool
	TrackingLinks bool
	MultipleOS    bool
	Reengagement  bool
	CTV           bool
	LinkQuery     string // query with the partner's own {MACROS}, appended raw
	LogoURL       string
	ConfiguredFor []PartnerApp
}

// PartnerApp is a partner's set-up for one app. Zero lookbacks are the defaults.
type PartnerApp struct {
	App                AppID
	ClickDeterministic time.Duration
	ViewDeterministic  time.Duration
	ClickProbabilistic time.Duration
	ViewProbabilistic  time.Duration
	Reengagement       time.Duration
}

// Postback tells a partner, or the account itself, about a conversion.
type Postback struct {
	Key     Key
	Account AccountID
	Partner PartnerID // zero: a webhook to the account
	App     AppID     // zero: every app
	On      []string  // "install", "event", …
	Method  string
	URL     string // with {macros} in path, query or fragment
	Secret  string // signs when set
}
