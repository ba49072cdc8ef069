package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"waypost/attribution"
	"waypost/event"
	"waypost/eventlog"
	"waypost/store/sqlitestore"
)

// TestForbiddenStaysForbidden: what a person forbids holds for the open and the
// event that follow on the same connection, without a pause, and for those that
// follow later, though they speak of something else.
func TestForbiddenStaysForbidden(t *testing.T) {
	t.Parallel()
	const gaid, from = "38400000-8cf0-41bd-b23e-10b96e400070", "203.0.113.170"
	s := newShop(t)
	people := []struct {
		install string
		known   bool // has opened the app before
		answer  fields
		want    attribution.Consent
		address bool // may be kept
	}{
		{"refuses", false, fields{"measurement": "no"}, attribution.Consent{Measurement: attribution.No}, false},
		{"refuses-later", true, fields{"measurement": "no"}, attribution.Consent{Measurement: attribution.No}, false},
		{"child", false, fields{"coppa": true}, attribution.Consent{Child: true}, true},
		{"child-later", true, fields{"coppa": true}, attribution.Consent{Child: true}, true},
		{"limits", false, fields{"limit_ads": true}, attribution.Consent{LimitAds: true}, true},
		{"limits-later", true, fields{"limit_ads": true}, attribution.Consent{LimitAds: true}, true},
		{"no-ads", true, fields{"ad_personalization": false}, attribution.Consent{Advertising: attribution.No}, true},
	}
	happening := func(install, id string) fields {
		return said(install, from, fields{"ids": fields{"gaid": gaid}, "events": []fields{{"event_id": id, "name": "login"}}})
	}
	var calls []call
	for i := range people {
		p := &people[i]
		p.want.Tracking = attribution.Yes
		if p.known {
			s.open(first(p.install, "", nil))
		}
		calls = append(calls,
			call{"/sdk/v1/consent", said(p.install, from, fields{"consent": p.answer})},
			call{"/sdk/v1/open", said(p.install, from, fields{"session_id": "next", "att": fields{"status": 3}})},
			call{"/sdk/v1/events", happening(p.install, "at-once")})
	}
	s.pipeline(calls)
	s.settled()
	for _, p := range people {
		s.tell("/sdk/v1/open", said(p.install, from, fields{"session_id": "later", "ids": fields{"gaid": gaid}, "att": fields{"status": 3}, "consent": fields{"gdpr_applies": true}}), nil)
		s.tell("/sdk/v1/events", happening(p.install, "later"), nil)
	}
	s.close()

	told := s.ledger()
	for _, p := range people {
		lines := 0
		for i := range told {
			e := &told[i]
			if e.Install != p.install || e.Key == "first-"+p.install { // nothing was forbidden yet
				continue
			}
			lines++
			if len(e.IDs) > 0 || len(e.IPs) > 0 && !p.address {
				t.Errorf("of %s the ledger keeps %v and %v by the %s %s", p.install, e.IDs, e.IPs, e.Kind, e.Key)
			}
		}
		if lines != 5 {
			t.Errorf("of %s the ledger holds %d reports, want 5", p.install, lines)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	store, err := sqlitestore.Open(ctx, sqlitestore.Config{Path: filepath.Join(s.data, "waypost.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	for _, p := range people {
		if i, ok, err := store.ReadInstallation(ctx, 26538, p.install); err != nil || !ok || i.Consent != p.want {
			t.Errorf("%s permits %+v, %v, %v; want %+v", p.install, i.Consent, ok, err, p.want)
		}
	}
}

// call is one of the SDK's.
type call struct {
	path string
	said fields
}

// pipeline makes calls on one connection, each without waiting for the answer to
// the one before. All must succeed.
func (s *shop) pipeline(calls []call) {
	s.Helper()
	conn, err := net.Dial("tcp", s.p.api)
	if err != nil {
		s.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		s.Fatal(err)
	}
	var all bytes.Buffer
	for _, c := range calls {
		body, err := json.Marshal(c.said)
		if err != nil {
			s.Fatal(err)
		}
		fmt.Fprintf(&all, "POST %s HTTP/1.1\r\nHost: api.test\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", c.path, len(body), body)
	}
	if _, err := conn.Write(all.Bytes()); err != nil {
		s.Fatal(err)
	}
	answers := bufio.NewReader(conn)
	for _, c := range calls {
		resp, err := http.ReadResponse(answers, nil)
		if err != nil {
			s.Fatalf("%s: %v", c.path, err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			s.Fatalf("%s is answered %d %s, %v", c.path, resp.StatusCode, body, err)
		}
	}
}

// ledger is what apps told, as it stands in the ledger of a program that has ended.
func (s *shop) ledger() (all []event.Told) {
	s.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ledger, err := eventlog.Open(ctx, eventlog.Config{Dir: filepath.Join(s.data, "ledger")})
	if err != nil {
		s.Fatal(err)
	}
	defer ledger.Close()
	reader, err := ledger.Read(ctx, 0)
	if err != nil {
		s.Fatal(err)
	}
	defer reader.Close()
	for {
		b, ok, err := reader.TryNext(ctx)
		if err != nil {
			s.Fatal(err)
		}
		if !ok {
			return all
		}
		for line := range b.Lines() {
			if told, err := event.DecodeTold(line); err == nil { // clicks are none
				all = append(all, told)
			}
		}
	}
}
