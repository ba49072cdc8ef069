package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// storm sends n requests at once and counts the answers by status.
func (p *process) storm(t *testing.T, n int, token string, request func(i int) (method, path, body string)) map[int]int {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 64, MaxIdleConnsPerHost: 64}, Timeout: patience}
	defer client.CloseIdleConnections()
	var mu sync.Mutex
	counts := map[int]int{}
	begin := make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			method, path, body := request(i)
			req, err := http.NewRequest(method, "http://"+p.api+path, strings.NewReader(body))
			if err != nil {
				t.Error(err)
				return
			}
			req.Header.Set("Authorization", token)
			<-begin
			resp, err := client.Do(req)
			if err != nil {
				t.Errorf("%s %s: %v", method, path, err)
				return
			}
			defer resp.Body.Close()
			mu.Lock()
			defer mu.Unlock()
			counts[resp.StatusCode]++
		})
	}
	close(begin)
	all.Wait()
	return counts
}

// TestManyWantTheSameId creates one id from both versions at once, then changes
// and deletes it at once: one creates it, one deletes it, and it is never half
// of two.
func TestManyWantTheSameId(t *testing.T) {
	t.Parallel()
	p, _ := limited(t, map[string]int64{"onelink.v1_per_second": 100_000, "onelink.v2_per_second": 100_000})
	const many = 100
	for round := range 3 {
		id := fmt.Sprintf("race%d", round)
		got := p.storm(t, many, "golden-token", func(i int) (method, path, body string) {
			if i%2 == 0 {
				return "POST", "/shortlink/v1/A1b3?id=" + id, fmt.Sprintf(`{"data":{"pid":"p%d","c":"p%d"}}`, i, i)
			}
			return "POST", "/api/v2.0/shortlinks/A1b3", fmt.Sprintf(`{"data":{"pid":"p%d","c":"p%d"},"shortlink_id":%q}`, i, i, id)
		})
		if got[200] != 1 || got[409] != many-1 {
			t.Errorf("creating %s: %v", id, got)
		}
		got = p.storm(t, many, "golden-token", func(i int) (method, path, body string) {
			return "PUT", "/api/v2.0/shortlinks/A1b3/" + id, fmt.Sprintf(`{"data":{"pid":"q%d","c":"q%d"}}`, i, i)
		})
		if got[200] != many {
			t.Errorf("changing %s: %v", id, got)
		}
		_, body := p.call(t, "GET", "/shortlink/v1/A1b3?id="+id, "golden-token", "")
		var pid, c int
		if _, err := fmt.Sscanf(body, `{"pid":"q%d","c":"q%d"}`, &pid, &c); err != nil || pid != c {
			t.Errorf("after the changes %s is %s", id, body)
		}
		got = p.storm(t, many, "golden-token", func(int) (method, path, body string) {
			return "DELETE", "/api/v2.0/shortlinks/A1b3/" + id, ""
		})
		if got[200] != 1 || got[404] != many-1 {
			t.Errorf("deleting %s: %v", id, got)
		}
	}
}

// TestQuotaIsNeverExceeded spends a month's quota from many connections.
func TestQuotaIsNeverExceeded(t *testing.T) {
	t.Parallel()
	const quota, many = 37, 200
	p, _ := limited(t, map[string]int64{"onelink.monthly_writes": quota})
	got := p.storm(t, many, "golden-token", func(i int) (method, path, body string) {
		return "POST", "/api/v2.0/shortlinks/A1b3", `{"data":{"pid":"x"}}`
	})
	if got[200] != quota || got[429] != many-quota {
		t.Errorf("of %d creates: %v; the quota is %d", many, got, quota)
	}
	if _, body := p.call(t, "GET", "/api/v2.0/shortlinks-quota/ACC1", "golden-token", ""); body != `{"remaining_api_calls":0}` {
		t.Errorf("quota: %s", body)
	}
}
