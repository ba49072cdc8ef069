package eventlog

import (
	"context"
	"time"
)

// clusterPoll is how often Wait asks the server by itself: for what other
// processes wrote to an external cluster, and for one that comes back. This
// process's own commits wake it at once.
const clusterPoll = 250 * time.Millisecond

// Wait returns nil when the ledger holds a batch after the given sequence. Its
// error is an *AheadError when the ledger has ended before that sequence for
// MaxWait: no replica lags so far behind, it is a ledger that has lost events.
func (l *Log) Wait(ctx context.Context, after uint64) error {
	var doubt time.Time // since when it has ended too early
	for {
		news := l.news.wait()
		s, err := l.State(ctx)
		switch {
		case err != nil || s.Last == after:
			doubt = time.Time{}
		case s.Last > after:
			return nil
		case doubt.IsZero():
			doubt = time.Now()
		case time.Since(doubt) > l.cfg.MaxWait:
			return &AheadError{after + 1, s.Last}
		}
		select {
		case <-news:
		case <-time.After(clusterPoll):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
