package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/maphash"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/internal/fault"
	"waypost/link"
)

// Replay is how what was decided compares with what the ledger comes to now.
type Replay struct {
	Decisions   int                  `json:"decisions"` // conversions that were compared
	Differences []DecisionDifference `json:"differences"`
	More        int                  `json:"more"` // differences beyond those listed
	Redecided   bool                 `json:"redecided"`
}

// DecisionDifference is a conversion that was decided otherwise than it is now.
// Got and Want tell each decision in a sentence; empty: there is none.
type DecisionDifference struct {
	App        link.AppID               `json:"app"`
	Install    string                   `json:"install"`
	Conversion attribution.ConversionID `json:"conversion"`
	Got        string                   `json:"got"`
	Want       string                   `json:"want"`
}

// Replay decides the whole ledger anew in an empty store, by the links and
// settings of now, and compares every decision with the one that was made. It
// tells nobody anything. Deciding goes on meanwhile, but for the comparison
// itself. It holds 16 bytes for each decision, and refuses where the ledger no
// longer holds its beginning.
func (a *Attributor) Replay(ctx context.Context, scratch HistoryStore) (Replay, error) {
	if err := a.needBeginning(ctx); err != nil {
		return Replay{}, err
	}
	again, err := NewAttributor(ctx, AttributorConfig{
		Store: scratchStore{scratch, a.cfg.Store}, Ledger: a.cfg.Ledger, Directory: a.cfg.Directory, Touchers: a.cfg.Touchers,
	})
	if err != nil {
		return Replay{}, err
	}
	defer again.close()
	if err := again.CatchUp(ctx); err != nil {
		return Replay{}, fmt.Errorf("decide the ledger anew: %w", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.catchUp(ctx); err != nil {
		return Replay{}, err
	}
	if err := again.CatchUp(ctx); err != nil {
		return Replay{}, fmt.Errorf("decide the ledger anew: %w", err)
	}
	return compareDecisions(ctx, a.cfg.Store, scratch)
}

// scratchStore is a store of decisions whose links are another one's.
type scratchStore struct {
	HistoryStore
	links HistoryStore
}

// ReadLinkByID reads the link that the other store has.
func (s scratchStore) ReadLinkByID(ctx context.Context, id link.LinkID) (link.Link, error) {
	return s.links.ReadLinkByID(ctx, id)
}

// needBeginning refuses where the ledger no longer holds its beginning.
func (a *Attributor) needBeginning(ctx context.Context) error {
	state, err := a.cfg.Ledger.State(ctx)
	if err != nil {
		return fmt.Errorf("read where the ledger begins: %w", err)
	}
	if state.First > 1 || state.Batches == 0 && state.Last > 0 {
		return fault.New(fault.Conflict, "the ledger begins with batch %d: what was decided of the batches before it cannot be made anew", state.First)
	}
	return nil
}

func (a *Attributor) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.dropReader()
}

// decisionRef names a decision.
type decisionRef struct {
	app        link.AppID
	install    string
	conversion attribution.ConversionID
}

func refOf(d *history.Decided) decisionRef { return decisionRef{d.App, d.Install, d.Conversion} }

// differing are the decisions in which two stores differ.
type differing struct {
	refs []decisionRef
	more int
}

func (d *differing) add(ref decisionRef) {
	if len(d.refs) < maxDifferences {
		d.refs = append(d.refs, ref)
	} else {
		d.more++
	}
}

func compareDecisions(ctx context.Context, got, want HistoryStore) (Replay, error) {
	seed, digests, found := maphash.MakeSeed(), map[uint64]uint64{}, differing{}
	r := Replay{Differences: []DecisionDifference{}}
	key := func(d *history.Decided) uint64 { return maphash.Comparable(seed, refOf(d)) }
	content := func(d *history.Decided) (uint64, error) {
		text, err := json.Marshal(d)
		return maphash.Bytes(seed, text), err
	}
	err := want.EachDecided(ctx, func(d history.Decided) (err error) {
		digests[key(&d)], err = content(&d)
		return err
	})
	if err != nil {
		return r, fmt.Errorf("read what the ledger comes to: %w", err)
	}
	r.Decisions = len(digests)
	err = got.EachDecided(ctx, func(d history.Decided) error {
		k := key(&d)
		expected, known := digests[k]
		delete(digests, k)
		is, err := content(&d)
		switch {
		case !known:
			r.Decisions++
			found.add(refOf(&d))
		case is != expected:
			found.add(refOf(&d))
		}
		return err
	})
	if err != nil {
		return r, fmt.Errorf("read what was decided: %w", err)
	}
	if len(digests) > 0 { // only now are they decided
		err = want.EachDecided(ctx, func(d history.Decided) error {
			if _, missing := digests[key(&d)]; missing {
				found.add(refOf(&d))
			}
			return nil
		})
		if err != nil {
			return r, fmt.Errorf("read what the ledger comes to: %w", err)
		}
	}
	r.More = found.more
	for _, ref := range found.refs {
		difference, err := ref.describe(ctx, got, want)
		if err != nil {
			return r, err
		}
		r.Differences = append(r.Differences, difference)
	}
	return r, nil
}

// describe tells in sentences how the stores differ.
func (ref decisionRef) describe(ctx context.Context, got, want HistoryStore) (DecisionDifference, error) {
	said := [2]string{}
	for i, store := range []HistoryStore{got, want} {
		d, ok, err := store.ReadDecided(ctx, ref.app, ref.install, ref.conversion)
		if err != nil {
			return DecisionDifference{}, fmt.Errorf("read a decision: %w", err)
		}
		if ok {
			said[i] = sentence(&d)
		}
	}
	if said[0] == said[1] {
		said[1] += ", for other reasons"
	}
	return DecisionDifference{ref.app, ref.install, ref.conversion, said[0], said[1]}, nil
}

// sentence is what a decision comes to.
func sentence(d *history.Decided) string {
	c := &d.Decision
	text := fmt.Sprintf("%s, %s", c.Outcome, c.Verdict)
	switch {
	case c.Winner != nil:
		text += fmt.Sprintf(" to %s %s by %s", c.Winner.Kind, c.Winner.Touch, c.Winner.Method)
	case c.Refusal != "":
		text += fmt.Sprintf(" by %s", c.Refusal)
	}
	return text
}
