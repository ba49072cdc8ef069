package pipeline

import (
	"waypost/attribution"
	"waypost/link"
)

// policies are the apps' rules as one directory has them.
type policies struct {
	directory *link.Directory
	byApp     map[link.AppID]*attribution.Policy
}

// of returns an app's policy: the defaults, what its account and it itself
// set, and what the account's partners are configured for.
func (p *policies) of(d *link.Directory, account link.AccountID, app link.AppID) *attribution.Policy {
	if p.directory != d || p.byApp == nil {
		p.directory, p.byApp = d, map[link.AppID]*attribution.Policy{}
	}
	var ofAccount, ofApp link.AttributionSettings
	own := d.App(app)
	ours := own != nil && own.Account == account
	if known := p.byApp[app]; known != nil && ours {
		return known
	}
	if ours {
		ofApp = own.Attribution
	}
	if a := d.Account(account); a != nil {
		ofAccount = a.Attribution
	}
	made := attribution.PolicyOf(&ofAccount, &ofApp, partnersFor(d, account, app))
	if ours { // others come from whoever writes the ledger: no bound to them
		p.byApp[app] = &made
	}
	return &made
}

// partnersFor are the lookbacks that the account's partners are configured for.
func partnersFor(d *link.Directory, account link.AccountID, app link.AppID) map[link.PartnerID]attribution.Lookbacks {
	partners := map[link.PartnerID]attribution.Lookbacks{}
	for i := range d.Catalog.Partners {
		partner := &d.Catalog.Partners[i]
		for _, set := range partner.ConfiguredFor {
			if partner.Account == account && set.App == app {
				partners[partner.ID] = attribution.Lookbacks{
					ClickDeterministic: attribution.Lookback(set.ClickDeterministic), ViewDeterministic: attribution.Lookback(set.ViewDeterministic),
					ClickProbabilistic: attribution.Lookback(set.ClickProbabilistic), ViewProbabilistic: attribution.Lookback(set.ViewProbabilistic),
					Reengagement: attribution.Lookback(set.Reengagement),
				}
			}
		}
	}
	return partners
}
