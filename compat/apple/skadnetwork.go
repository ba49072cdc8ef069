package apple

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	"waypost/event"
	"waypost/internal/fault"
)

// skPostback is an install-validation postback. Fields that are nil are not there.
type skPostback struct {
	Version     string  `json:"version"`
	Network     string  `json:"ad-network-id"`
	Source      number  `json:"source-identifier"` // of 4.0
	Campaign    number  `json:"campaign-id"`       // before 4.0
	App         number  `json:"app-id"`
	Transaction string  `json:"transaction-id"`
	Redownload  *bool   `json:"redownload"`
	SourceApp   number  `json:"source-app-id"`
	SourceSite  *string `json:"source-domain"`
	Fidelity    *int    `json:"fidelity-type"` // 1: the store was shown; 0: the advertisement alone
	Won         *bool   `json:"did-win"`
	Sequence    *int    `json:"postback-sequence-index"`
	Signature   string  `json:"attribution-signature"`
	unsigned
}

// unsigned are fields that Apple does not sign.
type unsigned struct {
	Value   *int   `json:"conversion-value"`
	Coarse  string `json:"coarse-conversion-value"`
	Country string `json:"country-code"`
}

// Names of fields.
const (
	fieldVersion     = "version"
	fieldNetwork     = "ad-network-id"
	fieldSource      = "source-identifier"
	fieldCampaign    = "campaign-id"
	fieldApp         = "app-id"
	fieldTransaction = "transaction-id"
	fieldRedownload  = "redownload"
	fieldSourceApp   = "source-app-id"
	fieldSourceSite  = "source-domain"
	fieldFidelity    = "fidelity-type"
	fieldWon         = "did-win"
	fieldSequence    = "postback-sequence-index"
	fieldSignature   = "attribution-signature"
)

// layouts are the fields that Apple signs, in their order, by version
// ("Verifying an install-validation postback", "Combining parameters for
// SKAdNetwork 3 postbacks", "Combining parameters for previous SKAdNetwork
// postback versions"). 1.0 and 2.0 are signed with other keys, and no device
// has sent them since iOS 14.5.
var layouts = map[string][]string{
	"2.1": {fieldVersion, fieldNetwork, fieldCampaign, fieldApp, fieldTransaction, fieldRedownload, fieldSourceApp},
	"2.2": {fieldVersion, fieldNetwork, fieldCampaign, fieldApp, fieldTransaction, fieldRedownload, fieldSourceApp, fieldFidelity},
	"3.0": {fieldVersion, fieldNetwork, fieldCampaign, fieldApp, fieldTransaction, fieldRedownload, fieldSourceApp, fieldFidelity, fieldWon},
	"4.0": {
		fieldVersion, fieldNetwork, fieldSource, fieldApp, fieldTransaction, fieldRedownload, fieldSourceApp, fieldSourceSite, fieldFidelity, fieldWon, fieldSequence,
	},
}

// separator stands between the fields that are signed, and in none of them.
const separator = "\u2063"

// value is a field as Apple signs it; empty where it is not there.
func (p *skPostback) value(field string) string {
	switch field {
	case fieldVersion:
		return p.Version
	case fieldNetwork:
		return p.Network
	case fieldSource:
		return string(p.Source)
	case fieldCampaign:
		return string(p.Campaign)
	case fieldApp:
		return string(p.App)
	case fieldTransaction:
		return p.Transaction
	case fieldRedownload:
		return truth(p.Redownload)
	case fieldSourceApp:
		return string(p.SourceApp)
	case fieldSourceSite:
		if p.SourceSite != nil {
			return *p.SourceSite
		}
	case fieldFidelity:
		return digits(p.Fidelity)
	case fieldWon:
		return truth(p.Won)
	case fieldSequence:
		return digits(p.Sequence)
	}
	return ""
}

func truth(b *bool) string {
	if b == nil {
		return ""
	}
	return strconv.FormatBool(*b)
}

func digits(n *int) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(*n)
}

// signed is the text that Apple has signed, or what keeps the postback from
// being one of its version.
func (p *skPostback) signed() (string, error) {
	layout := layouts[p.Version]
	if layout == nil {
		return "", fault.Bad(fieldVersion, fault.Unknown, "%q is no version whose signature is known: 2.1, 2.2, 3.0 and 4.0 are", short(p.Version))
	}
	for field, n := range map[string]number{fieldSource: p.Source, fieldCampaign: p.Campaign, fieldApp: p.App, fieldSourceApp: p.SourceApp} {
		if err := checkNumber(field, n); err != nil {
			return "", err
		}
	}
	var values []string
	for _, field := range layout {
		value := p.value(field)
		optional := field == fieldSourceApp || field == fieldSourceSite
		switch {
		case value == "" && optional:
			continue
		case value == "":
			return "", fault.Bad(field, fault.Missing, "postbacks of version %s have it", p.Version)
		}
		if err := checkText(field, value); err != nil {
			return "", err
		}
		values = append(values, value)
	}
	return strings.Join(values, separator), nil
}

// readSKAdNetwork reads a postback and verifies its signature. Its faults name
// the field.
func (k *keys) readSKAdNetwork(body []byte) (posted, error) {
	var p skPostback
	if err := decode(body, &p); err != nil {
		return posted{}, err
	}
	text, err := p.signed()
	if err != nil {
		return posted{}, err
	}
	signature, err := base64.StdEncoding.DecodeString(p.Signature)
	digest := sha256.Sum256([]byte(text))
	if err != nil || !ecdsa.VerifyASN1(k.skAdNetwork, digest[:], signature) {
		return posted{}, fault.Bad(fieldSignature, fault.Malformed, "Apple has not signed this postback")
	}
	p.dropUnsigned()
	return p.read(), nil
}

// dropUnsigned forgets the fields that the postback's version does not have:
// anybody may have added them.
func (p *skPostback) dropUnsigned() {
	layout := layouts[p.Version]
	for field, drop := range map[string]func(){
		fieldSource: func() { p.Source = "" }, fieldCampaign: func() { p.Campaign = "" }, fieldSourceSite: func() { p.SourceSite = nil },
		fieldFidelity: func() { p.Fidelity = nil }, fieldWon: func() { p.Won = nil }, fieldSequence: func() { p.Sequence = nil },
	} {
		if !slices.Contains(layout, field) {
			drop()
		}
	}
}

// read takes over what the postback says. Its signature is good, what its
// layout demands is there, and nothing else but what is never signed.
func (p *skPostback) read() posted {
	c := event.PlatformConversion{
		Framework: event.SKAdNetwork, FrameworkVersion: p.Version, Network: p.Network, Source: string(p.Source), SourceApp: string(p.SourceApp),
		Conversion: event.Download, Won: p.Won == nil || *p.Won, // before 3.0 nobody is told but who won
	}
	if c.Source == "" {
		c.Source = string(p.Campaign)
	}
	if p.SourceSite != nil {
		c.SourceDomain = *p.SourceSite
	}
	if *p.Redownload {
		c.Conversion = event.Redownload
	}
	if p.Fidelity != nil {
		c.Interaction = event.ViewedAd
		if *p.Fidelity == 1 {
			c.Interaction = event.ClickedAd
		}
	}
	if p.Sequence != nil {
		c.Sequence = *p.Sequence
	}
	c.Key = p.Transaction + "/" + strconv.Itoa(c.Sequence)
	p.tell(&c)
	return posted{item: string(p.App), conversion: c}
}

// tell takes over what nobody has signed.
func (u *unsigned) tell(c *event.PlatformConversion) {
	c.Value, c.Coarse, c.Country = u.Value, u.Coarse, u.Country
}
