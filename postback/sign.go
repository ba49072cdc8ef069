package postback

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// SignatureHeader carries what Sign makes.
const SignatureHeader = "Waypost-Signature"

// KeyHeader carries the delivery's key, by which receivers know a repetition.
const KeyHeader = "Idempotency-Key"

// Request is what a signature covers.
type Request struct {
	Method string
	URL    string // whole, as it is configured and filled, without user and fragment
	Body   string
}

// Sign returns the value of SignatureHeader for a request that is sent at the time.
func Sign(secret string, at time.Time, r Request) string {
	t := strconv.FormatInt(at.Unix(), 10)
	return "t=" + t + ",v1=" + hex.EncodeToString(sum(secret, t, r))
}

func sum(secret, t string, r Request) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "%s.%s %s\n%s", t, r.Method, r.URL, r.Body)
	return mac.Sum(nil)
}

// Tolerance is how old a signature may be before receivers should refuse it.
const Tolerance = 5 * time.Minute

// Why a signature is refused.
var (
	ErrNoSignature  = errors.New("the " + SignatureHeader + " header is missing or not of the form t=<unix seconds>,v1=<hex>")
	ErrOldSignature = errors.New("the signature's time is too far from now")
	ErrBadSignature = errors.New("the signature does not match the request")
)

// Verify is what a receiver does: it checks the header of a request that came
// now. Several v1 may be there, of which one must match. A receiver that
// rotates its secret tries each of them.
func Verify(secret, header string, r Request, now time.Time) error {
	var t string
	var sums []string
	for part := range strings.SplitSeq(header, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "t":
			t = value
		case "v1":
			sums = append(sums, value)
		}
	}
	at, err := strconv.ParseInt(t, 10, 64)
	if err != nil || len(sums) == 0 {
		return ErrNoSignature
	}
	if now.Sub(time.Unix(at, 0)).Abs() > Tolerance {
		return ErrOldSignature
	}
	want := sum(secret, t, r)
	for _, s := range sums {
		if got, err := hex.DecodeString(s); err == nil && hmac.Equal(got, want) {
			return nil
		}
	}
	return ErrBadSignature
}
