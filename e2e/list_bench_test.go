package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"waypost/link"
	"waypost/store/sqlitestore"
)

// BenchmarkSmartLinksList asks the built program for pages of an account that
// has a thousand SmartLinks, or a million; one in 20 000 is called otherwise.

func BenchmarkSmartLinksList(b *testing.B) {
	for _, size := range []struct {
		name  string
		links int
		last  int // the last full page
	}{{"thousand", 1000, 40}, {"million", 1_000_000, 40_000}} {
		b.Run(size.name, func(b *testing.B) {
			p := listing(b, size.links)
			for _, q := range []struct {
				name, query string
				found       int // links of the page
			}{
				{"page 1", "", 25}, {"page 1, newest", "?sort=created_desc", 25}, {"page 1, active by name", "?sort=name_asc&is_active=true", 25},
				{"page 2", "?page=2", 25}, {"page 40", "?page=40", 25}, {"last page", fmt.Sprint("?page=", size.last), 25}, {"page behind the last", fmt.Sprint("?page=", size.last+1), 0},
				{"search, rare", "?search=jacquard", max(1, min(25, size.links/20_000))}, {"search, common", "?search=newsletter", 25}, {"search, absent", "?search=no+such+thing", 0},
				{"search, partner", "?search=wide+net", 25}, {"group", "?app_group_id=4833", 25},
			} {
				b.Run(q.name, func(b *testing.B) {
					for b.Loop() {
						p.page(b, q.query, q.found)
					}
				})
			}
		})
	}
}

// listing starts a program whose account has n SmartLinks.
func listing(b *testing.B, n int) *process {
	b.Helper()
	data := filepath.Join(b.TempDir(), "data")
	p := start(b, data, "--apply", "../examples/acme.yaml", "--log-level", "info")
	var made struct{ Data smartLink }
	p.key("Authentication-Key", "acme-admin-token").must(b, "POST", "/v1/links", `{"app_group_id":4833,"app_group_campaign_name":"C","name":"First","network_id":1201,"default":{"app_id":38581,"destination_url":"https://www.acme.test/"},
		"routes_by_app":[{"app_id":24171,"events":["_Install"],"routes":[{"name":"i","destination_url":"https://apps.apple.com/us/app/acme/id1234567890","reengagement_url":"acme://spring","rules":{"platform_in":["iOS"]}}]},
		{"app_id":26538,"events":[],"routes":[{"name":"a","destination_url":"https://play.google.com/store/apps/details?id=com.acme.app","rules":{"platform_in":["Android"]}}]}]}`, &made)
	if err := p.stop(); err != nil {
		b.Fatal(err)
	}
	multiply(b, data, link.LinkID(made.Data.ID), n)
	return start(b, data)
}

// multiply makes links like one that there is, until there are n.
func multiply(b *testing.B, data string, id link.LinkID, n int) {
	b.Helper()
	ctx := context.Background()
	store, err := sqlitestore.Open(ctx, sqlitestore.Config{Path: filepath.Join(data, "waypost.db")})
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	first, err := store.ReadLinkByID(ctx, id)
	if err != nil {
		b.Fatal(err)
	}
	began := time.Now()
	for at := 1; at < n; {
		var batch []*link.Link
		for ; len(batch) < 1000 && at < n; at++ {
			l, listing := first, *first.Listing
			l.Code = fmt.Sprintf("%013d", at)
			l.ID, l.Path, l.Listing = 0, link.HostPath("acme.localhost", l.Code), &listing
			listing.Name = fmt.Sprintf("%s newsletter %d", []string{"Spring", "Summer", "Autumn", "Winter"}[at%4], at)
			if at%20_000 == 500 {
				listing.Name = fmt.Sprint("Quixotic jacquard ", at)
			}
			listing.Identity = fmt.Sprintf("smartlinks\x004833\x00%s", strings.ToLower(listing.Name))
			l.CreatedAt = first.CreatedAt.Add(time.Duration(at) * time.Millisecond)
			l.UpdatedAt = l.CreatedAt
			batch = append(batch, &l)
		}
		if _, err := store.CreateLinks(ctx, batch, first.CreatedAt); err != nil {
			b.Fatal(err)
		}
	}
	b.Logf("%d links in %v", n, time.Since(began))
}

func (p *process) page(b *testing.B, query string, found int) {
	b.Helper()
	status, body := p.key("Authentication-Key", "acme-admin-token").call(b, http.MethodGet, "/v1/links"+query, "")
	if got := strings.Count(body, `"guid":`); status != http.StatusOK || got != found {
		b.Fatalf("GET /v1/links%s: %d, %d links, want %d: %.300s", query, status, got, found, body)
	}
}
