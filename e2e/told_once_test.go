package e2e_test

import (
	"fmt"
	"sync"
	"testing"
)

// TestReportedClicksCountOnce: a network's server that tells of a click from many
// connections at once, and again after the program was killed, has told of one.
func TestReportedClicksCountOnce(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	tell := func(kind, id string) {
		t.Helper()
		status, text := s.p.key("authorization", "acme-admin-token").call(t, "POST", "/v1.0/s2s/"+kind+"/app/android/com.acme.app",
			fmt.Sprintf(`{"af_media_source":"wide_int","af_campaign_id":"c1","af_request_id":%q}`, id))
		if status != 200 {
			t.Errorf("%s %s is answered %d %s", kind, id, status, text)
		}
	}
	const ids = 5
	tellAll := func(connections int) {
		t.Helper()
		var telling sync.WaitGroup
		for range connections {
			for n := range ids {
				telling.Go(func() { tell("click", fmt.Sprint("r-", n)) })
			}
		}
		telling.Wait()
	}
	tellAll(16)
	s.p.kill()
	s.p = s.start()
	tellAll(2)
	tell("impression", "last") // is counted after all of them
	s.counted("group_by=metric", map[string]int{"impressions": 1, "clicks": ids})
}
