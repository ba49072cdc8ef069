package attribution

import "slices"

// Attribute is what a UserRule looks at.
type Attribute string

// Attributes. Country and platform are the conversion's.
const (
	OnSource     Attribute = "media_source"
	OnAgency     Attribute = "agency"
	OnCampaign   Attribute = "campaign"
	OnCampaignID Attribute = "campaign_id"
	OnAdSetID    Attribute = "ad_set_id"
	OnAdID       Attribute = "ad_id"
	OnSite       Attribute = "site_id"
	OnCountry    Attribute = "geo"
	OnPlatform   Attribute = "platform"
)

// Condition holds where the attribute's value is one of Values, or none of
// them where Not is set.
type Condition struct {
	Attribute Attribute
	Values    []string
	Not       bool
}

// UserRule is an account's own fraud rule. It blocks what all its conditions
// hold of; an AllowOnly rule blocks everything else.
type UserRule struct {
	Name       string // its code is "rule:" and the name
	Conditions []Condition
	AllowOnly  bool
	// Refuses refuses the conversion that a blocked touch would have won.
	// Otherwise the touch is rejected and the next one wins.
	Refuses bool
	Action  Action // empty: Reject
}

// Code is how decisions name the rule.
func (r *UserRule) Code() Code { return Code("rule:" + r.Name) }

func (a Attribute) read(c *Conversion, s Source) (value string, known bool) {
	switch a {
	case OnSource:
		return s.Name, true
	case OnAgency:
		return s.Agency, true
	case OnCampaign:
		return s.Campaign, true
	case OnCampaignID:
		return s.CampaignID, true
	case OnAdSetID:
		return s.AdSetID, true
	case OnAdID:
		return s.AdID, true
	case OnSite:
		return s.Site, true
	case OnCountry:
		return c.Facts.Country, true
	case OnPlatform:
		return c.Facts.Platform.String(), true
	}
	return "", false
}

// ofTouch reports whether the rule asks about a touch at all.
func (r *UserRule) ofTouch() bool {
	return slices.ContainsFunc(r.Conditions, func(c Condition) bool { return c.Attribute != OnCountry && c.Attribute != OnPlatform })
}

func (r *UserRule) blocks(c *Conversion, s Source) bool {
	holds := true
	for _, cond := range r.Conditions {
		value, known := cond.Attribute.read(c, s)
		holds = holds && known && slices.Contains(cond.Values, value) != cond.Not
	}
	return holds != r.AllowOnly
}

// blockedTouch asks the account's rules about a touch.
func (j *judge) blockedTouch(t *Touchpoint) Code {
	for i := range j.policy.UserRules {
		r := &j.policy.UserRules[i]
		if r.Refuses || r.Action == RuleOff || !r.blocks(j.conversion, t.Source) {
			continue
		}
		if r.Action != FlagIt {
			return r.Code()
		}
		j.decision.Flags = append(j.decision.Flags, Flag{Code: r.Code(), Touch: t.ID})
	}
	return ""
}

// blocked asks the account's rules that refuse conversions about the touch
// that would win. Where none would, nil, only rules that ask nothing about touches apply.
func (j *judge) blocked(winner *Match) Code {
	var source Source
	flag := Flag{}
	if winner != nil {
		source, flag.Touch = winner.Source, winner.Touch
	}
	for i := range j.policy.UserRules {
		r := &j.policy.UserRules[i]
		if !r.Refuses || r.Action == RuleOff || winner == nil && r.ofTouch() || !r.blocks(j.conversion, source) {
			continue
		}
		if r.Action != FlagIt {
			return r.Code()
		}
		flag.Code = r.Code()
		j.decision.Flags = append(j.decision.Flags, flag)
	}
	return ""
}
