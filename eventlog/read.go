package eventlog

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"waypost/internal/fault"
)

// Batch is one message of the ledger: lines that were committed together.
type Batch struct {
	Seq  uint64
	At   time.Time // when the server stored it
	data []byte
}

// Lines yields the lines in order. They are slices of the batch, stay valid,
// and must not be changed. A batch that stands for lost ones has none.
func (b Batch) Lines() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for rest := b.data; len(rest) > 0; {
			line := rest
			if i := bytes.IndexByte(rest, '\n'); i >= 0 {
				line, rest = rest[:i], rest[i+1:]
			} else {
				rest = nil
			}
			if !yield(line) {
				return
			}
		}
	}
}

// Size returns the bytes of the lines with the newlines between them.
func (b Batch) Size() int { return len(b.data) }

// GapError says that batches the reader asked for are not in the ledger:
// trimmed, damaged or lost. Reading may go on at To+1 by an explicit Read.
type GapError struct{ From, To uint64 }

func (g *GapError) Error() string {
	return fmt.Sprintf("the ledger no longer holds batches %d to %d", g.From, g.To)
}

// AheadError says that the reader asked for a sequence beyond the next one: it
// has counted batches that the ledger does not hold (a restored or lost disk).
type AheadError struct{ From, Last uint64 }

func (a *AheadError) Error() string {
	return fmt.Sprintf("reading was to go on at batch %d, and the ledger ends with %d", a.From, a.Last)
}

const (
	fetchBatches = 256     // per request
	fetchBytes   = 2 << 20 // per request, plus one batch; the server stops writing while it looks them up
	// idlePoll is how often a reader at the end asks for what other processes
	// wrote; this process's own commits wake it at once.
	idlePoll = 25 * time.Millisecond
)

// Reader returns batches in order. It is for one goroutine, and survives the
// ledger's going down and coming back.
type Reader struct {
	log  *Log
	next uint64 // sequence that Next returns

	conn   *conn
	sub    *nats.Subscription
	inbox  string
	ch     chan *nats.Msg
	ahead  []*nats.Msg // fetched, not yet returned
	upTo   uint64      // sequence after the newest in ahead
	token  int         // of the newest request; answers to older ones are dropped
	asking bool        // it is not answered to its end yet
	empty  bool        // it was answered with nothing
	doubt  time.Time   // since when nothing came though the ledger goes on
}

// Read starts at a sequence; 0 means the oldest batch kept. The error is a
// *GapError if from is trimmed already, an *AheadError if it is beyond the end.
func (l *Log) Read(ctx context.Context, from uint64) (*Reader, error) {
	s, err := l.State(ctx)
	if err != nil {
		return nil, err
	}
	oldest := s.First
	if s.Batches == 0 {
		oldest = s.Last + 1
	}
	switch {
	case from == 0:
		from = oldest
	case from < oldest:
		return nil, &GapError{from, oldest - 1}
	case from > s.Last+1:
		return nil, &AheadError{from, s.Last}
	}
	return &Reader{log: l, next: from, upTo: from}, nil
}

// Next returns the next batch. It waits for it at the end of the ledger, and
// while the ledger is down.
func (r *Reader) Next(ctx context.Context) (Batch, error) {
	for {
		news := r.log.news.wait()
		b, ok, err := r.TryNext(ctx)
		if ok || err != nil && !fault.Is(err, fault.Unavailable) {
			return b, err
		}
		poll := time.NewTimer(idlePoll)
		select {
		case <-news:
		case <-poll.C:
		case <-ctx.Done():
		}
		poll.Stop()
		if ctx.Err() != nil {
			return Batch{}, ctx.Err()
		}
	}
}

// TryNext returns the next batch, or false at the end of the ledger. While the
// ledger is down its error is of kind Unavailable, and trying again may help.
func (r *Reader) TryNext(ctx context.Context) (Batch, bool, error) {
	for {
		if err := r.drain(); err != nil {
			return Batch{}, false, err
		}
		if len(r.ahead) > 0 {
			b, err := r.pop()
			return b, err == nil, err
		}
		if r.empty && !r.asking {
			r.empty = false
			return Batch{}, false, r.atEnd(ctx)
		}
		if err := r.ask(); err != nil {
			return Batch{}, false, err
		}
		if err := r.receive(ctx); err != nil {
			return Batch{}, false, err
		}
	}
}

// Close gives the reader's subscription back.
func (r *Reader) Close() error {
	if r.sub == nil {
		return nil
	}
	err := r.sub.Unsubscribe()
	r.sub = nil
	if errors.Is(err, nats.ErrConnectionClosed) || errors.Is(err, nats.ErrBadSubscription) {
		return nil
	}
	return err
}

// pop returns the oldest fetched batch and sees to it that it is the next.
func (r *Reader) pop() (Batch, error) {
	m := r.ahead[0]
	seq, err := strconv.ParseUint(m.Header.Get("Nats-Sequence"), 10, 64)
	if err != nil {
		return Batch{}, fmt.Errorf("read the ledger: a message without its sequence: %w", err)
	}
	at, err := time.Parse(time.RFC3339Nano, m.Header.Get("Nats-Time-Stamp"))
	if err != nil {
		return Batch{}, fmt.Errorf("read the ledger: batch %d without its time: %w", seq, err)
	}
	if seq != r.next {
		return Batch{}, &GapError{r.next, seq - 1}
	}
	r.ahead[0] = nil
	r.ahead = r.ahead[1:]
	r.next++
	r.doubt = time.Time{}
	return Batch{Seq: seq, At: at, data: m.Data}, nil
}

// ask requests what follows the fetched batches, on the current connection.
func (r *Reader) ask() error {
	if c := r.log.server.current(); c != r.conn {
		_ = r.Close() // the old connection is gone with its subscription
		r.conn, r.inbox, r.ch = c, nats.NewInbox()+".", make(chan *nats.Msg, 2*fetchBatches)
		sub, err := c.read.ChanSubscribe(r.inbox+"*", r.ch)
		if err != nil {
			r.conn = nil
			return unavailable("subscribe", err)
		}
		r.sub, r.asking, r.ahead, r.upTo = sub, false, nil, r.next
	}
	if r.asking {
		return nil
	}
	request, err := json.Marshal(map[string]uint64{"seq": r.upTo, "batch": fetchBatches, "max_bytes": fetchBytes})
	if err != nil {
		return err
	}
	r.token++
	cfg := &r.log.cfg
	if err := r.conn.read.PublishRequest("$JS.API.DIRECT.GET."+cfg.Stream, r.inbox+strconv.Itoa(r.token), request); err != nil {
		return unavailable("ask for batches", err)
	}
	r.asking = true
	return nil
}

// drain takes what has arrived. When a request is answered to its end and
// there may be more, the next one goes out while the caller works.
func (r *Reader) drain() error {
	for {
		select {
		case m := <-r.ch:
			r.take(m)
		default:
			if !r.asking && !r.empty && len(r.ahead) > 0 && len(r.ahead) < fetchBatches {
				return r.ask()
			}
			return nil
		}
	}
}

// receive waits for one message of the answer.
func (r *Reader) receive(ctx context.Context) error {
	patience := time.NewTimer(r.log.cfg.MaxWait)
	defer patience.Stop()
	select {
	case m := <-r.ch:
		r.take(m)
		return nil
	case <-r.conn.gone:
		r.conn = nil
		return unavailable("read", errors.New("its server is being restarted"))
	case <-patience.C:
		r.asking = false
		return unavailable("read", fmt.Errorf("no answer within %v", r.log.cfg.MaxWait))
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *Reader) take(m *nats.Msg) {
	if m.Subject[len(r.inbox):] != strconv.Itoa(r.token) {
		return
	}
	switch m.Header.Get("Status") {
	case "":
		r.ahead = append(r.ahead, m)
		r.upTo++ // if one is missing, pop tells
	case "204": // the request's end
		r.asking = false
	default: // 404: nothing from that sequence on; 503: no server
		r.asking, r.empty = false, true
	}
}

// atEnd is asked after an answer with nothing. The server gives that answer
// also for a record that it cannot read, and a replica that lags behind gives
// it for a while: only when the ledger has gone further for MaxWait is it a gap.
func (r *Reader) atEnd(ctx context.Context) error {
	s, err := r.log.State(ctx)
	switch {
	case err != nil:
		return err
	case s.Last < r.next:
		r.doubt = time.Time{}
	case r.doubt.IsZero():
		r.doubt = time.Now()
	case time.Since(r.doubt) > r.log.cfg.MaxWait:
		return &GapError{r.next, s.Last}
	}
	return nil
}

func unavailable(what string, err error) error {
	return &fault.Error{Kind: fault.Unavailable, Message: "the ledger does not answer: " + what, Err: err}
}
