package apple

import (
	"encoding/json"

	"github.com/go-jose/go-jose/v4"

	"waypost/event"
	"waypost/internal/fault"
)

// Fields of a postback of AdAttributionKit; of the payload of its JWS, where it
// is not said otherwise.
const (
	fieldJWS         = "jws-string"          // the signed part
	fieldInteraction = "ad-interaction-type" // beside it, unsigned

	fieldItem        = "advertised-item-identifier"
	fieldKitNetwork  = "ad-network-identifier"
	fieldConversion  = "conversion-type"
	fieldKitID       = "postback-identifier"
	fieldPublisher   = "publisher-item-identifier"
	fieldMarketplace = "marketplace-identifier"
)

// kitFields are those that are signed and mean something here, with how they are
// written. fieldSource, fieldSequence and fieldWon are SKAdNetwork's, too.
var kitFields = []struct {
	name     string
	read     func(field string, raw json.RawMessage) (string, error)
	optional bool
}{
	{fieldItem, readNumber, false}, {fieldKitNetwork, readText, false}, {fieldSource, readNumber, false}, {fieldConversion, readText, false},
	{fieldKitID, readText, false}, {fieldSequence, readNumber, false}, {fieldWon, readTruth, false},
	{fieldPublisher, readNumber, true}, {fieldMarketplace, readText, true},
}

// none is the number of an app that has none, as the developer settings write it.
const none = "0"

// readAdAttributionKit reads a postback and verifies its signature. Its faults
// name the field.
func (k *keys) readAdAttributionKit(body []byte) (posted, error) {
	var raw map[string]json.RawMessage
	if err := decode(body, &raw); err != nil {
		return posted{}, err
	}
	payload, test, err := k.verify(raw[fieldJWS])
	if err != nil {
		return posted{}, err
	}
	p, err := readPayload(payload)
	if err != nil {
		return posted{}, err
	}
	c := event.PlatformConversion{
		Framework: event.AdAttributionKit, Key: p[fieldKitID] + "/" + p[fieldSequence], Test: test, Network: p[fieldKitNetwork],
		Source: p[fieldSource], Marketplace: p[fieldMarketplace], Conversion: event.PlatformOutcome(p[fieldConversion]),
		Won: p[fieldWon] == "true", Sequence: sequence(p[fieldSequence]),
	}
	if p[fieldPublisher] != none {
		c.SourceApp = p[fieldPublisher]
	}
	readUnsigned(raw, &c)
	c.Interaction = event.PlatformInterest(unsignedText(raw[fieldInteraction], event.InteractionFlag, &c))
	return posted{item: p[fieldItem], conversion: c}, nil
}

// verify returns what Apple has signed, and whether with a key of developers' devices.
func (k *keys) verify(raw json.RawMessage) (payload []byte, test bool, err error) {
	var compact string
	if len(raw) == 0 || json.Unmarshal(raw, &compact) != nil || compact == "" {
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

// readPayload reads what Apple has signed. Its faults name the field behind that
// of the JWS.
func readPayload(payload []byte) (map[string]string, error) {
	var raw map[string]json.RawMessage
	if err := decode(payload, &raw); err != nil {
		return nil, err
	}
	p := map[string]string{}
	for _, f := range kitFields {
		field := fieldJWS + "." + f.name
		value, err := f.read(field, raw[f.name])
		if err != nil {
			return nil, err
		}
		if value == "" && !f.optional {
			return nil, fault.Bad(field, fault.Missing, "postbacks of AdAttributionKit have it")
		}
		p[f.name] = value
	}
	if p[fieldItem] == none {
		return nil, fault.Bad(fieldJWS+"."+fieldItem, fault.Unknown, "the app is a build of Xcode's: only one from a store has a number by which it is found")
	}
	switch event.PlatformOutcome(p[fieldConversion]) {
	case event.Download, event.Redownload, event.Reengagement:
		return p, nil
	}
	return nil, fault.Bad(fieldJWS+"."+fieldConversion, fault.Unknown, "%q is none of download, redownload and re-engagement", short(p[fieldConversion]))
}
