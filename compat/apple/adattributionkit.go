package apple

import (
	"strconv"

	"github.com/go-jose/go-jose/v4"

	"waypost/event"
	"waypost/internal/fault"
)

// kitPostback is a postback of AdAttributionKit as it is sent.
type kitPostback struct {
	JWS         string `json:"jws-string"`
	Interaction string `json:"ad-interaction-type"` // not signed
	unsigned
}

// kitPayload is what Apple has signed of it.
type kitPayload struct {
	Item        number `json:"advertised-item-identifier"`
	Network     string `json:"ad-network-identifier"`
	Source      number `json:"source-identifier"`
	Conversion  string `json:"conversion-type"`
	Sequence    *int   `json:"postback-sequence-index"`
	ID          string `json:"postback-identifier"`
	Won         *bool  `json:"did-win"`
	Publisher   number `json:"publisher-item-identifier"`
	Marketplace string `json:"marketplace-identifier"`
}

// none is the number of an app that has none, as the developer settings write it.
const none number = "0"

// fieldJWS is the signed part; fields of its payload are named behind a dot.
const (
	fieldJWS        = "jws-string"
	fieldConversion = fieldJWS + ".conversion-type"
	fieldKitID      = fieldJWS + ".postback-identifier"
)

// readAdAttributionKit reads a postback and verifies its signature. Its faults
// name the field.
func (k *keys) readAdAttributionKit(body []byte) (posted, error) {
	var p kitPostback
	if err := decode(body, &p); err != nil {
		return posted{}, err
	}
	payload, test, err := k.verify(p.JWS)
	if err != nil {
		return posted{}, err
	}
	var signed kitPayload
	if err := decode(payload, &signed); err != nil {
		return posted{}, err
	}
	if err := signed.check(); err != nil {
		return posted{}, err
	}
	c := event.PlatformConversion{
		Framework: event.AdAttributionKit, Key: signed.ID + "/" + strconv.Itoa(*signed.Sequence), Test: test, Network: signed.Network,
		Source: string(signed.Source), Marketplace: signed.Marketplace, Conversion: event.PlatformOutcome(signed.Conversion),
		Won: *signed.Won, Sequence: *signed.Sequence, Interaction: event.PlatformInterest(p.Interaction),
	}
	if signed.Publisher != none {
		c.SourceApp = string(signed.Publisher)
	}
	p.tell(&c)
	return posted{item: string(signed.Item), conversion: c}, nil
}

// verify returns what Apple has signed, and whether with a key of developers' devices.
func (k *keys) verify(compact string) (payload []byte, test bool, err error) {
	if compact == "" {
		return nil, false, fault.Bad(fieldJWS, fault.Missing, "postbacks of AdAttributionKit have it")
	}
	jws, err := jose.ParseSignedCompact(compact, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return nil, false, fault.Bad(fieldJWS, fault.Malformed, "it is no compact JWS that is signed with ES256")
	}
	kid := jws.Signatures[0].Protected.KeyID
	key := k.adAttributionKit[kid]
	if key == nil {
		key, test = k.test[kid], true
	}
	if key == nil {
		return nil, false, fault.Bad(fieldJWS, fault.Unknown, "%q is none of Apple's keys", short(kid))
	}
	if payload, err = jws.Verify(key); err != nil {
		return nil, false, fault.Bad(fieldJWS, fault.Malformed, "Apple has not signed this postback")
	}
	return payload, test, nil
}

// check says what is missing, or is not what it must be.
func (p *kitPayload) check() error {
	for _, f := range []struct {
		name, value string
		number      bool
	}{
		{"advertised-item-identifier", string(p.Item), true}, {"ad-network-identifier", p.Network, false}, {"source-identifier", string(p.Source), true},
		{"postback-identifier", p.ID, false}, {"postback-sequence-index", digits(p.Sequence), true}, {"did-win", truth(p.Won), false},
	} {
		field := fieldJWS + "." + f.name
		if f.value == "" {
			return fault.Bad(field, fault.Missing, "postbacks of AdAttributionKit have it")
		}
		err := checkText(field, f.value)
		if err == nil && f.number {
			err = checkNumber(field, number(f.value))
		}
		if err != nil {
			return err
		}
	}
	if err := checkNumber(fieldJWS+".publisher-item-identifier", p.Publisher); err != nil {
		return err
	}
	if err := checkText(fieldJWS+".marketplace-identifier", p.Marketplace); err != nil {
		return err
	}
	if p.Item == none {
		return fault.Bad(fieldJWS+".advertised-item-identifier", fault.Unknown, "the app is a build of Xcode's: only one from a store has a number by which it is found")
	}
	switch event.PlatformOutcome(p.Conversion) {
	case event.Download, event.Redownload, event.Reengagement:
		return nil
	}
	return fault.Bad(fieldConversion, fault.Unknown, "%q is none of download, redownload and re-engagement", short(p.Conversion))
}
