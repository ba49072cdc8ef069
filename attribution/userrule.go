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

// ofConversion reports whether device and network tell the attribute. What they
// did not tell is not known; a touch that names no site, say, is of none.
func (a Attribute) ofConversion() bool { return a == OnCountry || a == OnPlatform }

// Condition holds where the attribute's value is one of Values, or none of
// them where Not is set. Whether it does is not known where the value is not.
type Condition struct {
	Attribute Attribute
	Values    []string
	Not       bool
}

// UserRule is an account's own fraud rule. It blocks what all its conditions
// hold of; an AllowOnly rule blocks what one of them does not hold of. What is
// not known blocks nothing.
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

// read is the attribute's value; not ok where there is no such attribute.
func (a Attribute) read(c *Conversion, s Source) (value string, ok bool) {
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
		return c.Facts.Platform.String(), true // empty where it is not known
	}
	return "", false
}

// ofTouch reports whether the rule asks about a touch at all.
func (r *UserRule) ofTouch() bool {
	return slices.ContainsFunc(r.Conditions, func(c Condition) bool { return !c.Attribute.ofConversion() })
}

func (r *UserRule) blocks(c *Conversion, s Source) bool {
	all, broken := true, false // the conditions that surely hold, and one that surely does not
	for i := range r.Conditions {
		holds, known := r.Conditions[i].holds(c, s)
		all, broken = all && known && holds, broken || known && !holds
	}
	if r.AllowOnly {
		return broken
	}
	return all
}

// holds reports whether the condition holds, where that is known.
func (cond *Condition) holds(c *Conversion, s Source) (holds, known bool) {
	value, ok := cond.Attribute.read(c, s)
	if value == "" && cond.Attribute.ofConversion() {
		return false, false
	}
	return ok && slices.Contains(cond.Values, value) != cond.Not, true
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
