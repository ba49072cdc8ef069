// Package app puts the program together: configuration, the parts of a
// process and how they are wired, start and stop. It alone knows drivers and
// dialects.
package app

import (
	"fmt"
	"log/slog"
	"net/netip"
	"path/filepath"
	"time"
)

// Config is one process's configuration, from flags, environment and file.
type Config struct {
	Data           string         // directory for everything that is kept
	MustExist      bool           // refuse a data directory that holds nothing yet
	LinksAddr      string         // public listener
	APIAddr        string         // APIs, health, metrics
	Apply          []string       // files to apply before serving
	TrustedProxies []netip.Prefix // believed in X-Forwarded-For
	Store          string         // empty: SQLite in Data
	Log            string         // empty: embedded ledger in Data; else nats://…
	LogSync        LogSync
	LogReplicas    int           // copies in an external cluster; 0: one
	LogAcceptLoss  bool          // open a damaged ledger, after copying what is damaged
	LogMaxAge      time.Duration // how long the ledger keeps what is counted; 0: for ever
	LogMaxBytes    int64         // size down to which it is cut; 0: no bound
	Role           Role
	GeoIP          string        // MaxMind database for countries; empty: none
	NetworkLists   []NetworkList // of equal networks, the one that is named last counts
	CORSOrigins    []string      // origins whose pages may call the OneLink API
	// PostbackNetworks are private networks to which postbacks may lead by a
	// name of the public DNS.
	PostbackNetworks []netip.Prefix
	StrictChars      bool // OneLink v2.0: refuse the characters that its documents list
	V1Conflict       int  // status of a taken id in OneLink v1: 409, or 400 as its prose says
	Logger           *slog.Logger
	Now              func() time.Time
	// Listening is called once both listeners accept, with their addresses.
	Listening func(links, api string)
}

// LogSync says when an event is on the disk itself.
type LogSync string

// LogSyncs.
const (
	SyncInterval LogSync = ""       // within a second; survives a killed process, not a lost power supply
	SyncAlways   LogSync = "always" // before the redirect is answered
)

// Role says which parts a process runs.
type Role string

// Roles.
const (
	RoleAll    Role = "all"
	RoleLinks  Role = "links"
	RoleAPI    Role = "api"
	RoleWorker Role = "worker"
)

// withDefaults fills what is empty.
func (c Config) withDefaults() Config {
	if c.Data == "" {
		c.Data = "waypost-data"
	}
	if c.LinksAddr == "" {
		c.LinksAddr = ":8080"
	}
	if c.APIAddr == "" {
		c.APIAddr = ":8081"
	}
	if c.Role == "" {
		c.Role = RoleAll
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// check refuses what this program cannot do, naming the flag.
func (c Config) check() error {
	if c.Store != "" {
		return fmt.Errorf("--store %s: this version keeps its store in the data directory; leave --store empty", c.Store)
	}
	switch c.Role {
	case RoleAll:
	case RoleLinks, RoleAPI, RoleWorker:
		return fmt.Errorf("--role %s: one process owns a data directory and must run all of it; use --role all", c.Role)
	default:
		return fmt.Errorf("--role %s: must be all, links, api or worker", c.Role)
	}
	switch c.LogSync {
	case SyncInterval, SyncAlways:
	default:
		return fmt.Errorf("--log-sync %s: must be always, or left out", c.LogSync)
	}
	switch {
	case c.Log == "" && c.LogReplicas > 1:
		return fmt.Errorf("--log-replicas %d: the ledger in the data directory has one copy; more need a cluster, named by --log", c.LogReplicas)
	case c.Log != "" && c.LogAcceptLoss:
		return fmt.Errorf("--log-accept-loss: the files of %s are not ours to open; leave it out", c.Log)
	}
	switch c.V1Conflict {
	case 0, 400, 409:
	default:
		return fmt.Errorf("--v1-conflict-status %d: must be 409 or 400", c.V1Conflict)
	}
	return nil
}

// Files of a data directory.
func (c Config) storePath() string   { return filepath.Join(c.Data, "waypost.db") }
func (c Config) ledgerPath() string  { return filepath.Join(c.Data, "ledger") }
func (c Config) lockPath() string    { return filepath.Join(c.Data, "lock") }
func (c Config) controlPath() string { return filepath.Join(c.Data, "control.sock") }
