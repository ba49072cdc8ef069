package main

import (
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/peterbourgon/ff/v3"
	"go.yaml.in/yaml/v3"

	"waypost/app"
)

// options make every flag of the set readable from the environment and from a
// file. Unknown keys of the file are errors; those of serve are known to every
// command, so that one file does for all of them.
func options(set *flag.FlagSet) []ff.Option {
	serve := flag.NewFlagSet("", flag.ContinueOnError)
	new(processFlags).registerServe(serve)
	return []ff.Option{
		fromEnvironment,
		ff.WithConfigFileFlag("config"),
		ff.WithConfigFileParser(func(r io.Reader, assign func(name, value string) error) error {
			return parseConfigFile(r, func(name, value string) error {
				if set.Lookup(name) == nil && serve.Lookup(name) != nil {
					return nil
				}
				return assign(name, value)
			})
		}),
	}
}

var fromEnvironment = ff.WithEnvVarPrefix("WAYPOST")

// parseConfigFile reads a YAML map of flag names; lists set a flag repeatedly.
func parseConfigFile(r io.Reader, set func(name, value string) error) error {
	var file map[string]any
	if err := yaml.NewDecoder(r).Decode(&file); err != nil && err != io.EOF {
		return fmt.Errorf("read the configuration file: %w", err)
	}
	for name, value := range file {
		values, ok := value.([]any)
		if !ok {
			values = []any{value}
		}
		for _, v := range values {
			switch v.(type) {
			case map[string]any, []any, nil:
				return fmt.Errorf("configuration file: %s: must be a text, a number, true or false, or a list of these", name)
			}
			if err := set(name, fmt.Sprint(v)); err != nil {
				return fmt.Errorf("configuration file: %s: %w", name, err)
			}
		}
	}
	return nil
}

// processFlags are shared by every command that opens a data directory.
type processFlags struct {
	cfg      app.Config
	config   string
	role     string // of a server
	logLevel slog.Level
	json     bool
}

func (p *processFlags) register(set *flag.FlagSet) {
	set.StringVar(&p.config, "config", "", "YAML `FILE` with any of these flags as keys")
	set.StringVar(&p.cfg.Data, "data", "waypost-data", "`DIR` that holds everything; one process at a time owns it")
	set.StringVar(&p.cfg.Store, "store", "", "`URL` of a shared store; empty keeps it in the data directory")
	set.StringVar(&p.cfg.Log, "log", "", "`URL` of an external NATS JetStream cluster for the ledger; empty embeds it")
	set.Func("log-sync", "`WHEN` events reach the disk: always, before the redirect is answered; otherwise within a second", func(s string) error {
		p.cfg.LogSync = app.LogSync(s)
		return nil
	})
	set.IntVar(&p.cfg.LogReplicas, "log-replicas", 1, "copies that an external cluster keeps of the ledger")
	set.BoolVar(&p.cfg.LogAcceptLoss, "log-accept-loss", false, "open a ledger although files are damaged or missing; the damaged ones are copied first")
	set.Func("log-max-age", "forget counted events after this `TIME`, such as 90d or 12h; default: never", func(s string) error {
		return setDays(&p.cfg.LogMaxAge, s)
	})
	set.Func("log-max-bytes", "keep at most this `SIZE` of counted events, such as 20GB; default: no bound", func(s string) error {
		return setSize(&p.cfg.LogMaxBytes, s)
	})
	set.TextVar(&p.logLevel, "log-level", slog.LevelInfo, "debug, info, warn or error")
	set.BoolVar(&p.json, "log-json", false, "write the program's own log as JSON")
}

// registerServe adds the flags that only a server has.
func (p *processFlags) registerServe(set *flag.FlagSet) {
	p.register(set)
	set.StringVar(&p.role, "role", string(app.RoleAll), "which parts to run: all, links, api or worker")
	set.StringVar(&p.cfg.LinksAddr, "links", ":8080", "`ADDR` of the public listener, for clicks")
	set.StringVar(&p.cfg.APIAddr, "api", ":8081", "`ADDR` of the listener for APIs, health and metrics")
	set.Func("apply", "apply this `FILE` before serving; may be repeated", func(s string) error { return addList(&p.cfg.Apply, s) })
	set.Func("trusted-proxies", "`CIDR,…` whose X-Forwarded-For is believed", func(s string) error { return addProxies(&p.cfg.TrustedProxies, s) })
	set.StringVar(&p.cfg.GeoIP, "geoip", "", "MaxMind DB `FILE` to learn countries from")
	set.Func("network-lists", "`NETWORK=FILE,…` of addresses, one a line: hosting, vpn, tor, relay, cellular, residential; may be repeated", func(s string) error {
		return addNetworkLists(&p.cfg.NetworkLists, s)
	})
	set.Func("postback-networks", "private `CIDR,…` to which postbacks may lead by a public name", func(s string) error {
		return addProxies(&p.cfg.PostbackNetworks, s)
	})
	set.Func("cors-origins", "`ORIGIN,…` whose web pages may call the OneLink API", func(s string) error { return addList(&p.cfg.CORSOrigins, s) })
	set.BoolVar(&p.cfg.StrictChars, "strict-chars", false, "OneLink API v2.0: refuse every character that its documents forbid")
	set.IntVar(&p.cfg.V1Conflict, "v1-conflict-status", 409, "OneLink API v1: `STATUS` for an id that is taken, 409 or 400")
}

func (p *processFlags) appConfig(role string) app.Config {
	cfg := p.cfg
	cfg.Role = app.Role(role)
	options := &slog.HandlerOptions{Level: p.logLevel}
	cfg.Logger = slog.New(slog.NewTextHandler(os.Stderr, options))
	if p.json {
		cfg.Logger = slog.New(slog.NewJSONHandler(os.Stderr, options))
	}
	return cfg
}

// existing is the configuration of a command that asks about a data directory:
// a mistyped one must not be made, and be found in order.
func (p *processFlags) existing() app.Config {
	cfg := p.appConfig(string(app.RoleAll))
	cfg.MustExist = true
	return cfg
}

// setDays reads a duration, which may be in days.
func setDays(dst *time.Duration, text string) error {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		if err != nil {
			return fmt.Errorf("%q is not a time such as 90d or 12h", text)
		}
		*dst = time.Duration(n) * 24 * time.Hour
		return nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return fmt.Errorf("%q is not a time such as 90d or 12h", text)
	}
	*dst = d
	return nil
}

// setSize reads a number of bytes with an optional unit of a power of ten.
func setSize(dst *int64, text string) error {
	units := []struct {
		suffix string
		bytes  int64
	}{{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"KB", 1e3}, {"B", 1}, {"", 1}}
	for _, u := range units {
		number, ok := strings.CutSuffix(strings.ToUpper(text), u.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
		if err != nil || n < 0 || n > (1<<62)/u.bytes {
			return fmt.Errorf("%q is not a size such as 500MB or 20GB", text)
		}
		*dst = n * u.bytes
		return nil
	}
	return nil
}

// addProxies reads networks; a single address is a network of one.
func addProxies(dst *[]netip.Prefix, text string) error {
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		if a, err := netip.ParseAddr(part); err == nil {
			*dst = append(*dst, netip.PrefixFrom(a, a.BitLen()))
			continue
		}
		p, err := netip.ParsePrefix(part)
		if err != nil {
			return fmt.Errorf("%q is not a network such as 10.0.0.0/8", part)
		}
		*dst = append(*dst, p.Masked())
	}
	return nil
}

func addNetworkLists(dst *[]app.NetworkList, text string) error {
	var parts []string
	if err := addList(&parts, text); err != nil {
		return err
	}
	for _, part := range parts {
		l, err := app.ParseNetworkList(part)
		if err != nil {
			return err
		}
		*dst = append(*dst, l)
	}
	return nil
}

// addList appends the parts of a comma-separated list.
func addList(dst *[]string, text string) error {
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			*dst = append(*dst, part)
		}
	}
	return nil
}
