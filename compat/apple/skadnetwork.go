package apple

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"

	"waypost/event"
	"waypost/internal/fault"
)

// Fields of an install-validation postback.
const (
	fieldVersion     = "version"
	fieldNetwork     = "ad-network-id"
	fieldSource      = "source-identifier" // of 4.0
	fieldCampaign    = "campaign-id"       // before 4.0
	fieldApp         = "app-id"
	fieldTransaction = "transaction-id"
	fieldRedownload  = "redownload"
	fieldSourceApp   = "source-app-id"
	fieldSourceSite  = "source-domain"
	fieldFidelity    = "fidelity-type" // 1: the store was shown; 0: the advertisement alone
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

// forms are how fields that are no plain text are written.
var forms = map[string]func(field string, raw json.RawMessage) (string, error){
	fieldSource: readNumber, fieldCampaign: readNumber, fieldApp: readNumber, fieldSourceApp: readNumber, fieldSourceSite: readSite,
	fieldRedownload: readTruth, fieldWon: readTruth, fieldFidelity: readNumber, fieldSequence: readNumber,
}

// separator stands between the fields that are signed, and in none of them.
const separator = "\u2063"

// skPostback is what a version has of a postback, each field as Apple signs it;
// what is not there is empty. What the version does not have is not there either:
// no signature covers it, so anybody may have added it.
type skPostback map[string]string

// readFields reads the fields that the postback's version has.
func readFields(raw map[string]json.RawMessage) (skPostback, error) {
	version, err := readText(fieldVersion, raw[fieldVersion])
	if err != nil {
		return nil, err
	}
	layout := layouts[version]
	if layout == nil {
		return nil, fault.Bad(fieldVersion, fault.Unknown, "%q is no version whose signature is known: 2.1, 2.2, 3.0 and 4.0 are", short(version))
	}
	p := skPostback{}
	for _, field := range layout {
		read := forms[field]
		if read == nil {
			read = readText
		}
		if p[field], err = read(field, raw[field]); err != nil {
			return nil, err
		}
		if optional := field == fieldSourceApp || field == fieldSourceSite; p[field] == "" && !optional {
			return nil, fault.Bad(field, fault.Missing, "postbacks of version %s have it", version)
		}
	}
	return p, nil
}

// signed is the text that Apple has signed.
func (p skPostback) signed() []byte {
	var values []string
	for _, field := range layouts[p[fieldVersion]] {
		if p[field] != "" {
			values = append(values, p[field])
		}
	}
	return []byte(strings.Join(values, separator))
}

// readSKAdNetwork reads a postback and verifies its signature. Its faults name
// the field.
func (k *keys) readSKAdNetwork(body []byte) (posted, error) {
	var raw map[string]json.RawMessage
	if err := decode(body, &raw); err != nil {
		return posted{}, err
	}
	p, err := readFields(raw)
	if err != nil {
		return posted{}, err
	}
	text, err := readText(fieldSignature, raw[fieldSignature])
	if err != nil {
		return posted{}, err
	}
	signature, err := base64.StdEncoding.DecodeString(text)
	digest := sha256.Sum256(p.signed())
	if err != nil || !ecdsa.VerifyASN1(k.skAdNetwork, digest[:], signature) {
		return posted{}, fault.Bad(fieldSignature, fault.Malformed, "Apple has not signed this postback")
	}
	c := p.conversion()
	readUnsigned(raw, &c)
	return posted{item: p[fieldApp], conversion: c}, nil
}

// conversion is what the postback says. Its signature is good.
func (p skPostback) conversion() event.PlatformConversion {
	c := event.PlatformConversion{
		Framework: event.SKAdNetwork, FrameworkVersion: p[fieldVersion], Network: p[fieldNetwork], Source: p[fieldSource] + p[fieldCampaign], // a version has one of them
		SourceApp: p[fieldSourceApp], SourceDomain: p[fieldSourceSite], Conversion: event.Download, Won: p[fieldWon] != "false", // before 3.0 nobody is told but who won
	}
	if p[fieldRedownload] == "true" {
		c.Conversion = event.Redownload
	}
	switch p[fieldFidelity] {
	case "":
	case "1":
		c.Interaction = event.ClickedAd
	default:
		c.Interaction = event.ViewedAd
	}
	c.Sequence = sequence(p[fieldSequence])
	c.Key = p[fieldTransaction] + "/" + orZero(p[fieldSequence])
	return c
}
