package manifest

import (
	"strconv"
	"time"
	_ "time/tzdata" // zones must be known on machines without a zone database

	"waypost/link"
)

// checker finds what is wrong with the values of a file by themselves: forms,
// fields that belong together, and names that are given twice.
type checker struct {
	*findings
	seen map[string]string // kind, NUL, name -> path of the first
}

func (c *checker) file(f *File) {
	for i := range f.SharedDomains {
		d, at := &f.SharedDomains[i], index("shared_domains", i)
		c.host(at, d.Host, d.BaseURL)
	}
	for i := range f.Accounts {
		c.account(&f.Accounts[i], index("accounts", i))
	}
	for i := range f.Agencies {
		c.agency(&f.Agencies[i], index("agencies", i))
	}
}

func index(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// unique reports a name that a thing of the same kind already has.
func (c *checker) unique(path, kind, name string) {
	if name == "" {
		return
	}
	id := kind + "\x00" + name
	if first, ok := c.seen[id]; ok {
		c.add(path, "is the same as %s on line %d; it must be unique", first, c.findings.file.Line(first))
		return
	}
	c.seen[id] = path
}

// number checks an id that the file gives.
func (c *checker) number(path, kind string, id int64) {
	if !c.findings.file.given(path) {
		return
	}
	if id < 1 || id > maxID {
		c.add(path, "must be a number from 1 to %d; leave it out to have one assigned", int64(maxID))
		return
	}
	c.unique(path, kind+" id", strconv.FormatInt(id, 10))
}

// form checks a text that is there against what its kind looks like.
func (c *checker) form(path, value string, ok func(string) bool, want string) bool {
	if value == "" || ok(value) {
		return true
	}
	c.add(path, "must be %s", want)
	return false
}

// oneOf checks a text that is there against a list of words.
func (c *checker) oneOf(path, value string, words ...string) {
	if value == "" {
		return
	}
	for _, w := range words {
		if w == value {
			return
		}
	}
	c.add(path, "must be one of %s", list(words))
}

func (c *checker) key(path, scope, key string) {
	if c.form(path, key, isKey, "1 to 64 letters, digits, dots, hyphens and underscores, a letter or digit first, such as acme-ios") {
		c.unique(path, scope+" key", key)
	}
}

func (c *checker) account(a *Account, at string) {
	c.key(at+".key", "account", a.Key)
	c.number(at+".id", "account", a.ID)
	if c.form(at+".onelink_account_id", a.OneLinkAccountID, isKey, "1 to 64 letters, digits, dots, hyphens and underscores, such as ACC1") {
		c.unique(at+".onelink_account_id", "onelink account", a.OneLinkAccountID)
	}
	c.form(at+".timezone", a.Timezone, isTimezone, "an IANA time zone, such as UTC or Europe/Berlin")
	for i, host := range a.RedirectAllowlist {
		c.form(index(at+".redirect_allowlist", i), host, isHost, "a host name without scheme, port or path, such as www.example.com")
	}
	c.form(at+".shared_domain", a.SharedDomain, isHost, "the host of a shared domain, such as smart.example.com")
	c.oneOf(at+".privacy.ip", a.Privacy.IP, string(link.IPFull), string(link.IPTruncated), string(link.IPNone))
	c.unique(at+".sdk_key", "sdk key", a.SDKKey)
	c.secret(at+".sdk_secret", a.SDKSecret)
	c.attribution(&a.Attribution, at+".attribution")
	for i := range a.Tokens {
		t, at := &a.Tokens[i], index(at+".tokens", i)
		c.token(at, "account "+a.Key, t.Name, t.Secret)
		c.role(at+".role", t.Role)
		c.words(at+".app_groups", t.AppGroups)
	}
	for i := range a.Apps {
		c.app(&a.Apps[i], index(at+".apps", i), a.Key)
	}
	for i := range a.AppGroups {
		g, at := &a.AppGroups[i], index(at+".app_groups", i)
		c.key(at+".key", a.Key+" app group", g.Key)
		c.number(at+".id", "app group", g.ID)
		c.form(at+".name", g.Name, isGroupName, "1 to 255 characters, no space at either end")
		c.words(at+".apps", g.Apps)
	}
	for i := range a.Domains {
		c.domain(&a.Domains[i], index(at+".domains", i))
	}
	for i := range a.Templates {
		c.template(&a.Templates[i], index(at+".templates", i))
	}
	for i := range a.Partners {
		c.partner(&a.Partners[i], index(at+".partners", i), a.Key)
	}
	for i := range a.Postbacks {
		c.postback(&a.Postbacks[i], index(at+".postbacks", i), a.Key)
	}
}

func (c *checker) agency(g *Agency, at string) {
	c.key(at+".key", "agency", g.Key)
	c.number(at+".id", "agency", g.ID)
	for i := range g.Tokens {
		t, at := &g.Tokens[i], index(at+".tokens", i)
		c.token(at, "agency "+g.Key, t.Name, t.Secret)
		if len(t.Grants) == 0 && c.findings.file.given(at+".grants") {
			c.add(at+".grants", "is empty; a token needs a grant for at least one account")
		}
		accounts := map[string]bool{}
		for j, grant := range t.Grants {
			at := index(at+".grants", j)
			if accounts[grant.Account] {
				c.add(at+".account", "has a grant of this token already; one grant holds all of its app groups")
			}
			accounts[grant.Account] = true
			c.role(at+".role", grant.Role)
			c.words(at+".app_groups", grant.AppGroups)
		}
	}
}

func (c *checker) token(at, owner, name, secret string) {
	c.key(at+".name", owner+" token", name)
	if c.secret(at+".secret", secret) {
		c.unique(at+".secret", "secret", string(link.HashSecret(secret)))
	}
}

// secret checks that a secret can stand in a header and is none that a child
// guesses.
func (c *checker) secret(path, secret string) bool {
	return c.form(path, secret, isSecret, "8 to 512 printable ASCII characters without spaces")
}

func (c *checker) role(path, role string) {
	c.oneOf(path, role, string(link.Read), string(link.Write), string(link.Admin))
}

// words checks that a list of references names each thing once.
func (c *checker) words(path string, words []string) {
	seen := make(map[string]bool, len(words))
	for i, w := range words {
		if seen[w] {
			c.add(index(path, i), "is in the list already")
		}
		seen[w] = true
	}
}

func isTimezone(name string) bool {
	if name == "Local" {
		return false // another zone on every machine
	}
	_, err := time.LoadLocation(name)
	return err == nil
}
