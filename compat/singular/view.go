package singular

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/http"
	"strings"

	"waypost/link"
)

// linkWire is a link as the API shows it.
type linkWire struct {
	ID         string `json:"tracking_link_id"`
	Name       string `json:"tracking_link_name"`
	Click      string `json:"click_tracking_link"`
	Impression string `json:"impression_tracking_link"`
	Short      string `json:"short_link,omitempty"`
	Created    string `json:"created_utc"`
	Modified   string `json:"modified_utc"`

	LinkType LinkType         `json:"link_type"`
	Partner  int64            `json:"partner_id"` // clients want a number, so sources have one, too
	Source   string           `json:"source_name,omitempty"`
	App      link.AppGroupID  `json:"app_id"`
	Android  *redirectionWire `json:"android_redirection,omitempty"`
	IOS      *redirectionWire `json:"ios_redirection,omitempty"`
	Fallback string           `json:"destination_fallback_url"`
	OG       *OG              `json:"og_tags,omitempty"`
	Query    orderedPairs     `json:"link_parameter,omitempty"`

	ClickDeterministic string `json:"click_deterministic_window"`
	ClickProbabilistic string `json:"click_probabilistic_window"`
	ViewDeterministic  string `json:"view_deterministic_window"`
	ViewProbabilistic  string `json:"view_probabilistic_window"`
	ClickReengagement  string `json:"click_reengagement_window,omitempty"` // only with re-engagement
	Reengagement       bool   `json:"enable_reengagement"`
	CTV                bool   `json:"enable_ctv"` // as a create calls it
	EnabledCTV         bool   `json:"enabled_ctv"`
}

// redirectionWire has the deferred deep link under both of its names: that of
// the vendor's sample and that of its table.
type redirectionWire struct {
	AppSite     link.AppID `json:"app_site_id"`
	Destination string     `json:"destination_url"`
	DeepLink    *string    `json:"destination_deeplink_url"`
	Deferred    *string    `json:"destination_deferred_deeplink"`
	DeferredURL *string    `json:"destination_deferred_deeplink_url"`
}

// wire returns a link as the API shows it.
func (a *API) wire(l *link.Link) (linkWire, error) {
	s, err := Read(l.Data)
	if err != nil {
		return linkWire{}, fmt.Errorf("link %d: %w", l.ID, err)
	}
	shown := addressesOf(a.baseOf(l), l, &s)
	w := linkWire{
		ID: l.Code, Name: l.Listing.Name, Click: shown.click, Impression: shown.impression, Short: shown.short,
		Created: l.CreatedAt.UTC().Format(http.TimeFormat), Modified: l.UpdatedAt.UTC().Format(http.TimeFormat),
		LinkType: s.LinkType, Partner: partnerID(l, &s), Source: s.SourceName, App: l.Listing.AppGroup,
		Android: s.Android.wire(), IOS: s.IOS.wire(), Fallback: s.Fallback, OG: s.OG, Query: orderedPairs(s.LinkParameter),
		Reengagement: s.Reengagement, CTV: s.CTV, EnabledCTV: s.CTV,
	}
	shows := [len(windows)]*string{&w.ClickDeterministic, &w.ClickProbabilistic, &w.ViewDeterministic, &w.ViewProbabilistic, &w.ClickReengagement}
	for i := range windows {
		if windows[i].name != reengagementWindow || s.Reengagement {
			*shows[i] = windows[i].show(&s)
		}
	}
	return w, nil
}

func (r *Redirection) wire() *redirectionWire {
	if r == nil {
		return nil
	}
	w := &redirectionWire{AppSite: r.AppSite, Destination: r.Destination}
	if r.DeepLink != "" {
		w.DeepLink = &r.DeepLink
	}
	if r.Deferred != "" {
		w.Deferred, w.DeferredURL = &r.Deferred, &r.Deferred
	}
	return w
}

// firstSourceID is where the numbers of sources begin, and sourceIDs how many
// there are: up to the largest that fits 31 bits.
const (
	firstSourceID = 900_000
	sourceIDs     = 1<<31 - firstSourceID
)

// SourceID returns the number that the API gives to a source that is no
// partner, since clients want one: always the same for the same name in any case.
func SourceID(source string) int64 {
	h := fnv.New32a()
	h.Write([]byte(strings.ToLower(source)))
	return firstSourceID + int64(h.Sum32())%sourceIDs
}

func partnerID(l *link.Link, s *Stored) int64 {
	if s.LinkType == PartnerLink {
		return int64(l.Listing.Partner)
	}
	return SourceID(s.SourceName)
}

// orderedPairs are an object of JSON whose order is kept.
type orderedPairs []Pair

// MarshalJSON writes the pairs as an object. Links hold "&", which stays as it is.
func (p orderedPairs) MarshalJSON() ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	buf.WriteByte('{')
	for i, pair := range p {
		if i > 0 {
			buf.WriteByte(',')
		}
		for _, part := range []struct{ text, after string }{{pair.Name, ":"}, {pair.Value, ""}} {
			if err := enc.Encode(part.text); err != nil {
				return nil, err
			}
			buf.Truncate(buf.Len() - 1) // the newline that ends every Encode
			buf.WriteString(part.after)
		}
	}
	buf.WriteByte('}')
	return buf.Bytes(), nil
}
