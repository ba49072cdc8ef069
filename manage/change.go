package manage

import (
	"context"
	"fmt"
	"time"

	"waypost/internal/fault"
	"waypost/link"
)

// ReadLink returns a live link of a template that the actor may read.
// NotFound, Field "id", when there is none or its time is over.
func (s *Service) ReadLink(ctx context.Context, a Actor, t link.TemplateID, code string) (link.Link, error) {
	if _, err := s.Template(a, t, link.Read); err != nil {
		return link.Link{}, err
	}
	l, err := s.stored(ctx, t, code)
	if err == nil && l.Expired(s.now()) {
		err = noLink()
	}
	if err != nil {
		return link.Link{}, err
	}
	return l, nil
}

// stored returns the link with the code, expired or not.
func (s *Service) stored(ctx context.Context, t link.TemplateID, code string) (link.Link, error) {
	if !link.ValidCode(code) {
		return link.Link{}, noLink()
	}
	l, err := s.Store.ReadLink(ctx, link.TemplatePath(t, code))
	return l, linkError("read", t, code, err)
}

// linkError tells a link that is gone, which the caller hears about, from a
// store that failed.
func linkError(verb string, t link.TemplateID, code string, err error) error {
	switch {
	case err == nil:
		return nil
	case fault.Is(err, fault.NotFound):
		return noLink()
	}
	return fmt.Errorf("%s link %s/%s: %w", verb, t, code, err)
}

func noLink() error {
	return &fault.Error{Kind: fault.NotFound, Field: "id", Reason: fault.Unknown, Message: "no such link"}
}

// ChangeLink replaces what a link holds and starts its time anew: it expires
// a TTL from now, also when that is sooner than before. A link that expired
// less than link.ExpiryGrace ago is alive again. Refusals are those of
// ReadLink and CreateLink, and Invalid with Reason Source for a link that was
// not made by API.
func (s *Service) ChangeLink(ctx context.Context, a Actor, t link.TemplateID, code string, c LinkChange) (link.Link, string, error) {
	l, err := s.changed(ctx, a, t, code, &c)
	if err != nil {
		return link.Link{}, "", err
	}
	if err := s.Store.UpdateLink(ctx, &l); err != nil {
		return link.Link{}, "", linkError("update", t, code, err)
	}
	s.Changed([]link.Path{l.Path})
	return l, s.LinkURL(&l), nil
}

// changed returns the link as the change would have it.
func (s *Service) changed(ctx context.Context, a Actor, t link.TemplateID, code string, c *LinkChange) (link.Link, error) {
	view, err := s.Template(a, t, link.Write)
	if err != nil {
		return link.Link{}, err
	}
	var brand string
	if c.Brand != nil {
		if brand, err = s.brand(view, *c.Brand); err != nil {
			return link.Link{}, err
		}
	}
	if err := checkData(c.Data); err != nil {
		return link.Link{}, err
	}
	if c.TTL != nil && *c.TTL < 0 {
		return link.Link{}, fault.Bad("ttl", fault.Malformed, "must not be negative")
	}
	if c.Source != "" && !knownSource(c.Source) {
		return link.Link{}, fault.Bad("source", fault.Unknown, "is not known")
	}
	l, err := s.stored(ctx, t, code)
	if err != nil {
		return link.Link{}, err
	}
	now := s.now()
	if l.Expired(now) && !now.Before(l.ExpiresAt.Add(link.ExpiryGrace)) {
		return link.Link{}, noLink() // as if it had been swept already
	}
	if err := checkSource(&l); err != nil {
		return link.Link{}, err
	}
	// A v2 link stays one when v1 changes it: it would lose its QR code.
	if c.Source != "" && !(l.Source == link.SourceV2 && c.Source == link.SourceV1) {
		l.Source = c.Source
	}
	if c.Brand != nil {
		l.Brand = brand
	}
	if c.TTL != nil {
		l.TTL = *c.TTL
	}
	if c.Renew != nil {
		l.Renew = *c.Renew
	}
	l.Data, l.TargetHosts, l.UpdatedAt = c.Data, c.TargetHosts, now
	l.ExpiresAt = time.Time{}
	if l.TTL > 0 {
		l.ExpiresAt = now.Add(l.TTL)
	}
	return l, nil
}

// checkSource refuses links that no API made (OneLink API, invalid_source).
func checkSource(l *link.Link) error {
	if l.Source == link.SourceV1 || l.Source == link.SourceV2 {
		return nil
	}
	return &fault.Error{Kind: fault.Invalid, Reason: fault.Source, Message: "this link was not made by API, so the API cannot change it"}
}

// DeleteLink removes a live link for good. Refusals are those of ReadLink,
// and Invalid with Reason Source as for ChangeLink.
func (s *Service) DeleteLink(ctx context.Context, a Actor, t link.TemplateID, code string) error {
	if _, err := s.Template(a, t, link.Write); err != nil {
		return err
	}
	l, err := s.stored(ctx, t, code)
	if err == nil && l.Expired(s.now()) {
		err = noLink()
	}
	if err != nil {
		return err
	}
	if err := checkSource(&l); err != nil {
		return err
	}
	if err := s.Store.DeleteLink(ctx, l.ID); err != nil {
		return linkError("delete", t, code, err)
	}
	s.Changed([]link.Path{l.Path})
	return nil
}

// sweepStep is how many links one store call of a sweep removes: few enough
// that writers waiting behind it do not notice.
const sweepStep = 1000

// SweepExpired removes the links that expired longer than link.ExpiryGrace
// ago and returns how many, also of the steps before one that failed.
func (s *Service) SweepExpired(ctx context.Context) (int, error) {
	before, total := s.now().Add(-link.ExpiryGrace), 0
	for {
		paths, err := s.Store.SweepLinks(ctx, before, sweepStep)
		if err != nil {
			return total, fmt.Errorf("sweep expired links: %w", err)
		}
		total += len(paths)
		if len(paths) > 0 {
			s.Changed(paths)
		}
		if len(paths) < sweepStep {
			return total, nil
		}
	}
}
