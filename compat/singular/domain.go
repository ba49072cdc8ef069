package singular

import (
	"strings"

	"waypost/internal/reply"
	"waypost/link"
)

// vendorZone is the zone of the vendor's own links. Clients write it into
// their scripts, so it stands for the zone of the app's default domain.
const vendorZone = "sng.link"

// splitHost returns a host's first label and the rest.
func splitHost(host string) (subdomain, zone string) {
	subdomain, zone, _ = strings.Cut(host, ".")
	return subdomain, zone
}

// domainsOf returns the domains that the actor may make links on: those of the
// app groups that he may see, default ones first and brands last.
func (a *API) domainsOf(c *call) []*link.Domain {
	visible := map[link.AppGroupID]bool{}
	for _, g := range a.Rules.Groups(c.actor) {
		visible[g.ID] = true
	}
	catalog := &a.Rules.Directory().Catalog
	var all []*link.Domain
	for i := range catalog.Domains {
		if d := &catalog.Domains[i]; visible[d.AppGroup] {
			all = append(all, d)
		}
	}
	return all
}

// domainNamed returns the domain of the group's account that a client calls by
// subdomain and zone.
func (a *API) domainNamed(c *call, group *link.Group, subdomain, zone string) (*link.Domain, error) {
	hosts := []string{subdomain + "." + zone}
	if first := a.Rules.Directory().DefaultDomain(group.ID); zone == vendorZone && first != nil {
		_, ours := splitHost(first.Host)
		hosts = append(hosts, subdomain+"."+ours)
	}
	domains := a.domainsOf(c)
	for _, host := range hosts {
		for _, d := range domains {
			if d.Account == group.Account && d.Host == host {
				return d, nil
			}
		}
	}
	return nil, said("Link_domain not defined")
}

type domainWire struct {
	Subdomain string `json:"subdomain"`
	Zone      string `json:"dns_zone"`
}

func (a *API) listDomains(c *call) (reply.Reply, error) {
	list := []domainWire{}
	for _, d := range a.domainsOf(c) {
		subdomain, zone := splitHost(d.Host)
		list = append(list, domainWire{subdomain, zone})
	}
	return reply.JSON(0, struct {
		Domains []domainWire `json:"available_domains"`
	}{list}), nil
}
