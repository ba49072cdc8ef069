package smartlinks

import (
	"context"
	"math"
	"net/http"
	"strconv"
	"time"

	"waypost/attribution"
	"waypost/ingest"
	"waypost/internal/reply"
	"waypost/link"
)

// final is the retry of an answer that will not change.
const final = -1

// longestRetry bounds how long an app is told to wait, whatever it has waited.
const longestRetry = 5 * time.Minute

// pulled is the answer to get_attribution.
type pulled struct {
	Success string     `json:"success"`
	Data    pulledData `json:"data"`
}

type pulledData struct {
	Retry int `json:"retry"` // seconds; final: this is the answer
	// DeviceID is the caller's own where this is its first installation. The
	// vendor's SDK takes another one, or none, for a reinstall, whose deferred
	// deep link it ignores.
	DeviceID    string   `json:"kochava_device_id"`
	Attribution credited `json:"attribution"`
}

// credited is who earned an installation; empty: nobody.
type credited struct {
	NetworkID    link.PartnerID  `json:"network_id,omitempty"`
	NetworkName  string          `json:"network_name,omitempty"`
	CampaignID   string          `json:"app_group_campaign_id,omitempty"`
	CampaignName string          `json:"app_group_campaign_name,omitempty"`
	TrackerID    TrackerID       `json:"tracker_id,omitempty"`
	ClickID      string          `json:"click_id,omitempty"`
	SiteID       string          `json:"site_id,omitempty"`
	SubSiteID    string          `json:"sub_site_id,omitempty"`
	CreativeID   string          `json:"creative_id,omitempty"`
	DeepLink     *pulledDeepLink `json:"deferred_deeplink,omitempty"`
}

type pulledDeepLink struct {
	Destination string `json:"destination"`
}

// pull answers an app that asks who earned its installation. The deferred deep
// link is told once.
func (n *Ingest) pull(ctx context.Context, m *message) (reply.Reply, error) {
	ids, err := m.deviceIDs()
	if err != nil {
		return reply.Reply{}, err
	}
	usable, _, err := m.permitted(ids, m.facts())
	if err != nil {
		return reply.Reply{}, err
	}
	install, err := m.installation(usable, len(ids) > 0)
	if err != nil {
		return reply.Reply{}, err
	}
	found, err := n.Intake.Ask(ctx, m.app.ID, install, true)
	if err != nil {
		return reply.Reply{}, err
	}
	answer := pulled{Success: succeeded, Data: pulledData{Retry: final, DeviceID: m.object.loose("kochava_device_id")}}
	switch {
	case found.Status == ingest.Pending:
		answer.Data.Retry = retry(found.AskIn, m.data.loose("attempt_count"))
	default:
		if found.Installation.Outcome == attribution.Reinstall {
			answer.Data.DeviceID = ""
		}
		answer.Data.Attribution = credit(&found)
	}
	return reply.JSON(http.StatusOK, answer), nil
}

// retry is when to ask again, in seconds: twice as long after each attempt.
func retry(after time.Duration, attempts string) int {
	n, err := strconv.Atoi(attempts)
	if err != nil {
		n = 1
	}
	after = max(after, time.Second)
	for ; n > 1 && after < longestRetry; n-- {
		after *= 2
	}
	return int(math.Ceil(min(after, longestRetry).Seconds()))
}

// credit says who earned the installation, in the vendor's words.
func credit(a *ingest.Answer) credited {
	if a.Match == nil {
		return credited{}
	}
	s := &a.Match.Source
	c := credited{
		NetworkID: s.Partner, NetworkName: s.Name, CampaignID: s.CampaignID, CampaignName: s.Campaign,
		ClickID: a.Match.Touch.String(), SiteID: s.Site, CreativeID: s.AdID,
	}
	if s.Tracker != 0 && (a.Touch == nil || a.Touch.Dialect == link.SmartLinks) {
		c.TrackerID = TrackerOf(s.Link, link.Tracker(s.Tracker))
		if s.Partner == 0 {
			c.NetworkID, c.NetworkName = NoNetwork, NoNetworkName
		}
	}
	if a.Touch != nil && a.Touch.Dialect == link.SmartLinks {
		c.SubSiteID = readClassic(a.Touch.Query).get("sub_site_id")
	}
	if a.DeepLink != "" {
		c.DeepLink = &pulledDeepLink{a.DeepLink}
	}
	return c
}
