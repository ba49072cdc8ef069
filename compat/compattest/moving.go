package compattest

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"waypost/link"
)

var moving = regexp.MustCompile(`\{\{([^{}]+)\}\}`)

// forms are the moving values that a response may hold.
var forms = map[string]string{
	"int":   `-?[0-9]+`,
	"id":    `[a-z0-9]{8}`,
	"id9":   `[a-z0-9]{9}`,
	"id13":  `[a-z0-9]{13}`,
	"hex13": `[0-9a-f]{13}`,
	"word":  `[a-z0-9]+`,
	"time":  `[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z`,
	"gmt":   `[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT`,
	"any":   `(?s:.*)`,
}

var (
	kept       = regexp.MustCompile(`^(\w+) as (\w+)$`)
	arithmetic = regexp.MustCompile(`^(\w+?)([+-][0-9]+)?$`)
	fromNow    = regexp.MustCompile(`^in ([0-9]+[mhd]?)$`)
	picture    = regexp.MustCompile(`^qr (png|jpeg|svg) ([0-9]+) (\S+)$`)
	repetition = regexp.MustCompile(`^repeat (\S+) ([0-9]+)$`)
	rawBytes   = regexp.MustCompile(`^hex ((?:[0-9a-fA-F]{2})+)$`)
)

// values are what a case has kept so far.
type values map[string]string

// fill replaces in a request what stands for something: kept values,
// repetitions, raw bytes.
func (v values) fill(text string) (string, error) {
	var failed error
	filled := moving.ReplaceAllStringFunc(text, func(hole string) string {
		inside := hole[2 : len(hole)-2]
		if m := repetition.FindStringSubmatch(inside); m != nil {
			n, _ := strconv.Atoi(m[2])
			return strings.Repeat(m[1], n)
		}
		if m := rawBytes.FindStringSubmatch(inside); m != nil {
			b, _ := hex.DecodeString(m[1])
			return string(b)
		}
		value, err := v.get(inside)
		if err != nil {
			failed = err
		}
		return value
	})
	return filled, failed
}

// get returns a kept value, or a kept number plus or minus another.
func (v values) get(text string) (string, error) {
	m := arithmetic.FindStringSubmatch(text)
	if m == nil {
		return "", fmt.Errorf("unknown moving value {{%s}}", text)
	}
	value, ok := v[m[1]]
	if !ok {
		return "", fmt.Errorf("nothing was kept as %q", m[1])
	}
	if m[2] == "" {
		return value, nil
	}
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		return "", fmt.Errorf("%q is kept as %q, which is no number", value, m[1])
	}
	delta, err := strconv.ParseInt(m[2], 10, 64)
	return strconv.FormatInt(n+delta, 10), err
}

// match holds got against a text with moving values, and keeps what is to be
// kept.
func (v values) match(want, got string) error {
	pattern, checks, err := v.compile(want)
	if err != nil {
		return err
	}
	found := pattern.FindStringSubmatch(got)
	if found == nil {
		return fmt.Errorf("got %q, want %q", got, want)
	}
	for i, check := range checks {
		if err := check(found[i+1]); err != nil {
			return err
		}
	}
	return nil
}

// compile makes a pattern whose groups are the moving values, and for each of
// them what is done with the text that it met.
func (v values) compile(want string) (*regexp.Regexp, []func(string) error, error) {
	var source strings.Builder
	var checks []func(string) error
	source.WriteString(`\A`)
	rest := want
	for {
		at := moving.FindStringSubmatchIndex(rest)
		if at == nil {
			break
		}
		source.WriteString(regexp.QuoteMeta(rest[:at[0]]))
		form, check, err := v.hole(rest[at[2]:at[3]])
		if err != nil {
			return nil, nil, err
		}
		source.WriteString("(" + form + ")")
		checks = append(checks, check)
		rest = rest[at[1]:]
	}
	source.WriteString(regexp.QuoteMeta(rest) + `\z`)
	pattern, err := regexp.Compile(source.String())
	return pattern, checks, err
}

func (v values) hole(inside string) (form string, check func(string) error, err error) {
	nothing := func(string) error { return nil }
	if form, ok := forms[inside]; ok {
		return form, nothing, nil
	}
	if m := kept.FindStringSubmatch(inside); m != nil && forms[m[1]] != "" {
		return forms[m[1]], func(got string) error { v[m[2]] = got; return nil }, nil
	}
	if m := fromNow.FindStringSubmatch(inside); m != nil {
		return forms["time"], func(got string) error { return checkFromNow(m[1], got) }, nil
	}
	if m := picture.FindStringSubmatch(inside); m != nil {
		size, _ := strconv.Atoi(m[2])
		return `data:image/` + m[1] + `;base64,[A-Za-z0-9+/=]+`, func(got string) error { return checkPicture(m[1], size, m[3], got) }, nil
	}
	value, err := v.get(inside)
	return regexp.QuoteMeta(value), nothing, err
}

// checkFromNow allows five minutes for the case's way to the server and back.
func checkFromNow(wait, got string) error {
	after, err := link.ParseTTL(wait)
	if err != nil {
		return err
	}
	at, err := time.Parse(time.RFC3339, got)
	if err != nil {
		return err
	}
	if off := time.Until(at) - after; off.Abs() > 5*time.Minute {
		return fmt.Errorf("%s is %s off from %s after now", got, off, wait)
	}
	return nil
}

// checkNames finds, before anything is played, moving values that mean nothing
// at their place. known holds the names kept by the steps before.
func (s *Step) checkNames(known map[string]bool) error {
	v := values{}
	for name := range known {
		v[name] = "0"
	}
	r := &s.Request
	texts := []string{r.Method, r.Target, r.Body}
	for _, h := range r.Headers {
		texts = append(texts, h[1])
	}
	for _, text := range texts {
		if _, err := v.fill(text); err != nil {
			return err
		}
	}
	texts = []string{s.Response.Body}
	for _, h := range s.Response.Headers {
		texts = append(texts, h.Text)
	}
	for _, text := range texts { // a body may use what it keeps itself
		for _, m := range moving.FindAllStringSubmatch(text, -1) {
			if k := kept.FindStringSubmatch(m[1]); k != nil {
				known[k[2]], v[k[2]] = true, "0"
			}
		}
	}
	for _, text := range texts {
		if _, _, err := v.compile(text); err != nil {
			return err
		}
	}
	return nil
}
