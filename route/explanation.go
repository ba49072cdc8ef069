package route

import "waypost/link"

// LinkExplanation is what a link would do, for every kind of visitor.
type LinkExplanation struct {
	URL      string          `json:"url"`
	Account  link.AccountID  `json:"account"`
	Dialect  link.Dialect    `json:"dialect"`
	AppGroup link.AppGroupID `json:"app_group,omitempty"`
	Template link.TemplateID `json:"template,omitempty" doc:"absent for links that own a path of a host"`
	Link     link.LinkID     `json:"link,omitempty"`
	State    string          `json:"state" doc:"live; archived: redirects and counts nothing; expired; gone; unread when the store did not answer"`
	View     bool            `json:"view,omitempty" doc:"the URL counts an impression and answers with a pixel"`
	Visitors []Explanation   `json:"visitors"`
	Ignored  []string        `json:"ignored,omitempty" doc:"what the link or the URL asks for and does not get, and why"`
}
