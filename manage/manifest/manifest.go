// Package manifest reads the apply file: everything that accounts need before
// their first link, as YAML. Parse turns text into a File and finds what is
// wrong with it alone; Resolve compares a File with what is stored and says
// what has to be written. It does no I/O.
package manifest

import (
	"time"

	"waypost/link"
)

// File is the apply file as it was written. The `yaml` tags are its schema:
// Parse refuses every field that they do not name, and the lack of those that
// are marked as required.
type File struct {
	// Name is the file's name in messages.
	Name          string         `yaml:"-"`
	SharedDomains []SharedDomain `yaml:"shared_domains"`
	Accounts      []Account      `yaml:"accounts"`
	Agencies      []Agency       `yaml:"agencies"`

	// lines tells on which line the thing at a path stands.
	lines map[string]int
	// emptied are the paths of mappings with nothing in them.
	emptied map[string]bool
}

// SharedDomain is a host that serves links of every account that names it.
type SharedDomain struct {
	Host    string `yaml:"host,required"`
	BaseURL string `yaml:"base_url"`
}

// Account is everything that belongs to one account.
type Account struct {
	Key               string     `yaml:"key,required"`
	ID                int64      `yaml:"id"`
	Name              string     `yaml:"name,required"`
	OneLinkAccountID  string     `yaml:"onelink_account_id"`
	Timezone          string     `yaml:"timezone"`
	RedirectAllowlist []string   `yaml:"redirect_allowlist"`
	Limits            Limits     `yaml:"limits"`
	Privacy           Privacy    `yaml:"privacy"`
	SharedDomain      string     `yaml:"shared_domain"`
	Tokens            []Token    `yaml:"tokens"`
	SDKKey            string     `yaml:"sdk_key"`
	SDKSecret         string     `yaml:"sdk_secret"`
	Apps              []App      `yaml:"apps"`
	AppGroups         []AppGroup `yaml:"app_groups"`
	Domains           []Domain   `yaml:"domains"`
	Templates         []Template `yaml:"templates"`
	Partners          []Partner  `yaml:"partners"`
	Postbacks         []Postback `yaml:"postbacks"`

	Attribution Attribution `yaml:"attribution"`
}

// Limits of an account; nil is the default.
type Limits struct {
	OneLink    OneLinkLimits    `yaml:"onelink"`
	Singular   SingularLimits   `yaml:"singular"`
	SmartLinks SmartLinksLimits `yaml:"smartlinks"`
}

// OneLinkLimits are those of both versions of the OneLink API.
type OneLinkLimits struct {
	MonthlyWrites *link.Limit `yaml:"monthly_writes"`
	V1PerSecond   *link.Limit `yaml:"v1_per_second"`
	V2PerSecond   *link.Limit `yaml:"v2_per_second"`
	QRPerSecond   *link.Limit `yaml:"qr_per_second"`
}

// SingularLimits are those of the Singular Links API.
type SingularLimits struct {
	PerMinute     *link.Limit `yaml:"creates_per_minute"`
	PerDay        *link.Limit `yaml:"creates_per_day"`
	PerMonth      *link.Limit `yaml:"creates_per_month"`
	ReadPerMinute *link.Limit `yaml:"reads_per_minute"`
}

// SmartLinksLimits are those of the SmartLinks API.
type SmartLinksLimits struct {
	PerSecond *link.Limit `yaml:"per_second"`
}

// Privacy says what events keep of a person.
type Privacy struct {
	IP string `yaml:"ip"` // full, truncated, none
}

// Token of an account. Secret is hashed before it leaves this package.
type Token struct {
	Name      string   `yaml:"name,required"`
	Secret    string   `yaml:"secret,required"`
	Role      string   `yaml:"role,required"`
	Agency    bool     `yaml:"agency"`
	AppGroups []string `yaml:"app_groups"`
}

// App is one product on one platform; which fields it needs depends on that.
type App struct {
	Key          string   `yaml:"key,required"`
	ID           int64    `yaml:"id"`
	GUID         string   `yaml:"guid"`
	Name         string   `yaml:"name,required"`
	Platform     string   `yaml:"platform,required"`
	BundleID     string   `yaml:"bundle_id"`
	TeamID       string   `yaml:"team_id"`
	Package      string   `yaml:"package"`
	Fingerprints []string `yaml:"sha256_cert_fingerprints"`
	StoreID      string   `yaml:"store_id"`
	StoreURL     string   `yaml:"store_url"`
	Scheme       string   `yaml:"scheme"`
	Clipboard    bool     `yaml:"clipboard"`
	URL          string   `yaml:"url"`

	Attribution Attribution `yaml:"attribution"`
}

// AppGroup is the product across its platforms.
type AppGroup struct {
	Key  string   `yaml:"key,required"`
	ID   int64    `yaml:"id"`
	Name string   `yaml:"name,required"`
	Apps []string `yaml:"apps,required"`
}

// Domain is a host that serves links.
type Domain struct {
	Host     string `yaml:"host,required"`
	BaseURL  string `yaml:"base_url"`
	AppGroup string `yaml:"app_group,required"`
	Default  bool   `yaml:"default"`
	BrandOf  string `yaml:"brand_of"`
}

// Template is a set of shared rules that links are made from.
type Template struct {
	ID          string    `yaml:"id,required"`
	Name        string    `yaml:"name,required"`
	AppGroup    string    `yaml:"app_group,required"`
	Domain      string    `yaml:"domain,required"`
	WebURL      string    `yaml:"web_url"`
	OG          OpenGraph `yaml:"og"`
	URIScheme   string    `yaml:"uri_scheme"`
	MarketLinks bool      `yaml:"market_links"`
	QR          QR        `yaml:"qr"`
}

// OpenGraph is what a link preview shows.
type OpenGraph struct {
	Title       string `yaml:"title"`
	Description string `yaml:"description"`
	ImageURL    string `yaml:"image_url"`
}

// QR colours a template's codes.
type QR struct {
	Foreground string `yaml:"foreground"`
	Background string `yaml:"background"`
}

// Partner is who may earn credit.
type Partner struct {
	Key           string       `yaml:"key,required"`
	ID            int64        `yaml:"id"`
	Name          string       `yaml:"name,required"`
	Kind          string       `yaml:"kind"`
	Private       bool         `yaml:"private"`
	TrackingLinks bool         `yaml:"tracking_links"`
	MultipleOS    bool         `yaml:"multiple_os"`
	Reengagement  bool         `yaml:"reengagement"`
	CTV           bool         `yaml:"ctv"`
	LinkQuery     string       `yaml:"link_query"`
	LogoURL       string       `yaml:"logo_url"`
	ConfiguredFor []PartnerApp `yaml:"configured_for"`
}

// PartnerApp is a partner's set-up for one app.
type PartnerApp struct {
	App                string        `yaml:"app,required"`
	ClickDeterministic time.Duration `yaml:"click_deterministic_window"`
	ViewDeterministic  time.Duration `yaml:"view_deterministic_window"`
	ClickProbabilistic time.Duration `yaml:"click_probabilistic_window"`
	ViewProbabilistic  time.Duration `yaml:"view_probabilistic_window"`
	Reengagement       time.Duration `yaml:"reengagement_window"`
}

// Postback tells a partner, or the account itself, about a conversion.
type Postback struct {
	Key     string   `yaml:"key,required"`
	Partner string   `yaml:"partner"`
	App     string   `yaml:"app"`
	On      []string `yaml:"on,required"`
	Method  string   `yaml:"method"`
	URL     string   `yaml:"url,required"`
	Secret  string   `yaml:"secret"`
}

// Agency works for several accounts.
type Agency struct {
	Key    string        `yaml:"key,required"`
	ID     int64         `yaml:"id"`
	Name   string        `yaml:"name,required"`
	Tokens []AgencyToken `yaml:"tokens"`
}

// AgencyToken opens several accounts.
type AgencyToken struct {
	Name   string  `yaml:"name,required"`
	Secret string  `yaml:"secret,required"`
	Grants []Grant `yaml:"grants,required"`
}

// Grant lets an agency's token act in one account.
type Grant struct {
	Account   string   `yaml:"account,required"`
	Role      string   `yaml:"role,required"`
	AppGroups []string `yaml:"app_groups"`
}

// Line returns the line of the thing at a path such as "accounts[0].apps[1]",
// or of what holds it; 0 when the file does not know.
func (f *File) Line(path string) int {
	for {
		if line, ok := f.lines[path]; ok {
			return line
		}
		if path == "" {
			return 0
		}
		path = parent(path)
	}
}

// given reports whether the field at the path stands in the file.
func (f *File) given(path string) bool {
	_, ok := f.lines[path]
	return ok
}

// says reports whether the file says what the field at the path is: it stands
// there, or in a mapping that is empty, which clears all of its fields.
func (f *File) says(path string) bool {
	if f.given(path) {
		return true
	}
	for len(f.emptied) > 0 && path != "" {
		if path = parent(path); f.emptied[path] {
			return true
		}
	}
	return false
}

// said is the field at the path as it is after applying: as the file says it,
// or as it was where the file says nothing.
func said[T any](f *File, path string, now, before T) T {
	if f.says(path) {
		return now
	}
	return before
}

// parent cuts the last field or index off a path.
func parent(path string) string {
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] == '.' || path[i] == '[' {
			return path[:i]
		}
	}
	return ""
}
