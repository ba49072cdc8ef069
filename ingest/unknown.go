package ingest

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"waypost/attribution/history"
	"waypost/link"
)

// MostUnknown bounds what is kept of one account's unknown names of a kind:
// anybody who knows a public key can invent names. The newest are kept.
const MostUnknown = 32

// longestUnknown cuts an invented name, bytes.
const longestUnknown = 128

// UnknownStore keeps what reports named and nobody has.
type UnknownStore interface {
	// AddUnknown adds the reports of unknown names to what is kept of them, and
	// keeps the newest of each account and kind, most at most.
	AddUnknown(ctx context.Context, more []history.Unknown, most int) error
	// ListUnknown returns what is kept of the account's unknown names, the newest first.
	ListUnknown(ctx context.Context, account link.AccountID) ([]history.Unknown, error)
}

// NoteUnknown counts a report that named what nobody has, and shows the name to
// the account that it meant; zero: nobody knows which. The service does so itself
// where it looks for the app; dialects do where they have looked by themselves.
func (s *Service) NoteUnknown(account link.AccountID, kind history.UnknownKind, name string) {
	count := &s.counters.unknownApps
	if kind == history.UnknownKey {
		count = &s.counters.unknownKeys
	}
	count.Add(1)
	s.unknowns.add(history.Unknown{Account: account, Kind: kind, Name: name, Reports: 1, LastAt: s.cfg.Now()})
}

// unknowns are names that were heard and are not in the store yet.
type unknowns struct {
	// writing is held while names are on their way to the store, and by readers
	// of both, so that none is missed or counted twice. It comes before mu.
	writing sync.Mutex

	mu    sync.Mutex // guards heard
	heard map[link.AccountID][]history.Unknown
}

func (u *unknowns) add(more history.Unknown) {
	more.Name = cut(more.Name, longestUnknown)
	if more.Account == 0 || more.Name == "" {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.heard == nil {
		u.heard = map[link.AccountID][]history.Unknown{}
	}
	u.heard[more.Account] = mergeUnknown(u.heard[more.Account], more)
}

// mergeUnknown adds the reports of a name to a list. Where there are too many of
// its kind, the oldest makes room.
func mergeUnknown(list []history.Unknown, more history.Unknown) []history.Unknown {
	oldest, ofKind := -1, 0
	for i := range list {
		switch known := &list[i]; {
		case known.Kind != more.Kind:
			continue
		case known.Name == more.Name:
			known.Reports += more.Reports
			if more.LastAt.After(known.LastAt) {
				known.LastAt = more.LastAt
			}
			return list
		case oldest < 0 || known.LastAt.Before(list[oldest].LastAt):
			oldest = i
		}
		ofKind++
	}
	if ofKind < MostUnknown {
		return append(list, more)
	}
	if !more.LastAt.Before(list[oldest].LastAt) {
		list[oldest] = more
	}
	return list
}

func (u *unknowns) of(account link.AccountID) []history.Unknown {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Clone(u.heard[account])
}

func (u *unknowns) takeAll() []history.Unknown {
	u.mu.Lock()
	defer u.mu.Unlock()
	var all []history.Unknown
	for _, list := range u.heard {
		all = append(all, list...)
	}
	u.heard = nil
	return all
}

// Unknown lists the names of apps, and the SDK keys, that reports meant the
// account by and nobody has: the latest first, at most MostUnknown of each kind.
func (s *Service) Unknown(ctx context.Context, account link.AccountID) ([]history.Unknown, error) {
	var list []history.Unknown
	s.unknowns.writing.Lock()
	defer s.unknowns.writing.Unlock()
	if s.cfg.Unknown != nil {
		var err error
		if list, err = s.cfg.Unknown.ListUnknown(ctx, account); err != nil {
			return nil, err
		}
	}
	for _, more := range s.unknowns.of(account) {
		list = mergeUnknown(list, more)
	}
	slices.SortFunc(list, func(a, b history.Unknown) int {
		return cmp.Or(b.LastAt.Compare(a.LastAt), strings.Compare(a.Name, b.Name), cmp.Compare(a.Kind, b.Kind))
	})
	return list, nil
}

const (
	// flushEvery is how often unknown names go to the store: what a crash loses of
	// their counts.
	flushEvery = 5 * time.Second
	// lastFlush bounds the one at the end.
	lastFlush = 2 * time.Second
)

// Run brings unknown names to the store until ctx ends, and once more then.
func (s *Service) Run(ctx context.Context) {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		select {
		case <-tick.C:
			s.flush(ctx)
		case <-ctx.Done():
		}
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastFlush)
	defer cancel()
	s.flush(last)
}

// flush brings to the store what was heard. What the store does not take stays
// heard.
func (s *Service) flush(ctx context.Context) {
	if s.cfg.Unknown == nil {
		return
	}
	s.unknowns.writing.Lock()
	defer s.unknowns.writing.Unlock()
	all := s.unknowns.takeAll()
	if len(all) == 0 {
		return
	}
	if err := s.cfg.Unknown.AddUnknown(ctx, all, MostUnknown); err != nil {
		s.cfg.Logger.Error("names of unknown apps could not be stored; they are tried again", "names", len(all), "error", err)
		for _, u := range all {
			s.unknowns.add(u)
		}
	}
}
