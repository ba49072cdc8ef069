package apple

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"waypost/internal/fault"
)

// signer signs as Apple does, with keys of its own.
type signer struct {
	t    testing.TB
	own  *ecdsa.PrivateKey
	test *ecdsa.PrivateKey // of developers' devices
}

func newSigner(t testing.TB) signer {
	t.Helper()
	var made [2]*ecdsa.PrivateKey
	for i := range made {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		made[i] = key
	}
	return signer{t, made[0], made[1]}
}

// exchanged signs with each key in the other's name.
func (s signer) exchanged() signer { return signer{s.t, s.test, s.own} }

// keys are the signer's under Apple's names.
func (s signer) keys() *keys {
	k := appleKeys()
	k.skAdNetwork, k.adAttributionKit = &s.own.PublicKey, map[string]*ecdsa.PublicKey{"apple-cas-identifier/0": &s.own.PublicKey}
	for kid := range k.test {
		k.test[kid] = &s.test.PublicKey
	}
	return k
}

// skAdNetwork is a postback of version 4.0 with one field changed, signed
// afterwards.
func (s signer) skAdNetwork(change ...any) string {
	s.t.Helper()
	fields := map[string]any{
		"version": "4.0", "ad-network-id": "net.skadnetwork", "source-identifier": "0042", "app-id": 525463029, "transaction-id": "T-1",
		"redownload": false, "source-app-id": 99, "fidelity-type": 0, "did-win": true, "postback-sequence-index": 0,
	}
	s.change(fields, change)
	var raw map[string]json.RawMessage
	if err := json.Unmarshal([]byte(s.text(fields)), &raw); err != nil {
		s.t.Fatal(err)
	}
	if p, err := readFields(raw); err == nil {
		digest := sha256.Sum256(p.signed())
		signature, err := ecdsa.SignASN1(rand.Reader, s.own, digest[:])
		if err != nil {
			s.t.Fatal(err)
		}
		fields["attribution-signature"] = base64.StdEncoding.EncodeToString(signature)
	}
	return s.text(fields)
}

// kit is a postback of AdAttributionKit with one field of its payload changed.
func (s signer) kit(kid, algorithm string, change ...any) string {
	s.t.Helper()
	return s.text(map[string]any{"jws-string": s.jws(kid, algorithm, change), "ad-interaction-type": "click"})
}

// kitBeside is one with a field beside the payload.
func (s signer) kitBeside(field string, value any) string {
	s.t.Helper()
	return s.text(map[string]any{"jws-string": s.jws("apple-cas-identifier/0", "ES256", nil), field: value})
}

func (s signer) jws(kid, algorithm string, change []any) string {
	s.t.Helper()
	fields := map[string]any{
		"advertised-item-identifier": 525463029, "ad-network-identifier": "net.adattributionkit", "source-identifier": "42", "conversion-type": "download",
		"impression-type": "app-impression", "postback-sequence-index": 1, "postback-identifier": "P-1", "did-win": true,
	}
	s.change(fields, change)
	if algorithm == "none" {
		part := base64.RawURLEncoding.EncodeToString
		return part([]byte(`{"alg":"none","kid":"`+kid+`"}`)) + "." + part([]byte(s.text(fields))) + "."
	}
	key := jose.SigningKey{Algorithm: jose.SignatureAlgorithm(algorithm), Key: jose.JSONWebKey{Key: s.own, KeyID: kid}}
	if strings.HasPrefix(kid, "apple-development-identifier/") {
		key.Key = jose.JSONWebKey{Key: s.test, KeyID: kid}
	}
	if algorithm == "HS256" {
		public, err := x509.MarshalPKIXPublicKey(&s.own.PublicKey) // what everybody knows, as if it were a secret
		if err != nil {
			s.t.Fatal(err)
		}
		key.Key = jose.JSONWebKey{Key: public, KeyID: kid}
	}
	signing, err := jose.NewSigner(key, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	signed, err := signing.Sign([]byte(s.text(fields)))
	if err != nil {
		s.t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		s.t.Fatal(err)
	}
	return text
}

// change sets a field, or removes it where its value is nil.
func (s signer) change(fields map[string]any, change []any) {
	if len(change) == 2 {
		fields[change[0].(string)] = change[1]
	}
	maps.DeleteFunc(fields, func(_ string, value any) bool { return value == nil })
}

func (s signer) text(fields map[string]any) string {
	s.t.Helper()
	text, err := json.Marshal(fields)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

// FuzzPostback: whatever is posted is refused with a kind, or signed.
func FuzzPostback(f *testing.F) {
	for _, e := range examples(f) {
		f.Add([]byte(e.Postback))
	}
	f.Add([]byte(`{"version":"4.0","app-id":{},"source-app-id":null}`))
	apple := appleKeys()
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, read := range []func([]byte) (posted, error){apple.readSKAdNetwork, apple.readAdAttributionKit} {
			p, err := read(body)
			switch {
			case err != nil && !fault.Is(err, fault.Invalid):
				t.Errorf("%q: %v", body, err)
			case err == nil && (p.item == "" || p.conversion.Key == "" || p.conversion.Network == "" || p.conversion.Conversion == ""):
				t.Errorf("%q is read as %+v", body, p)
			}
		}
	})
}
