package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestUnknownNamesSurvive: an app that the account does not have, and a key that
// nobody has, are shown to the account also after the program was started anew.
func TestUnknownNamesSurvive(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	report := func(key, bundle string) {
		t.Helper()
		body := fmt.Sprintf(`{"app_key":%q,"app":{"bundle":%q,"platform":"android"},"install_uuid":"x"}`, key, bundle)
		if status, answer := s.p.call(t, http.MethodPost, "/sdk/v1/open", "", body); status != http.StatusNotFound {
			t.Errorf("%s of %s is answered %d %s", bundle, key, status, answer)
		}
	}
	shown := func(want ...string) {
		t.Helper()
		status, body := s.p.call(t, http.MethodGet, "/waypost/v1/unknown-apps", "acme-read-token", "")
		for _, part := range want {
			if status != http.StatusOK || !strings.Contains(body, part) {
				t.Errorf("unknown apps are %d %s, want %s", status, body, part)
			}
		}
	}
	for range 3 {
		report("acme-sdk-key", "com.acme.typo")
	}
	report("acme-sdk-kay", "com.acme.app")
	const typo, key = `"apps":[{"name":"com.acme.typo","reports":%d,`, `"keys":[{"name":"acme-sdk-kay","reports":1,`
	shown(fmt.Sprintf(typo, 3), key)
	if err := s.p.stop(); err != nil {
		t.Fatalf("stop: %v\n%s", err, s.p.log)
	}
	s.p = s.start()
	shown(fmt.Sprintf(typo, 3), key)
	report("acme-sdk-key", "com.acme.typo")
	shown(fmt.Sprintf(typo, 4), key)
}
