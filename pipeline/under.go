package pipeline

import (
	"cmp"
	"context"
	"slices"
	"time"

	"waypost/attribution"
	"waypost/attribution/history"
)

// What a step has made is found by key as the store finds it: a few of the
// newest, however many there are. A step may hold thousands under one key.

// touchIndex are a step's touches under each key by their numbers, the newest
// last, of equal age the one that came later.
type touchIndex map[attribution.Key][]int

// add files the newest number.
func (x touchIndex) add(k attribution.Key, touches []history.Touch, n int) {
	at := touches[n].At
	x[k] = slices.Insert(x[k], firstAfter(x[k], touches, at), n)
}

// newest returns the touches of a lookup, the newest first, MaxPerKey at most.
func (x touchIndex) newest(l *attribution.Lookup, touches []history.Touch) (found []history.Touch) {
	under := x[l.Key]
	for _, n := range slices.Backward(under[:firstAfter(under, touches, l.Until)]) {
		if len(found) == attribution.MaxPerKey || touches[n].At.Before(l.Since) {
			break
		}
		found = append(found, touches[n])
	}
	return found
}

// firstAfter is where those begin that are newer than an instant.
func firstAfter(under []int, touches []history.Touch, at time.Time) int {
	i, _ := slices.BinarySearchFunc(under, at, func(n int, at time.Time) int {
		if touches[n].At.After(at) {
			return 1
		}
		return -1
	})
	return i
}

// mostInstallations bounds those that are looked at under one key. Every rule
// about their number is satisfied with far fewer.
const mostInstallations = 64

// installIndex are the installations that a step has changed, under each key,
// the newest last.
type installIndex map[attribution.Key][]*history.Installation

func newestFirst(a, b *history.Installation) int {
	return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.App, b.App), cmp.Compare(a.ID, b.ID))
}

func newestLast(a, b *history.Installation) int { return newestFirst(b, a) }

func (x installIndex) add(k attribution.Key, i *history.Installation) {
	if n, known := slices.BinarySearchFunc(x[k], i, newestLast); !known {
		x[k] = slices.Insert(x[k], n, i)
	}
}

func (x installIndex) remove(k attribution.Key, i *history.Installation) {
	if n, known := slices.BinarySearchFunc(x[k], i, newestLast); known {
		x[k] = slices.Delete(x[k], n, n+1)
	}
}

// newest returns those under a key, the newest first, mostInstallations at most.
func (x installIndex) newest(k attribution.Key) []*history.Installation {
	under := x[k]
	found := slices.Clone(under[max(0, len(under)-mostInstallations):])
	slices.Reverse(found)
	return found
}

// save keeps what is known of an installation now.
func (h *ahead) save(i *history.Installation) {
	k := installKey{i.App, i.ID}
	known := h.installs[k]
	if known == nil {
		known = &history.Installation{App: i.App, ID: i.ID, At: i.At}
		h.installs[k] = known
		h.newInstalls = append(h.newInstalls, k)
	}
	moved := !known.At.Equal(i.At)
	before, after := slices.Concat(known.Identity, known.Address), slices.Concat(i.Identity, i.Address)
	for _, key := range before {
		if moved || !slices.Contains(after, key) {
			h.installsBy.remove(key, known)
		}
	}
	*known = *i
	for _, key := range after {
		if moved || !slices.Contains(before, key) {
			h.installsBy.add(key, known)
		}
	}
}

// findInstallations returns the installations under any of the keys, each once.
func (h *ahead) findInstallations(ctx context.Context, keys []attribution.Key, since time.Time) ([]history.Installation, error) {
	if err := h.readStored(ctx, keys, since); err != nil {
		return nil, err
	}
	var found []history.Installation
	seen := map[installKey]bool{}
	for _, key := range keys {
		under := append(h.installsBy.newest(key), h.stored.under[questionOf(key, since)].newest()...)
		slices.SortFunc(under, newestFirst)
		for _, i := range under[:min(len(under), mostInstallations)] {
			if k := (installKey{i.App, i.ID}); !seen[k] {
				seen[k] = true
				found = append(found, *i)
			}
		}
	}
	return found, nil
}

// storedInstalls are the installations that the store has answered with. It
// changes with the step's commit alone, so that it is asked once in a step.
type storedInstalls struct {
	under map[question]storedList
	held  int // installations and questions
}

// mostStored bounds what is held of the store, installations and questions:
// some megabytes.
const mostStored = 16 << 10

// question is what the store was asked.
type question struct {
	key   attribution.Key
	since int64 // Unix milliseconds
}

// questionOf is the same where the store answers the same.
func questionOf(k attribution.Key, since time.Time) question {
	if k.Kind == attribution.AddressKey {
		since = since.Truncate(time.Hour)
	}
	return question{k, since.UnixMilli()}
}

// storedList is an answer, the newest first.
type storedList struct {
	asked int // most
	full  bool
	list  []*history.Installation // but for some that the step has changed
}

func (l storedList) newest() []*history.Installation {
	return l.list[:min(len(l.list), mostInstallations)]
}

// readStored asks the store for what is not known of it, until the newest
// mostInstallations under each key are those that the step has not changed.
func (h *ahead) readStored(ctx context.Context, keys []attribution.Key, since time.Time) error {
	s := &h.stored
	if s.under == nil || s.held > mostStored {
		*s = storedInstalls{under: map[question]storedList{}}
	}
	for {
		var short []attribution.Key
		most := mostInstallations
		for _, k := range keys {
			l, known := s.under[questionOf(k, since)]
			if known {
				l.list = h.unchanged(l.list)
				s.under[questionOf(k, since)] = l
			}
			if !known || l.full && len(l.list) < mostInstallations {
				short, most = append(short, k), max(most, 2*l.asked)
			}
		}
		if len(short) == 0 {
			return nil
		}
		found, err := h.store.FindInstallations(ctx, short, since, most)
		if err != nil {
			return err
		}
		for n, k := range short {
			l := storedList{asked: most, full: len(found[n]) >= most}
			for i := range found[n] {
				l.list = append(l.list, &found[n][i])
			}
			s.under[questionOf(k, since)] = l
			s.held += 1 + len(l.list)
		}
	}
}

// unchanged takes those out that the step has changed, as far as the newest
// mostInstallations reach.
func (h *ahead) unchanged(list []*history.Installation) []*history.Installation {
	kept := 0
	for n, i := range list {
		if kept == mostInstallations {
			return slices.Delete(list, kept, n)
		}
		if h.installs[installKey{i.App, i.ID}] == nil {
			list[kept] = i
			kept++
		}
	}
	return list[:kept]
}
