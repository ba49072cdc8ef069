package singular

import (
	"encoding/json"
	"maps"
	"math/big"
	"regexp"
	"slices"
	"strings"
)

// Names of events that are about money by themselves.
const (
	eventPurchase = "__iap__"
	eventAdIncome = "__ADMON_USER_LEVEL_REVENUE__"
)

// attributes are those of an event. A text that is no JSON object stays as it
// came, under its own name.
func (t *telling) attributes() map[string]json.RawMessage {
	raw := t.said[paramAttributes]
	if raw == "" {
		return nil
	}
	members, err := parseObject([]byte(raw))
	if err != nil {
		return map[string]json.RawMessage{paramAttributes: textValue(raw)}
	}
	attributes := map[string]json.RawMessage{}
	for _, m := range members {
		attributes[m.name] = m.value
	}
	return attributes
}

// revenue returns what an event earned, from its parameters or, as the SDK has
// it, its attributes. Events without any have neither amount nor currency.
func revenue(said filled, attributes map[string]json.RawMessage) (amount, currency string) {
	first := func(names ...string) string {
		if value := said.first(names...); value != "" {
			return value
		}
		for _, name := range names {
			if value := attributes[name]; !blank(value) {
				return strings.TrimSpace(looseText(value))
			}
		}
		return ""
	}
	flags := filled{}
	flags.set("is", first("is_revenue_event"))
	flags.set("ads", first("is_admon_revenue"))
	name := said[paramEventName]
	declared := name == eventPurchase || name == eventAdIncome || flags.is("is") || flags.is("ads")
	if amount = first("amt", "r", "ad_revenue"); amount == "" {
		amount = multiplied(first("prc", "pp"), first("q", "pq"))
	}
	switch {
	case !declared && isZero(amount):
		return "", ""
	case amount == "":
		amount = "0"
	}
	return amount, strings.ToUpper(first("cur", "pcc", "ad_currency"))
}

var decimal = regexp.MustCompile(`^-?[0-9]{1,30}(\.[0-9]{0,30})?$`)

// isZero reports whether an amount is none: what is no number is not zero, and
// whoever counts it says so.
func isZero(amount string) bool {
	if amount == "" {
		return true
	}
	return decimal.MatchString(amount) && strings.Trim(amount, "-0.") == ""
}

// multiplied is the legacy price times its quantity. What are no numbers
// stay as they came, for whoever counts them to flag.
func multiplied(price, quantity string) string {
	if price == "" || quantity == "" {
		return price
	}
	if !decimal.MatchString(price) || !decimal.MatchString(quantity) {
		return price + " x " + quantity
	}
	p, _ := new(big.Rat).SetString(price)
	q, _ := new(big.Rat).SetString(quantity)
	return p.Mul(p, q).FloatString(9)
}

// Parameters that have a place of their own in a report, or are not kept at
// all: keys and tokens are secrets, receipts are checked by nobody here.
var (
	commonParams = set(paramKey, queryPlatform, paramBundle, queryAddress, "ipv6", "use_ip", queryVersion, "mo", queryLocale, "country",
		queryAgent, "app_v", "sdk", paramUser, "att_authorization_status", "data_sharing_options", "dnt", "dntoff", paramMillis, paramSeconds,
		"h", "s", "apns_token", "apns", "fcm", "gcm", "attribution_token", "install_receipt", "purchase_receipt", "receipt_signature")
	eventParams  = with(commonParams, paramEventName, paramAttributes, "amt", "cur", "is_revenue_event")
	launchNames  = set(paramKey, paramBundle, paramUser)
	eventNames   = with(launchNames, paramEventName)
	launchParams = with(commonParams, paramReferrer, paramOpened, "ddl_enabled", "singular_link_resolve_required", "install")
)

// names are the parameters that tell whom or what a request is about.
func (e endpoint) names() map[string]bool {
	if e.event {
		return eventNames
	}
	return launchNames
}

func set(names ...string) map[string]bool {
	all := map[string]bool{}
	for _, name := range append(names, instanceNames...) {
		all[name] = true
	}
	for _, n := range idNames {
		all[n.name] = true
	}
	return all
}

func with(all map[string]bool, names ...string) map[string]bool {
	more := set(names...)
	maps.Copy(more, all)
	return more
}

// Bounds of what is kept, bytes: of one text, as the vendor cuts it, of another
// value, of everything together.
const (
	maxAttribute  = 500
	maxStructure  = 4 << 10
	maxAttributes = 15 << 10
)

// rest is what else a request tells, as a JSON object: an event's attributes,
// and parameters under their names. What goes beyond the bounds is left out
// from the end of the alphabet.
func (s filled) rest(attributes map[string]json.RawMessage, taken map[string]bool) json.RawMessage {
	kept := map[string]json.RawMessage{}
	size := 2
	add := func(name string, value json.RawMessage) {
		if cost := len(name) + len(value) + 6; size+cost <= maxAttributes && kept[name] == nil {
			kept[name] = value
			size += cost
		}
	}
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		add(name, bounded(attributes[name]))
	}
	for _, name := range slices.Sorted(maps.Keys(s)) {
		switch {
		case taken[name]:
		case name == "global_properties" && json.Valid([]byte(s[name])):
			add(name, bounded(json.RawMessage(s[name])))
		default:
			add(name, textValue(s[name]))
		}
	}
	if len(kept) == 0 {
		return nil
	}
	object, err := json.Marshal(kept)
	if err != nil {
		panic("singular: what was read as JSON has no JSON form: " + err.Error())
	}
	return object
}

// bounded is a value as it is kept.
func bounded(value json.RawMessage) json.RawMessage {
	if len(value) > 0 && value[0] != '"' && len(value) <= maxStructure {
		return value
	}
	return textValue(looseText(value))
}

// textValue is a text as a JSON value, cut to what is kept of one.
func textValue(text string) json.RawMessage {
	value, err := json.Marshal(cutText(strings.ToValidUTF8(text, "\ufffd"), maxAttribute))
	if err != nil {
		panic("singular: a text has no JSON form: " + err.Error())
	}
	return value
}
