package singular

import (
	"slices"

	"waypost/internal/fault"
	"waypost/internal/reply"
	"waypost/internal/uid"
	"waypost/link"
	"waypost/manage"
	"waypost/report"
)

// UsageLinks counts the links that were made, against the limits per day and month.
const UsageLinks report.UsageName = "singular.links"

// codeLength is the length of a tracking_link_id.
const codeLength = 5

// createdWire is the answer to a create.
type createdWire struct {
	ID         string   `json:"tracking_link_id"`
	Name       string   `json:"tracking_link_name"`
	Click      string   `json:"click_tracking_link"`
	Impression string   `json:"impression_tracking_link"`
	Short      string   `json:"short_link,omitempty"`
	Notes      []string `json:"extra_info"`
}

func (a *API) createLink(c *call) (reply.Reply, error) {
	named, err := c.query.members()
	if err != nil {
		return reply.Reply{}, err
	}
	f := newForm("")
	f.fill(named)
	members, err := readBody(c.Request)
	if err != nil {
		return reply.Reply{}, err
	}
	f.fill(members)
	w, err := f.wish()
	if err != nil {
		return reply.Reply{}, err
	}
	d, err := a.draft(c, w)
	if err != nil {
		return reply.Reply{}, err
	}
	if d.data, err = d.stored.Data(); err != nil {
		return reply.Reply{}, err
	}
	l, err := a.spend(c, d)
	if err != nil {
		return reply.Reply{}, err
	}
	return a.written(&l, d), nil
}

// written answers with a link that was made or changed.
func (a *API) written(l *link.Link, d *draft) reply.Reply {
	shown := addressesOf(a.baseOf(l), l, &d.stored)
	return reply.JSON(0, createdWire{l.Code, l.Listing.Name, shown.click, shown.impression, shown.short, append([]string{}, d.notes...)})
}

// spend makes the link where the account's limits allow one more. What is
// refused or fails does not count.
func (a *API) spend(c *call, d *draft) (l link.Link, err error) {
	limited := d.account.Limit(link.SingularPerMinute) != link.Unlimited
	allowance := manage.Allowance{
		Account: d.account.ID, Usage: UsageLinks, PerDay: link.SingularPerDay, PerMonth: link.SingularPerMonth,
		InTurn: limited, // so that no equal link comes between checkFree and insert, and costs a call of the minute
	}
	made := false
	err = a.Rules.Spend(c.Context(), allowance, func() (err error) {
		if limited {
			// Found out before a call of the minute is taken, which nobody gives back.
			if err := a.checkFree(c, d); err != nil {
				return err
			}
			if err := told(d.account, link.SingularPerMinute, a.Rules.TakeRate(d.account.ID, link.SingularPerMinute)); err != nil {
				return err
			}
		}
		l, err = a.insert(c, d)
		made = err == nil
		return err
	})
	if err != nil && made { // it was not counted, but it is there, and its maker must learn of it
		a.failures.Failed(c.Request, reply.Reply{}, err)
		return l, nil
	}
	return l, err
}

// checkFree refuses a link that exists already.
func (a *API) checkFree(c *call, d *draft) error {
	same, err := a.Rules.ListedLinks(c.Context(), wholeAccount(d.account.ID), link.Filter{
		Dialect: link.Singular, Groups: []link.AppGroupID{d.group.ID}, Search: d.listing.Name,
	})
	if err != nil {
		return err
	}
	if slices.ContainsFunc(same, func(l link.Link) bool { return !l.Archived() && l.Listing.Identity == d.listing.Identity }) {
		return &fault.Error{Kind: fault.Conflict, Field: "name", Reason: fault.Taken}
	}
	return nil
}

// insertTries is how many ids are tried. Of 60 million an account would need
// half to make all of them fail once in a thousand creates.
const insertTries = 10

// insert stores a draft under an id that no other link of the account has, on
// whatever host and of whatever app.
func (a *API) insert(c *call, d *draft) (link.Link, error) {
	for range insertTries {
		code := uid.Code(codeLength)
		others, err := a.Rules.ListedLinks(c.Context(), wholeAccount(d.account.ID), link.Filter{Dialect: link.Singular, Codes: []string{code}, Limit: 1})
		if err != nil {
			return link.Link{}, err
		}
		if len(others) > 0 {
			continue
		}
		l, _, err := a.Rules.CreateLink(c.Context(), c.actor, manage.NewLink{
			Dialect: link.Singular, Code: code, Host: d.domain.Host, Prefix: AppCode(d.group.ID) + "/",
			Listing: &d.listing, Data: d.data, TargetHosts: targetHosts(&d.stored),
		})
		if fault.Is(err, fault.Conflict) && fault.As(err).Field == "id" {
			continue
		}
		return l, err
	}
	return link.Link{}, fault.New(fault.Unavailable, "no free tracking_link_id was found")
}

// wholeAccount may read all of one account, whatever the caller may see of it:
// ids are unique in the account, and nothing of what is read is told.
func wholeAccount(id link.AccountID) manage.Actor {
	return manage.Actor{Token: &link.Token{Account: id, Grants: []link.Grant{{Account: id, Role: link.Read}}}, Account: id}
}
