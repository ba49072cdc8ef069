package ingest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// SignatureHeader carries a signature of our own API: "t=TEXT,v1=HEX", where
// HEX is HMAC-SHA256 of "TEXT.BODY" under the account's SDK secret.
const SignatureHeader = "Waypost-Signature"

// Sign returns the header's value. t is usually the Unix time of sending.
func Sign(secret, t string, body []byte) string {
	return "t=" + t + ",v1=" + hex.EncodeToString(signature(secret, t, body))
}

// Verify reports whether the header signs the body as it was sent, before any
// decompression. The age of t is nobody's business: clocks of devices are
// wrong, and a report that is sent again repeats its key.
func Verify(secret, header string, body []byte) bool {
	var t, v1 string
	for part := range strings.SplitSeq(header, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "t":
			t = value
		case "v1":
			v1 = value
		}
	}
	sent, err := hex.DecodeString(v1)
	return err == nil && secret != "" && t != "" && hmac.Equal(sent, signature(secret, t, body))
}

func signature(secret, t string, body []byte) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(t))
	mac.Write([]byte{'.'})
	mac.Write(body)
	return mac.Sum(nil)
}
