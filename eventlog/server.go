package eventlog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"
)

// server is what the ledger needs of JetStream, embedded or not.
type server interface {
	sender
	place() string   // for messages: the directory or address
	maxPayload() int // bytes of one message
	current() *conn  // replaced when the embedded server is restarted
	mend(context.Context) error
	close() error
}

func openServer(ctx context.Context, cfg Config) (server, error) {
	if cfg.URL != "" {
		return openExternal(ctx, cfg)
	}
	return openEmbedded(ctx, cfg)
}

// conn is a pair of connections to one server: a long read must not delay a
// batch. send is for one goroutine, the commit loop.
type conn struct {
	cfg     Config
	pub     *nats.Conn
	read    *nats.Conn
	js      jetstream.JetStream
	acks    chan *nats.Msg
	inbox   string     // prefix of the reply subjects; a batch's id follows
	epoch   string     // makes this process's batch ids unlike any other's
	broken  chan error // the server said that it cannot store; embedded only
	gone    chan struct{}
	release sync.Once
	timer   *time.Timer
}

// connect makes the connections and sees to the stream.
func connect(ctx context.Context, cfg Config, broken chan error, opts ...nats.Option) (*conn, error) {
	c := &conn{cfg: cfg, acks: make(chan *nats.Msg, 64), inbox: nats.NewInbox() + ".", epoch: nuid.Next() + "-",
		broken: broken, gone: make(chan struct{}), timer: time.NewTimer(time.Hour)}
	if err := c.dial(opts); err != nil {
		c.close()
		return nil, err
	}
	if err := c.ensureStream(ctx); err != nil {
		c.close()
		return nil, fmt.Errorf("stream %s: %w", cfg.Stream, err)
	}
	return c, nil
}

func (c *conn) dial(opts []nats.Option) (err error) {
	opts = append(opts,
		nats.ReconnectBufSize(-1), // a batch sent long after its deadline could be stored twice
		nats.SkipSubjectValidation(),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			c.cfg.Logger.Warn("the ledger's connection", "err", err)
		}))
	url := c.cfg.URL
	if url == "" {
		url = nats.DefaultURL // not dialled: an option names the server in this process
	}
	if c.pub, err = nats.Connect(url, append(opts, nats.Name("waypost ledger writer"))...); err != nil {
		return err
	}
	if c.read, err = nats.Connect(url, append(opts, nats.Name("waypost ledger reader"))...); err != nil {
		return err
	}
	if _, err = c.pub.ChanSubscribe(c.inbox+"*", c.acks); err != nil {
		return err
	}
	c.js, err = jetstream.New(c.read)
	return err
}

// ensureStream makes the stream without any limit, or checks that an existing
// one has none: only Trim may forget.
func (c *conn) ensureStream(ctx context.Context) error {
	st, err := c.js.Stream(ctx, c.cfg.Stream)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		_, err = c.js.CreateStream(ctx, jetstream.StreamConfig{
			Name: c.cfg.Stream, Subjects: []string{c.cfg.Subject}, Storage: jetstream.FileStorage,
			Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardNew, Replicas: c.cfg.Replicas,
			MaxMsgs: -1, MaxBytes: -1, MaxMsgSize: -1, MaxConsumers: -1, Compression: jetstream.NoCompression,
			Duplicates: dedupeWaits * c.cfg.MaxWait, AllowDirect: true,
		})
		return err
	}
	if err != nil {
		return err
	}
	has := st.CachedInfo().Config
	switch {
	case has.MaxAge != 0 || has.MaxMsgs > 0 || has.MaxBytes > 0 || has.MaxMsgsPerSubject > 0 || has.Retention != jetstream.LimitsPolicy:
		return errors.New("it has limits of its own and could drop events that are not counted yet: remove its max age, messages and bytes")
	case has.Storage != jetstream.FileStorage:
		return errors.New("it is kept in memory: make it a file stream")
	case !has.AllowDirect || has.Duplicates < dedupeWaits*c.cfg.MaxWait || len(has.Subjects) != 1 || has.Subjects[0] != c.cfg.Subject:
		has.AllowDirect, has.Subjects = true, []string{c.cfg.Subject}
		has.Duplicates = max(has.Duplicates, dedupeWaits*c.cfg.MaxWait)
		_, err = c.js.UpdateStream(ctx, has)
	}
	return err
}

// pubAck is the server's answer to a publish.
type pubAck struct {
	Seq   uint64
	Error *struct {
		Code        int
		Description string
	}
}

func (c *conn) send(id uint64, payload []byte, wait time.Duration) (uint64, error) {
	token := strconv.FormatUint(id, 10)
	msg := nats.Msg{Subject: c.cfg.Subject, Reply: c.inbox + token, Data: payload,
		Header: nats.Header{jetstream.MsgIDHeader: {c.epoch + token}}}
	if err := c.pub.PublishMsg(&msg); err != nil {
		return 0, err
	}
	c.timer.Reset(wait)
	defer c.timer.Stop()
	for {
		select {
		case m := <-c.acks:
			// An answer to an earlier batch is too late for its waiters; one
			// to an earlier attempt at this batch is as good as any.
			if m.Subject[len(c.inbox):] == token {
				return parseAck(m)
			}
		case err := <-c.broken:
			return 0, fmt.Errorf("%w: %w", errDown, err)
		case <-c.timer.C:
			return 0, fmt.Errorf("no answer within %v", wait)
		}
	}
}

func parseAck(m *nats.Msg) (uint64, error) {
	if status := m.Header.Get("Status"); status != "" {
		return 0, fmt.Errorf("no server holds the stream (status %s)", status)
	}
	var ack pubAck
	if err := json.Unmarshal(m.Data, &ack); err != nil {
		return 0, fmt.Errorf("unreadable answer %q: %w", m.Data, err)
	}
	if ack.Error != nil {
		return 0, fmt.Errorf("refused: %s (%d)", ack.Error.Description, ack.Error.Code)
	}
	return ack.Seq, nil
}

func (c *conn) info(ctx context.Context) (*jetstream.StreamInfo, error) {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.cfg.MaxWait)
		defer cancel()
	}
	st, err := c.js.Stream(ctx, c.cfg.Stream)
	if err != nil {
		return nil, err
	}
	return st.CachedInfo(), nil
}

func (c *conn) close() {
	c.release.Do(func() {
		close(c.gone)
		for _, nc := range []*nats.Conn{c.pub, c.read} {
			if nc != nil {
				nc.Close()
			}
		}
	})
}
