package eventlog

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
)

// external is a ledger on servers that others run.
type external struct {
	*conn
}

func openExternal(ctx context.Context, cfg Config) (*external, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*cfg.MaxWait)
	defer cancel()
	c, err := connect(ctx, cfg, nil, nats.MaxReconnects(-1), nats.ReconnectWait(cfg.MaxWait/(2*resendAfter)), nats.Timeout(cfg.MaxWait))
	if err != nil {
		return nil, fmt.Errorf("open the ledger on %s: %w; is it a NATS server with JetStream enabled?", cfg.URL, err)
	}
	if version := c.pub.ConnectedServerVersion(); !readsInBatches(version) {
		c.close()
		return nil, fmt.Errorf("open the ledger on %s: its version is %s and reading needs 2.11: update the NATS servers", cfg.URL, version)
	}
	return &external{c}, nil
}

// readsInBatches: a direct get of several messages came with nats-server 2.11;
// older ones answer with one message and no end.
func readsInBatches(version string) bool {
	var major, minor int
	_, err := fmt.Sscanf(version, "%d.%d.", &major, &minor)
	return err == nil && (major > 2 || major == 2 && minor >= 11)
}

func (e *external) place() string   { return "on " + e.cfg.URL }
func (e *external) maxPayload() int { return int(e.pub.MaxPayload()) }
func (e *external) current() *conn  { return e.conn }

// mend waits for the cluster to have a leader for the stream again;
// reconnecting is the client library's work.
func (e *external) mend(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if !e.pub.IsConnected() {
		return fmt.Errorf("not connected")
	}
	_, err := e.info(ctx)
	return err
}

func (e *external) close() error {
	e.conn.close()
	return nil
}
