package eventlog

import (
	"log/slog"
	"time"
)

// Config says where the ledger lives and how patient it is. The zero value of
// every field but Dir and URL is a good choice.
type Config struct {
	// Dir holds the embedded server's files. The caller sees to it that one
	// process at a time uses it.
	Dir string
	// URL names external servers ("nats://a:4222,nats://b:4222"); Dir is then unused.
	URL string

	Stream   string // JetStream's name for the ledger; WAYPOST_EVENTS
	Subject  string // what batches are published on; waypost.events
	Replicas int    // copies in an external cluster, when the stream is created; 1

	// SyncAlways makes the embedded server fsync before each ack, for machines
	// that may lose power. Otherwise an ack means that the kernel has the
	// event, and the disk gets it within SyncInterval.
	SyncAlways   bool
	SyncInterval time.Duration // one second; JetStream's own default is two minutes

	// MaxWait bounds how long Append waits for its ack. When it has passed the
	// ledger counts as down: until it answers again, Append fails at once.
	MaxWait time.Duration // two seconds
	// QueueBytes bounds the lines that wait to be written.
	QueueBytes int // 8 MiB

	// AcceptLoss opens an embedded ledger although batches are damaged or
	// missing. Damaged files are copied to Dir/damaged first.
	AcceptLoss bool

	// Logger receives the server's warnings and errors, and the ledger's going
	// down and coming back; nil discards them.
	Logger *slog.Logger
}

const (
	// maxBatch bounds one packed message: half of the smallest payload limit
	// found in the wild (NATS' default, 1 MiB), so that readers can ask for two.
	maxBatch = 512 << 10
	// headerRoom is kept free below a server's payload limit for our header.
	headerRoom = 256
	// probeEvery is the pause between attempts to bring the ledger back.
	probeEvery = 250 * time.Millisecond
	// resendAfter divides MaxWait into attempts: a lost ack is asked for again
	// three times before the waiters are told.
	resendAfter = 4
	// dedupeWaits times MaxWait is how long the server remembers a batch's id.
	// An id is never sent again after one MaxWait, so four leave room for slow
	// clocks and keep the server's table small (it holds every id of the window).
	dedupeWaits = 4
)

func (c Config) withDefaults() Config {
	if c.Stream == "" {
		c.Stream = "WAYPOST_EVENTS"
	}
	if c.Subject == "" {
		c.Subject = "waypost.events"
	}
	if c.Replicas == 0 {
		c.Replicas = 1
	}
	if c.SyncInterval == 0 {
		c.SyncInterval = time.Second
	}
	if c.MaxWait == 0 {
		c.MaxWait = 2 * time.Second
	}
	if c.QueueBytes == 0 {
		c.QueueBytes = 8 << 20
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}
