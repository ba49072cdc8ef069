package ingest

import (
	"context"
	"slices"
	"strings"

	"waypost/event"
	"waypost/internal/device"
	"waypost/internal/fault"
	"waypost/internal/uid"
	"waypost/link"
)

// Fields that faults about conversions of platforms name beside FieldApp.
const (
	FieldPlatformKey = "key"
	FieldNetwork     = "network"
	FieldSequence    = "sequence"
)

// PlatformReport is a conversion that a platform has attributed itself, read by
// its dialect, which has verified that the platform says so.
type PlatformReport struct {
	// Platform and StoreID name the app.
	Platform device.Platform
	StoreID  string
	// Host is the one that the platform was told to send to, in lower case and
	// without a port. Where several accounts have the app, it tells whose it is.
	Host string
	// Conversion is all but ID, At, Account and App.
	Conversion event.PlatformConversion
}

// maxPlatformText bounds texts that no signature covers, bytes.
const maxPlatformText = 32

// PlatformConversion takes a conversion that a platform tells of and returns the
// id of its event. It is in the ledger when PlatformConversion returns without
// an error; a repeated one is kept again, and counts once.
func (s *Service) PlatformConversion(ctx context.Context, r PlatformReport) (uid.Click, error) {
	c, err := s.platformConversion(&r)
	if err != nil {
		s.counters.refuse(err)
		return 0, err
	}
	line, err := c.Line()
	if err != nil {
		return 0, err
	}
	if err := s.append(line); err != nil {
		return 0, err
	}
	s.counters.take(c.Kind, c.Flags)
	return c.ID, nil
}

func (s *Service) platformConversion(r *PlatformReport) (*event.PlatformConversion, error) {
	c := r.Conversion
	if err := needText(FieldPlatformKey, c.Key, maxKey); err != nil {
		return nil, err
	}
	if err := needText(FieldNetwork, c.Network, maxName); err != nil {
		return nil, err
	}
	if c.Sequence < 0 || c.Sequence > event.LastSequence {
		return nil, fault.Bad(FieldSequence, fault.Malformed, "a conversion is told of in up to three postbacks, 0 to %d; got %d", event.LastSequence, c.Sequence)
	}
	app, err := s.storeApp(r)
	if err != nil {
		return nil, err
	}
	c.Kind, c.ID, c.At, c.Account, c.App = event.PlatformConversionKind, uid.NewClick(), s.cfg.Now().UnixMilli(), app.Account, app.ID
	flagPlatform(&c)
	return &c, nil
}

// flagPlatform flags what no platform says, of that which it does not sign.
func flagPlatform(c *event.PlatformConversion) {
	flag := func(odd bool, name string) {
		if odd {
			c.Flags = append(c.Flags, name)
		}
	}
	c.Coarse, c.Country = cut(c.Coarse, maxPlatformText), cut(c.Country, maxPlatformText)
	flag(c.Value != nil && (*c.Value < 0 || *c.Value > maxPlatformValue), event.ValueFlag)
	flag(!slices.Contains([]string{"", "low", "medium", "high"}, c.Coarse), event.CoarseFlag)
	flag(c.Country != "" && !isCountry(c.Country), event.CountryFlag)
	switch c.Interaction {
	case "", event.ClickedAd, event.ViewedAd:
	default:
		c.Interaction = ""
		flag(true, event.InteractionFlag)
	}
}

// maxPlatformValue is the largest fine value: six bits (SKAdNetwork and
// AdAttributionKit, "conversion-value").
const maxPlatformValue = 63

func isCountry(text string) bool {
	return len(text) == 2 && strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

// storeApp returns the app with a number in a platform's store: of several
// accounts, that which has a link host that is the report's, or lies below it;
// of an account's, the first.
func (s *Service) storeApp(r *PlatformReport) (*link.App, error) {
	found := s.known().stores[storeName{r.Platform, r.StoreID}]
	owner := hostOwner(s.cfg.Directory(), r.Host)
	if len(found) == 0 {
		return nil, s.unknown(owner, FieldApp, r.StoreID, "no app has this store id")
	}
	several := slices.ContainsFunc(found, func(a *link.App) bool { return a.Account != found[0].Account })
	for _, app := range found {
		if !several || app.Account == owner {
			return app, nil
		}
	}
	return nil, s.unknown(0, FieldApp, r.StoreID, "several accounts have an app with this store id, and the host does not tell whose it is")
}

// hostOwner is the only account with a link host that is the host, or lies below
// it; zero where there is none, or there are several.
func hostOwner(d *link.Directory, host string) (owner link.AccountID) {
	for i := range d.Catalog.Domains {
		switch domain := &d.Catalog.Domains[i]; {
		case domain.Host != host && !strings.HasSuffix(domain.Host, "."+host):
		case owner != 0 && owner != domain.Account:
			return 0
		default:
			owner = domain.Account
		}
	}
	return owner
}
