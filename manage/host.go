package manage

import (
	"context"
	"fmt"
	"strings"

	"waypost/internal/fault"
	"waypost/link"
)

// onHost checks a wish for a listed link that owns a path of a host. Caller
// holds archiving.
func (s *Service) onHost(ctx context.Context, a Actor, n *NewLink) (link.Link, error) {
	switch {
	case n.Listing == nil:
		return link.Link{}, fault.Bad("listing", fault.Missing, "must be there for a link that owns a path of a host")
	case n.Base != "":
		return link.Link{}, fault.Bad("base", fault.NotAllowed, "cannot be there beside a listing: a link that stands for another has none of its own")
	case n.TTL != 0:
		return link.Link{}, fault.Bad("ttl", fault.NotAllowed, "cannot be there beside a listing: listed links last until they are removed")
	}
	group, err := s.liveGroup(a, n.Listing.AppGroup)
	if err != nil {
		return link.Link{}, err
	}
	l, err := s.placed(group.Account, n)
	if err != nil {
		return link.Link{}, err
	}
	listing := *n.Listing
	listing.Archived = false
	l.Listing = &listing
	return l, s.checkListing(ctx, &l, &link.Listing{})
}

// placed returns a link at its host, without its code where that is random.
func (s *Service) placed(account link.AccountID, n *NewLink) (link.Link, error) {
	site, err := s.site(account, n.Host)
	if err != nil {
		return link.Link{}, err
	}
	if n.Brand != "" {
		return link.Link{}, fault.Bad("brand_domain", fault.NotAllowed, "cannot be there beside a host, which may be a branded domain itself")
	}
	if len(n.Prefix) > maxPrefix || strings.HasPrefix(n.Prefix, "/") || strings.ContainsFunc(n.Prefix, notPath) {
		return link.Link{}, fault.Bad("prefix", fault.Malformed, "must be at most %d letters, digits, underscores, hyphens and slashes, no slash first", maxPrefix)
	}
	if n.CodeLength < 0 || n.CodeLength+codeGrowth[len(codeGrowth)-1] > link.MaxCode {
		return link.Link{}, fault.Bad("code_length", fault.Malformed, "must be from 1 to %d, or zero for the usual length", link.MaxCode-codeGrowth[len(codeGrowth)-1])
	}
	l, err := s.described(n)
	if err != nil {
		return link.Link{}, err
	}
	l.Account = account
	if site.Host != site.Home() {
		l.Brand = site.Host
	}
	return l, nil
}

// maxPrefix is the longest part of a path before a code.
const maxPrefix = 100

func notPath(r rune) bool { return r != '/' && (r > 'z' || !link.ValidCode(string(r))) }

// site returns the host's site where links of the account may live: on a
// domain of its own, or on the shared one that it was given.
func (s *Service) site(account link.AccountID, host string) (*link.Site, error) {
	d := s.Directory()
	site, owner := d.Site(strings.ToLower(host)), d.Account(account)
	switch {
	case host == "":
		return nil, fault.Bad("host", fault.Missing, "must be a domain of the account or its shared domain")
	case site == nil, owner == nil, site.Shared() && owner.SharedDomain != site.Host, !site.Shared() && site.Account != account:
		return nil, fault.Bad("host", fault.Unknown, "no such domain in this account; it must be one of its domains or its shared domain")
	}
	return site, nil
}

// checkListing checks what a listing names that differs from the one before.
// Its campaign's name is trimmed, or filled where the campaign is known.
func (s *Service) checkListing(ctx context.Context, l *link.Link, before *link.Listing) error {
	n := l.Listing
	if n.Partner != 0 && n.Partner != before.Partner && s.Directory().Partner(l.Account, n.Partner) == nil {
		return fault.Bad("partner", fault.Unknown, "no partner %d in this account", n.Partner)
	}
	if n.Agency != 0 && n.Agency != before.Agency {
		if p := s.Directory().Partner(l.Account, n.Agency); p == nil || p.Kind != link.AgencyPartner {
			return fault.Bad("agency", fault.Unknown, "no partner %d in this account that is an agency", n.Agency)
		}
	}
	return s.checkLinkCampaign(ctx, n, before)
}

// checkLinkCampaign checks the campaign, which stays where it is the one before,
// also when it was deleted since.
func (s *Service) checkLinkCampaign(ctx context.Context, n, before *link.Listing) error {
	switch {
	case n.Campaign == 0 && n.CampaignName == "":
		return nil
	case n.Campaign == 0:
		return s.nameCampaign(ctx, n)
	case n.Campaign == before.Campaign && n.AppGroup == before.AppGroup:
		n.CampaignName = before.CampaignName
		return nil
	}
	c, err := s.campaign(ctx, n.AppGroup, n.Campaign)
	switch {
	case err == nil && !c.Deleted:
		n.CampaignName = c.Name
		return nil
	case err == nil || fault.Is(err, fault.NotFound):
		return fault.Bad("campaign", fault.Unknown, "the app group has no live campaign %d", n.Campaign)
	}
	return err
}

// nameCampaign finds the live campaign that a listing names. Where there is
// none the store makes it with the link.
func (s *Service) nameCampaign(ctx context.Context, n *link.Listing) error {
	n.CampaignName = strings.TrimSpace(n.CampaignName)
	if err := checkName("campaign", n.CampaignName); err != nil {
		return err
	}
	live := false
	found, err := s.findCampaigns(ctx, link.CampaignFilter{AppGroup: n.AppGroup, Name: n.CampaignName, Deleted: &live})
	if err == nil && len(found) > 0 {
		n.Campaign, n.CampaignName = found[0].ID, found[0].Name
	}
	return err
}

// CreateAlias makes a link that stands for n.Base with parameters of its own,
// its Data, for an account that a device has named by its SDK key: NotFound,
// Field "link", where the account has no live link of the dialect there that
// is one of its own. Other refusals are CreateLink's.
func (s *Service) CreateAlias(ctx context.Context, account link.AccountID, n NewLink) (link.Link, string, error) {
	if n.Listing != nil {
		return link.Link{}, "", fault.Bad("listing", fault.NotAllowed, "cannot be there: a link that stands for another has none of its own")
	}
	base, err := s.Store.ReadLink(ctx, n.Base)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return link.Link{}, "", fmt.Errorf("read link %s: %w", n.Base, err)
	}
	if err != nil || base.Account != account || base.Dialect != n.Dialect || base.Base != "" || base.Archived() || base.Expired(s.now()) {
		return link.Link{}, "", &fault.Error{Kind: fault.NotFound, Field: "link", Reason: fault.Unknown, Message: "the account has no such link"}
	}
	l, err := s.placed(account, &n)
	if err != nil {
		return link.Link{}, "", err
	}
	l.Base = base.Path
	results := []LinkResult{{Link: l}}
	if err := s.store(ctx, []NewLink{n}, results, []int{0}); err != nil {
		return link.Link{}, "", err
	}
	return results[0].Link, results[0].URL, results[0].Err
}
