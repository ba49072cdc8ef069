package manage

import (
	"context"
	"fmt"

	"waypost/internal/fault"
	"waypost/link"
)

// ListedLink returns a listed link of a dialect, archived or not; NotFound,
// Field "id", where the actor may not see it.
func (s *Service) ListedLink(ctx context.Context, a Actor, d link.Dialect, id link.LinkID) (link.Link, error) {
	l, err := s.Store.ReadLinkByID(ctx, id)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return link.Link{}, fmt.Errorf("read link %d: %w", id, err)
	}
	if err != nil || l.Listing == nil || l.Dialect != d {
		return link.Link{}, noLink()
	}
	if _, err := s.Group(a, l.Listing.AppGroup, link.Read); err != nil {
		return link.Link{}, noLink()
	}
	return l, nil
}

// ListedLinks returns the links that the filter picks of those that the actor
// may see; its Scopes are set here.
func (s *Service) ListedLinks(ctx context.Context, a Actor, f link.Filter) ([]link.Link, error) {
	f.Scopes = s.scopes(a)
	if len(f.Scopes) == 0 {
		return nil, nil
	}
	all, err := s.Store.ListLinks(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("list links: %w", err)
	}
	return all, nil
}

// CountListed returns the number of live links of a dialect in each group;
// those without any are left out.
func (s *Service) CountListed(ctx context.Context, d link.Dialect, groups []link.AppGroupID) (map[link.AppGroupID]int64, error) {
	if len(groups) == 0 {
		return nil, nil
	}
	counts, err := s.Store.CountListed(ctx, d, groups)
	if err != nil {
		return nil, fmt.Errorf("count links of %d app groups: %w", len(groups), err)
	}
	return counts, nil
}

// changeable returns a listed link that the actor may write. Caller holds listed.
func (s *Service) changeable(ctx context.Context, a Actor, d link.Dialect, id link.LinkID) (link.Link, error) {
	l, err := s.ListedLink(ctx, a, d, id)
	if err != nil {
		return link.Link{}, err
	}
	if _, err := s.Group(a, l.Listing.AppGroup, link.Write); err != nil {
		return link.Link{}, err
	}
	return l, nil
}

// ChangeListed reads the link, lets change write its Data, TargetHosts and
// Listing, and stores it, while no other change of a listed link goes on.
// Whatever else change writes is not kept, and it cannot archive; it must not
// ask for another change of a listed link or a campaign. Refusals are
// those of ListedLink and CreateLink; Forbidden, Reason ReadOnly, for those who
// may only read; Conflict, Reason Archived, for an archived link; the error of
// change as it is.
func (s *Service) ChangeListed(ctx context.Context, a Actor, d link.Dialect, id link.LinkID, change func(l *link.Link) error) (link.Link, error) {
	s.listed.Lock()
	defer s.listed.Unlock()
	l, err := s.changeable(ctx, a, d, id)
	if err != nil {
		return link.Link{}, err
	}
	if l.Archived() {
		return link.Link{}, archived("the link is archived, which is for ever; it takes no changes")
	}
	asked, listing := l, *l.Listing
	asked.Listing = &listing
	if err := change(&asked); err != nil {
		return link.Link{}, err
	}
	if asked.Listing == nil {
		return link.Link{}, fault.Bad("listing", fault.Missing, "must stay")
	}
	s.archiving.RLock()
	defer s.archiving.RUnlock()
	before := l.Listing
	listing = *asked.Listing
	listing.Archived = false
	l.Data, l.TargetHosts, l.Listing, l.UpdatedAt = asked.Data, asked.TargetHosts, &listing, s.now()
	if err := s.recheck(ctx, a, &l, before); err != nil {
		return link.Link{}, err
	}
	if err := s.update(ctx, &l); err != nil {
		return link.Link{}, err
	}
	return l, nil
}

// recheck checks a listed link after a change.
func (s *Service) recheck(ctx context.Context, a Actor, l *link.Link, before *link.Listing) error {
	group, err := s.liveGroup(a, l.Listing.AppGroup)
	if err != nil {
		return err
	}
	if group.Account != l.Account { // ids are seen by the actor, who has grants in both
		return fault.Bad("app_group", fault.NotAllowed, "is another account's; a link stays in its account")
	}
	if err := checkData(l.Data); err != nil {
		return err
	}
	return s.checkListing(ctx, l, before)
}

// update stores a listed link and tells that its path has changed.
func (s *Service) update(ctx context.Context, l *link.Link) error {
	switch err := s.Store.UpdateLink(ctx, l); {
	case fault.Is(err, fault.NotFound): // it went away by another way
		return noLink()
	case err != nil:
		return fmt.Errorf("update link %d: %w", l.ID, err)
	}
	s.Changed([]link.Path{l.Path})
	return nil
}

// ArchiveLink puts a listed link away for ever, or does nothing to one that
// is: it goes on to send people on, its Identity is free. Refusals are those of
// ChangeListed.
func (s *Service) ArchiveLink(ctx context.Context, a Actor, d link.Dialect, id link.LinkID) error {
	s.listed.Lock()
	defer s.listed.Unlock()
	l, err := s.changeable(ctx, a, d, id)
	if err != nil || l.Archived() {
		return err
	}
	l.Listing.Archived, l.UpdatedAt = true, s.now()
	return s.update(ctx, &l)
}

// RemoveLink deletes a listed link, archived or not, for good. Its counts stay.
// Refusals are those of ListedLink, and Forbidden, Reason ReadOnly.
func (s *Service) RemoveLink(ctx context.Context, a Actor, d link.Dialect, id link.LinkID) error {
	s.listed.Lock()
	defer s.listed.Unlock()
	l, err := s.changeable(ctx, a, d, id)
	if err != nil {
		return err
	}
	switch err := s.Store.DeleteLink(ctx, id); {
	case fault.Is(err, fault.NotFound):
		return noLink()
	case err != nil:
		return fmt.Errorf("remove link %d: %w", id, err)
	}
	s.Changed([]link.Path{l.Path})
	return nil
}
