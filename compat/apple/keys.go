package apple

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/base64"
)

// keys are what postbacks are signed with.
type keys struct {
	skAdNetwork *ecdsa.PublicKey
	// adAttributionKit are by the kid of a JWS; test are those of devices in
	// developers' hands.
	adAttributionKit, test map[string]*ecdsa.PublicKey
}

// appleKeys are Apple's own, as "Verifying an install-validation postback"
// (SKAdNetwork 2.1 and later) and "Verifying a postback" (AdAttributionKit)
// publish them. They are P-256 and have not changed since they were published.
func appleKeys() *keys {
	const production = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEWdp8GPcGqmhgzEFj9Z2nSpQVddayaPe4FMzqM9wib1+aHaaIzoHoLN9zW4K8y4SPykE3YVK3sVqW6Af0lfx3gg=="
	return &keys{
		skAdNetwork: publicKey(production),
		adAttributionKit: map[string]*ecdsa.PublicKey{
			"apple-cas-identifier/0": publicKey(production),
		},
		test: map[string]*ecdsa.PublicKey{
			// of whole flows with a developer's app
			"apple-development-identifier/0": publicKey("MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAELeEDzpJEP+/qRSE5hJVC1p1J0ssUnQGMzBBbvnACBok8OVGGLgxL0myrKiy6lvRtSlLRsWit87i+vftD8AEqeQ=="),
			// of postbacks that the developer settings make
			"apple-development-identifier/1": publicKey("MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE8YzdO7eM97s/IJ25kdW5CZ3A14USE5IJ5Ha/vhWaxI6UBI1ZxCEvjrKxVluVGe6qWwF1BDFq+QHqKfH5u+wxHQ=="),
		},
	}
}

// publicKey reads a key of this file.
func publicKey(text string) *ecdsa.PublicKey {
	der, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		panic("apple: a published key is not base64: " + err.Error())
	}
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		panic("apple: a published key cannot be read: " + err.Error())
	}
	return key.(*ecdsa.PublicKey)
}
