package singular

import (
	"slices"
	"strings"

	"waypost/attribution"
	"waypost/link"
)

// ownedSources are media that an account runs itself. Affiliates and
// influencers are paid, and of a source with a free name nobody knows.
var ownedSources = []string{"crosspromo", "email", "sms", "social"}

// owned reports whether a source without a partner is the account's own.
func owned(source string) bool {
	return slices.Contains(ownedSources, strings.ToLower(source))
}

// takePartner names the partner of a partner's link.
func takePartner(s *attribution.Source, l *link.Link, d *link.Directory) {
	if l.Listing == nil || l.Listing.Partner == 0 {
		return
	}
	s.Partner = l.Listing.Partner
	if p := d.Partner(l.Account, s.Partner); p != nil {
		s.Name = p.Name
	}
}

// takeCampaign reads what the touch was made for. Numbers are what a report
// groups by; names stand in where there are none. "pc", "cr" and "s" are what
// partners call campaign, creative and site beside the documented names.
func takeCampaign(s *attribution.Source, said filled) {
	s.Campaign = said.first("pcn")
	s.CampaignID = said.first("pcid", "pc")
	s.AdSetID = said.first("pscid", "pscn")
	s.AdID = said.first("pcrid", "pcrn", "cr")
	s.Site = said.first("psid", "pshid", "psn", "s")
}

// ofWeb returns the parameters with the campaign that brought the visitor to
// the page, under the names that apps' campaigns have: what the page's script
// tells in _web_params, else the parameters for websites.
func (s filled) ofWeb() filled {
	page := readFilled(strings.TrimPrefix(s[queryWeb], "?"))
	web := filled{}
	for name, value := range s {
		web[name] = value
	}
	for name, names := range map[string][]string{
		"pcn": {"wpcn", "utm_campaign"}, "pcid": {"wpcid", "utm_id"}, "pscn": {"wpscn", "utm_term"}, "pscid": {"wpscid"},
		"pcrn": {"wpcrn", "utm_content"}, "pcrid": {"wpcrid"},
	} {
		if value := page.first(names...); value != "" {
			web[name] = value
		} else if value := s.first(names[0]); value != "" && web[name] == "" {
			web[name] = value
		}
	}
	return web
}

// idNames are the parameters that name a device, in their documented order.
var idNames = []struct {
	name string
	kind attribution.IDKind
	form attribution.IDForm
}{
	{"idfa", attribution.IDFA, attribution.Raw},
	{"ifa1", attribution.IDFA, attribution.SHA1},
	{"ifa5", attribution.IDFA, attribution.MD5},
	{"idfv", attribution.IDFV, attribution.Raw},
	{"ifv1", attribution.IDFV, attribution.SHA1},
	{"ifv5", attribution.IDFV, attribution.MD5},
	{"aifa", attribution.GAID, attribution.Raw},
	{"aif1", attribution.GAID, attribution.SHA1},
	{"aif5", attribution.GAID, attribution.MD5},
	{"andi", attribution.AndroidID, attribution.Raw},
	{"andi1", attribution.AndroidID, attribution.SHA1},
	{"and1", attribution.AndroidID, attribution.SHA1},
	{"and5", attribution.AndroidID, attribution.MD5},
	{"oaid", attribution.OAID, attribution.Raw},
	{"amid", attribution.AmazonID, attribution.Raw},
	{"asid", attribution.AppSetID, attribution.Raw},
	{"sdid", attribution.Instance, attribution.Raw},
}

// deviceIDs are the ids that say something. A hash in the place of a raw id, as
// some partners send it, is told by its length.
func deviceIDs(said filled) []attribution.DeviceID {
	var ids []attribution.DeviceID
	for _, n := range idNames {
		id := attribution.DeviceID{Kind: n.kind, Form: n.form, Value: strings.TrimSpace(said[n.name])}
		if state := id.State(); state == attribution.Malformed && n.form == attribution.Raw {
			for _, form := range []attribution.IDForm{attribution.SHA1, attribution.MD5} {
				if hashed := (attribution.DeviceID{Kind: id.Kind, Form: form, Value: id.Value}); hashed.State() == attribution.Usable {
					id = hashed
				}
			}
		}
		if id.State() != attribution.Absent && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// hasID reports whether one of the ids is there that names a device of a kind.
func hasID(ids []attribution.DeviceID, kinds ...attribution.IDKind) bool {
	return slices.ContainsFunc(ids, func(id attribution.DeviceID) bool { return slices.Contains(kinds, id.Kind) })
}
