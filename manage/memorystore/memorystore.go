// Package memorystore keeps what manage stores in memory, by the contract of
// manage.Store. It is the only fake of a store: tests of rules use it, the
// program never does. What it holds ends with the process.
package memorystore

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"waypost/internal/fault"
	"waypost/link"
	"waypost/manage"
	"waypost/report"
)

var _ manage.Store = (*Store)(nil)

// Store holds everything behind one mutex, so that every method is one
// transaction. Values are copied on their way in and out.
type Store struct {
	mu      sync.Mutex
	catalog link.Catalog
	links   map[link.LinkID]*link.Link
	paths   map[link.Path]link.LinkID
	lastID  link.LinkID
	usage   map[counter]int64

	campaigns    map[link.CampaignID]link.Campaign
	lastCampaign link.CampaignID
}

type counter struct {
	account link.AccountID
	name    report.UsageName
	day     report.Day
}

// New returns an empty store.
func New() *Store {
	return &Store{
		links: map[link.LinkID]*link.Link{}, paths: map[link.Path]link.LinkID{}, usage: map[counter]int64{},
		campaigns: map[link.CampaignID]link.Campaign{},
	}
}

// copied returns a deep copy, as a database would hand it out.
func copied(c link.Catalog) (out link.Catalog, err error) {
	text, err := json.Marshal(c)
	if err == nil {
		err = json.Unmarshal(text, &out)
	}
	if err != nil {
		return link.Catalog{}, fmt.Errorf("copy catalog: %w", err)
	}
	return out, nil
}

// LoadCatalog returns everything that was saved.
func (s *Store) LoadCatalog(context.Context) (link.Catalog, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return copied(s.catalog)
}

// SaveCatalog creates or replaces the things of changed.
func (s *Store) SaveCatalog(_ context.Context, changed link.Catalog) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	next, err := copied(s.catalog)
	if err != nil {
		return err
	}
	if changed, err = copied(changed); err != nil {
		return err
	}
	next.Accounts = merge(next.Accounts, changed.Accounts, func(a link.Account) any { return a.ID })
	next.Agencies = merge(next.Agencies, changed.Agencies, func(a link.Agency) any { return a.ID })
	next.Tokens = merge(next.Tokens, changed.Tokens, func(t link.Token) any {
		return [3]any{t.Account, t.Agency, t.Name}
	})
	next.Apps = merge(next.Apps, changed.Apps, func(a link.App) any { return a.ID })
	next.AppGroups = merge(next.AppGroups, changed.AppGroups, func(g link.AppGroup) any { return g.ID })
	next.Domains = merge(next.Domains, changed.Domains, func(d link.Domain) any { return d.Host })
	next.Shared = merge(next.Shared, changed.Shared, func(d link.SharedDomain) any { return d.Host })
	next.Templates = merge(next.Templates, changed.Templates, func(t link.Template) any { return t.ID })
	next.Partners = merge(next.Partners, changed.Partners, func(p link.Partner) any {
		return link.PartnerRef{Account: p.Account, ID: p.ID}
	})
	next.Postbacks = merge(next.Postbacks, changed.Postbacks, func(p link.Postback) any { return [2]any{p.Account, p.Key} })
	s.catalog = next
	return nil
}

// merge replaces things of the same identity and appends the others.
func merge[T any](all, changed []T, identity func(T) any) []T {
	at := make(map[any]int, len(all))
	for i := range all {
		at[identity(all[i])] = i
	}
	for _, thing := range changed {
		if i, ok := at[identity(thing)]; ok {
			all[i] = thing
			continue
		}
		at[identity(thing)] = len(all)
		all = append(all, thing)
	}
	return all
}

// CreateLinks inserts the links whose paths and identities are free.
func (s *Store) CreateLinks(_ context.Context, links []*link.Link, now time.Time) ([]link.Taken, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	taken := make([]link.Taken, len(links))
	fresh := make(map[link.Path]bool, len(links))
	for i, l := range links {
		if taken[i] = s.insert(l, fresh[l.Path], now); taken[i] == link.Free {
			fresh[l.Path] = true
		}
	}
	return taken, nil
}

// insert keeps a link where it may; again says that this call has made one at
// its path already.
func (s *Store) insert(l *link.Link, again bool, now time.Time) link.Taken {
	old := s.links[s.paths[l.Path]]
	if again || old != nil && !old.Expired(now) {
		return link.PathTaken
	}
	if old != nil {
		delete(s.links, old.ID) // its identity goes with it
	}
	if !s.identityFree(l) {
		if old != nil {
			s.links[old.ID] = old
		}
		return link.IdentityTaken
	}
	s.lastID++
	l.ID = s.lastID
	s.settle(l, now)
	s.links[l.ID] = kept(l)
	s.paths[l.Path] = l.ID
	return link.Free
}

// kept returns the link as a database keeps it.
func kept(l *link.Link) *link.Link {
	row := *l
	row.Data = slices.Clone(l.Data)
	row.TargetHosts = nil
	if l.Listing != nil {
		listing := *l.Listing
		listing.CampaignName = ""
		row.Listing = &listing
	}
	return &row
}

// ReadLink returns the link at a path, expired or not.
func (s *Store) ReadLink(_ context.Context, path link.Path) (link.Link, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, ok := s.paths[path]
	if !ok {
		return link.Link{}, fault.New(fault.NotFound, "no link at %s", path)
	}
	return s.told(s.links[id]), nil
}

// UpdateLink replaces everything but the identity of a link: its id, account,
// template, code and path, and when it was made.
func (s *Store) UpdateLink(_ context.Context, l *link.Link) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, ok := s.links[l.ID]
	if !ok {
		return fault.New(fault.NotFound, "no link %d", l.ID)
	}
	if !s.identityFree(l) {
		return &fault.Error{Kind: fault.Conflict, Field: "name", Reason: fault.Taken, Message: "another link has it"}
	}
	s.settle(l, l.UpdatedAt)
	row := kept(l)
	row.Account, row.Template, row.Code, row.Path, row.CreatedAt = old.Account, old.Template, old.Code, old.Path, old.CreatedAt
	s.links[l.ID] = row
	return nil
}

// DeleteLink removes a link.
func (s *Store) DeleteLink(_ context.Context, id link.LinkID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, ok := s.links[id]
	if !ok {
		return fault.New(fault.NotFound, "no link %d", id)
	}
	delete(s.links, id)
	delete(s.paths, l.Path)
	return nil
}

// SweepLinks removes up to most links that expired before the instant.
func (s *Store) SweepLinks(_ context.Context, before time.Time, most int) ([]link.Path, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var swept []link.Path
	for id, l := range s.links {
		if len(swept) == most {
			break
		}
		if l.ExpiresAt.IsZero() || !l.ExpiresAt.Before(before) {
			continue
		}
		delete(s.links, id)
		delete(s.paths, l.Path)
		swept = append(swept, l.Path)
	}
	return swept, nil
}

// TakeUsage adds calls to a day's counter unless the month's sum would exceed
// the limit.
func (s *Store) TakeUsage(_ context.Context, u report.Usage, limit link.Limit) (int64, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	year, month, _ := u.Day.Time().Date()
	var used int64
	for c, calls := range s.usage {
		y, m, _ := c.day.Time().Date()
		if c.account == u.Account && c.name == u.Name && y == year && m == month {
			used += calls
		}
	}
	if limit != link.Unlimited && used+u.Calls > int64(limit) {
		return used, false, nil
	}
	s.usage[counter{u.Account, u.Name, u.Day}] += u.Calls
	return used + u.Calls, true, nil
}

// ReadUsage returns the account's counters of the days, by name and day.
func (s *Store) ReadUsage(_ context.Context, account link.AccountID, from, to report.Day) ([]report.Usage, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []report.Usage
	for c, calls := range s.usage {
		if c.account == account && c.day >= from && c.day <= to {
			out = append(out, report.Usage{Account: account, Name: c.name, Day: c.day, Calls: calls})
		}
	}
	slices.SortFunc(out, func(a, b report.Usage) int {
		if a.Name != b.Name {
			if a.Name < b.Name {
				return -1
			}
			return 1
		}
		return int(a.Day) - int(b.Day)
	})
	return out, nil
}
