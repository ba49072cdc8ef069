package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"waypost/pipeline"
	"waypost/store/sqlitestore"
)

// VerifyOptions say what a verify does beyond recounting.
type VerifyOptions struct {
	// Decisions has the whole ledger decided anew beside the store, and compared.
	Decisions bool
	// Repair makes what differs anew from the ledger.
	Repair bool
}

// Verified is what a verify found: how the counts compare with the ledger, how
// much of it is still to be decided, and how the decisions compare, if that was
// asked for.
type Verified struct {
	pipeline.Report
	Undecided uint64           `json:"undecided"` // batches that attribution has not taken yet
	Replay    *pipeline.Replay `json:"replay,omitempty"`
}

// Differs reports whether something differs and was not made anew.
func (v *Verified) Differs() bool {
	return len(v.Differences) > 0 && !v.Repaired || v.Replay != nil && len(v.Replay.Differences) > 0 && !v.Replay.Redecided
}

// Verify implements Operations.
func (a *App) Verify(ctx context.Context, o VerifyOptions) (v Verified, err error) {
	if v.Report, err = a.counter.Verify(ctx, o.Repair); err != nil {
		return v, err
	}
	if o.Decisions {
		if v.Replay, err = a.replay(ctx); err != nil {
			return v, err
		}
		if o.Repair && len(v.Replay.Differences) > 0 {
			if err := a.attributor.Rebuild(ctx); err != nil {
				return v, err
			}
			if err := a.attributor.CatchUp(ctx); err != nil {
				return v, err
			}
			v.Replay.Redecided = true
		}
	}
	v.Undecided, err = a.attributor.Lag(ctx)
	return v, err
}

// replays begin the names of the folders in the data directory that replays work in.
const replays = "replay-"

// removeReplays removes what a killed process has left of them.
func (c Config) removeReplays() error {
	entries, err := os.ReadDir(c.Data)
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), replays) {
			err = errors.Join(err, os.RemoveAll(filepath.Join(c.Data, e.Name())))
		}
	}
	if err != nil {
		return fmt.Errorf("remove what a verify has left: %w", err)
	}
	return nil
}

// replay decides the ledger anew in a store beside the real one, which is
// removed afterwards.
func (a *App) replay(ctx context.Context) (r *pipeline.Replay, err error) {
	dir, err := os.MkdirTemp(a.cfg.Data, replays)
	if err != nil {
		return nil, fmt.Errorf("make a place to decide the ledger anew: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	scratch, err := sqlitestore.Open(ctx, sqlitestore.Config{Path: filepath.Join(dir, "waypost.db"), Logger: a.cfg.Logger})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, scratch.Close()) }()
	found, err := a.attributor.Replay(ctx, scratch)
	return &found, err
}
