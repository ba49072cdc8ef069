package sqlitestore

import (
	"time"

	"waypost/link"
)

// What the attributes of accounts and apps hold of attribution's settings. A
// name that is absent was not said; zero is a word of its own.

type settingsRow struct {
	Lookbacks           lookbacksSaidRow  `json:"lookbacks,omitzero"`
	ReattributionWindow *time.Duration    `json:"reattribution_window_ns,omitempty"`
	InactivityWindow    *time.Duration    `json:"inactivity_window_ns,omitempty"`
	ReengagementGap     *time.Duration    `json:"reengagement_gap_ns,omitempty"`
	EventWindow         *time.Duration    `json:"event_window_ns,omitempty"`
	Probabilistic       *bool             `json:"probabilistic,omitempty"`
	ProbabilisticOnIOS  link.IOSMatching  `json:"probabilistic_on_ios,omitempty"`
	FraudRules          map[string]string `json:"fraud_rules,omitempty"`
	Thresholds          thresholdsRow     `json:"thresholds,omitzero"`
	UserRules           []userRuleRow     `json:"user_rules,omitempty"`
}

type lookbacksSaidRow struct {
	Click              *time.Duration `json:"click_ns,omitempty"`
	View               *time.Duration `json:"view_ns,omitempty"`
	ClickProbabilistic *time.Duration `json:"click_probabilistic_ns,omitempty"`
	ViewProbabilistic  *time.Duration `json:"view_probabilistic_ns,omitempty"`
	Reengagement       *time.Duration `json:"reengagement_ns,omitempty"`
}

type thresholdsRow struct {
	ShortTime      *time.Duration `json:"short_time_ns,omitempty"`
	DeviceClicks   *int64         `json:"device_clicks,omitempty"`
	AgentClicks    *int64         `json:"agent_clicks,omitempty"`
	DeviceInstalls *int64         `json:"device_installs,omitempty"`
	VendorInstalls *int64         `json:"vendor_installs,omitempty"`
	SiteClicks     *int64         `json:"site_clicks,omitempty"`
	SiteRate       *int64         `json:"site_rate,omitempty"`
	SiteInstalls   *int64         `json:"site_installs,omitempty"`
	SiteNewDevices *int64         `json:"site_new_devices,omitempty"`
}

type userRuleRow struct {
	Name       string         `json:"name"`
	Conditions []conditionRow `json:"conditions"`
	AllowOnly  bool           `json:"allow_only,omitempty"`
	Action     string         `json:"action,omitempty"`
	Refuse     bool           `json:"refuse,omitempty"`
}

type conditionRow struct {
	Attribute string   `json:"attribute"`
	Values    []string `json:"values"`
	Not       bool     `json:"not,omitempty"`
}

func rowOfSettings(s *link.AttributionSettings) settingsRow {
	r := settingsRow{
		Lookbacks: lookbacksSaidRow(s.Lookbacks), ReattributionWindow: s.ReattributionWindow, InactivityWindow: s.InactivityWindow,
		ReengagementGap: s.ReengagementGap, EventWindow: s.EventWindow, Probabilistic: s.Probabilistic, ProbabilisticOnIOS: s.ProbabilisticOnIOS,
		FraudRules: s.FraudRules, Thresholds: thresholdsRow(s.Thresholds),
	}
	for i := range s.UserRules {
		u := &s.UserRules[i]
		row := userRuleRow{Name: u.Name, AllowOnly: u.AllowOnly, Action: u.Action, Refuse: u.Refuse}
		for _, c := range u.Conditions {
			row.Conditions = append(row.Conditions, conditionRow(c))
		}
		r.UserRules = append(r.UserRules, row)
	}
	return r
}

func (r *settingsRow) settings() link.AttributionSettings {
	s := link.AttributionSettings{
		Lookbacks: link.LookbackSettings(r.Lookbacks), ReattributionWindow: r.ReattributionWindow, InactivityWindow: r.InactivityWindow,
		ReengagementGap: r.ReengagementGap, EventWindow: r.EventWindow, Probabilistic: r.Probabilistic, ProbabilisticOnIOS: r.ProbabilisticOnIOS,
		FraudRules: r.FraudRules, Thresholds: link.FraudThresholds(r.Thresholds),
	}
	for i := range r.UserRules {
		u := &r.UserRules[i]
		rule := link.UserRule{Name: u.Name, AllowOnly: u.AllowOnly, Action: u.Action, Refuse: u.Refuse}
		for _, c := range u.Conditions {
			rule.Conditions = append(rule.Conditions, link.RuleCondition(c))
		}
		s.UserRules = append(s.UserRules, rule)
	}
	return s
}
