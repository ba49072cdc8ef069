package attribution

import (
	"time"

	"waypost/link"
)

// PolicyOf is an app's policy: the defaults, over them what its account sets,
// over that what it sets itself. partners are what the account's partners are
// configured for. The settings are those that CheckSettings finds nothing wrong with.
func PolicyOf(account, app *link.AttributionSettings, partners map[link.PartnerID]Lookbacks) Policy {
	p := DefaultPolicy()
	p.Partners = partners
	p.Account, p.App = lookbacksOf(&account.Lookbacks), lookbacksOf(&app.Lookbacks)
	p.apply(account)
	p.apply(app)
	p.UserRules = userRulesOf(app.UserRules, account.UserRules)
	return p
}

// apply lays what the settings say over the policy, but for lookbacks and user
// rules, in which account and app stay apart.
func (p *Policy) apply(s *link.AttributionSettings) {
	set(&p.Reattribution, s.ReattributionWindow)
	set(&p.Inactivity, s.InactivityWindow)
	set(&p.ReengagementGap, s.ReengagementGap)
	set(&p.EventWindow, s.EventWindow)
	if s.Probabilistic != nil {
		p.Likeness.Off = !*s.Probabilistic
	}
	if s.ProbabilisticOnIOS != "" {
		p.Likeness.IOS = s.ProbabilisticOnIOS
	}
	for code, action := range s.FraudRules {
		if p.Rules == nil {
			p.Rules = map[Code]Action{}
		}
		p.Rules[Code(code)] = Action(action)
	}
	t := &s.Thresholds
	set(&p.Fraud.ShortTime, t.ShortTime)
	set(&p.Fraud.DeviceClicks, t.DeviceClicks)
	set(&p.Fraud.AgentClicks, t.AgentClicks)
	set(&p.Fraud.DeviceInstalls, t.DeviceInstalls)
	set(&p.Fraud.VendorInstalls, t.VendorInstalls)
	set(&p.Fraud.SiteClicks, t.SiteClicks)
	set(&p.Fraud.SiteRate, t.SiteRate)
	set(&p.Fraud.OutlierInstalls, t.SiteInstalls)
	set(&p.Fraud.NewDevices, t.SiteNewDevices)
}

// set takes over what is said.
func set[T ~int | ~int64, S ~int64](to *T, said *S) {
	if said != nil {
		*to = T(*said)
	}
}

func lookbacksOf(s *link.LookbackSettings) Lookbacks {
	return Lookbacks{
		ClickDeterministic: lookbackOf(s.Click), ViewDeterministic: lookbackOf(s.View),
		ClickProbabilistic: lookbackOf(s.ClickProbabilistic), ViewProbabilistic: lookbackOf(s.ViewProbabilistic),
		Reengagement: lookbackOf(s.Reengagement),
	}
}

func lookbackOf(said *time.Duration) Lookback {
	switch {
	case said == nil:
		return 0
	case *said <= 0:
		return Never
	}
	return Lookback(*said)
}

// userRulesOf puts the app's rules before its account's. One of the account's
// that has the name of an app's stands back.
func userRulesOf(app, account []link.UserRule) (all []UserRule) {
	own := map[string]bool{}
	for i := range app {
		own[app[i].Name] = true
		all = append(all, userRuleOf(&app[i]))
	}
	for i := range account {
		if !own[account[i].Name] {
			all = append(all, userRuleOf(&account[i]))
		}
	}
	return all
}

func userRuleOf(r *link.UserRule) UserRule {
	made := UserRule{Name: r.Name, AllowOnly: r.AllowOnly, Refuses: r.Refuse, Action: Action(r.Action)}
	for _, c := range r.Conditions {
		made.Conditions = append(made.Conditions, Condition{Attribute: Attribute(c.Attribute), Values: c.Values, Not: c.Not})
	}
	return made
}
