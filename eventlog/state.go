package eventlog

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// State is what the ledger holds now, for retention by age and size.
type State struct {
	First   uint64 // sequence of the oldest batch; 0 when there is none
	Last    uint64 // sequence of the newest batch ever stored, also when trimmed; 0 when there was none
	Batches uint64
	Bytes   uint64    // on disk, of all batches
	FirstAt time.Time // when the oldest batch was stored; zero when there is none
	LastAt  time.Time
}

// State asks the server.
func (l *Log) State(ctx context.Context) (State, error) {
	info, err := l.server.current().info(ctx)
	if err != nil {
		return State{}, unavailable("ask for the stream's state", err)
	}
	st := info.State
	s := State{Last: st.LastSeq, Batches: st.Msgs, Bytes: st.Bytes, LastAt: st.LastTime}
	if st.Msgs > 0 {
		s.First, s.FirstAt = st.FirstSeq, st.FirstTime
	}
	return s, nil
}

// LastAppended returns the newest batch that an Append of this process has returned
// for, 0 before the first. It asks nobody.
func (l *Log) LastAppended() uint64 { return l.appended.Load() }

// Trim forgets the batches up to a sequence, that one included. Nothing else
// ever does, so the caller must know that every projection is past it.
func (l *Log) Trim(ctx context.Context, upTo uint64) error {
	st, err := l.server.current().js.Stream(ctx, l.cfg.Stream)
	if err == nil {
		err = st.Purge(ctx, jetstream.WithPurgeSequence(upTo+1))
	}
	if err != nil {
		return unavailable(fmt.Sprintf("trim up to batch %d", upTo), err)
	}
	return nil
}
