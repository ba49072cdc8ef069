package sqlitestore

import (
	"context"
	"sync"

	"waypost/link"
)

type targetHost struct {
	account link.AccountID
	host    string
}

// hostMemory holds hosts that are known to be stored, so that the many links
// to one shop cost one row write. It only ever holds committed ones.
type hostMemory struct {
	mu    sync.Mutex
	known map[targetHost]struct{}
}

// mostHosts bounds the memory (about 1 MB). When it is full it starts anew:
// forgetting costs a write that changes nothing.
const mostHosts = 10_000

func (m *hostMemory) has(h targetHost) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, ok := m.known[h]
	return ok
}

// remember writes the hosts of a link that are not known to be stored.
func (m *hostMemory) remember(c *conn, l *link.Link) error {
	for _, host := range l.TargetHosts {
		if host == "" || m.has(targetHost{l.Account, host}) {
			continue
		}
		if _, err := c.run("INSERT OR IGNORE INTO target_hosts (account, host) VALUES (?, ?)", int64(l.Account), host); err != nil {
			return err
		}
	}
	return nil
}

// stored notes that the write which remembered the link's hosts is committed.
func (m *hostMemory) stored(l *link.Link) {
	if len(l.TargetHosts) == 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known == nil || len(m.known) >= mostHosts {
		m.known = map[targetHost]struct{}{}
	}
	for _, host := range l.TargetHosts {
		m.known[targetHost{l.Account, host}] = struct{}{}
	}
}

// KnowsTargetHost reports whether a link of the account that was ever stored
// points to the host (lower case).
func (s *Store) KnowsTargetHost(ctx context.Context, account link.AccountID, host string) (known bool, err error) {
	if s.hosts.has(targetHost{account, host}) {
		return true, nil
	}
	err = s.read(ctx, "look up a target host", func(c *conn) error {
		known, err = c.first("SELECT 1 FROM target_hosts WHERE account = ? AND host = ?", func(row) {}, int64(account), host)
		return err
	})
	return known, err
}
