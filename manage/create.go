package manage

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"waypost/internal/fault"
	"waypost/internal/uid"
	"waypost/link"
)

// MaxLinks is how many links one CreateLinks call takes.
const MaxLinks = 10_000

// codeLength is that of random codes where no other is asked for: 41 bits.
const codeLength = 8

// codeGrowth says by how much random codes are longer in the tries that follow
// each other. Three collisions mean that the codes of a length have become
// crowded; longer ones end it.
var codeGrowth = [...]int{0, 0, 0, 2, 4, 8}

// CreateLink makes a link and returns it with its URL. For one of a template:
//   - what Template and CheckBrand say;
//   - Conflict, Field "id", Reason Taken: the code has a live link.
//
// For one that owns a path of a host:
//   - what Group says of its Listing's group; Conflict, Reason Archived;
//   - Invalid with Field "host", "prefix", "code_length" or "listing", or, for
//     what the account or the group does not have, "partner", "agency", "campaign";
//   - Conflict, Field "name", Reason Taken: the Identity of its Listing is in use.
//
// For both Invalid with Field "id", "data", "ttl" or "source".
func (s *Service) CreateLink(ctx context.Context, a Actor, n NewLink) (link.Link, string, error) {
	results, err := s.CreateLinks(ctx, a, []NewLink{n})
	if err != nil {
		return link.Link{}, "", err
	}
	return results[0].Link, results[0].URL, results[0].Err
}

// CreateLinks makes many links with one call of the store, and a few more
// where random codes were taken. Each has its own outcome, as CreateLink would
// tell it. The error is of the call as a whole, and then nothing was written.
func (s *Service) CreateLinks(ctx context.Context, a Actor, asked []NewLink) ([]LinkResult, error) {
	if len(asked) > MaxLinks {
		return nil, fault.Bad("links", fault.TooLong, "holds %d links; one call takes at most %d", len(asked), MaxLinks)
	}
	s.archiving.RLock()
	defer s.archiving.RUnlock()
	results := make([]LinkResult, len(asked))
	var pending []int
	for i := range asked {
		l, err := s.newLink(ctx, a, &asked[i])
		if err != nil {
			results[i].Err = err
			continue
		}
		results[i].Link = l
		pending = append(pending, i)
	}
	if err := s.store(ctx, asked, results, pending); err != nil {
		return nil, err
	}
	return results, nil
}

// store stores the links of results at the places, and tells the outcomes
// there. The error is of the first call of the store: nothing was written.
func (s *Service) store(ctx context.Context, asked []NewLink, results []LinkResult, pending []int) error {
	for attempt, growth := range codeGrowth {
		if len(pending) == 0 {
			return nil
		}
		refused, err := s.insert(ctx, asked, results, pending, growth)
		if err != nil && attempt == 0 {
			return err
		}
		if err != nil { // the links of the first call exist: their makers must learn of them
			for _, i := range pending {
				results[i] = LinkResult{Err: err}
			}
			return nil
		}
		var again []int
		for n, i := range pending {
			switch {
			case refused[n] == link.Free:
			case refused[n] == link.IdentityTaken:
				results[i] = LinkResult{Err: nameTaken("is in use by another link")}
			case asked[i].Code != "":
				results[i] = LinkResult{Err: &fault.Error{Kind: fault.Conflict, Field: "id", Reason: fault.Taken, Message: "is in use by another link"}}
			default:
				results[i].Link.Code = ""
				again = append(again, i)
			}
		}
		pending = again
	}
	for _, i := range pending {
		results[i] = LinkResult{Err: fault.New(fault.Unavailable, "no free link code was found; try again")}
	}
	return nil
}

// insert makes one call of the store for the links of results at the places,
// which get random codes where they have none, and returns its answer.
func (s *Service) insert(ctx context.Context, asked []NewLink, results []LinkResult, places []int, growth int) ([]link.Taken, error) {
	batch := make([]*link.Link, len(places))
	for n, i := range places {
		l := &results[i].Link
		if l.Code == "" {
			length := asked[i].CodeLength
			if length == 0 {
				length = codeLength
			}
			l.Code = uid.Code(length + growth)
		}
		l.Path = s.path(&asked[i], l)
		batch[n] = l
	}
	refused, err := s.Store.CreateLinks(ctx, batch, s.now())
	if err != nil {
		return nil, fmt.Errorf("create %d links: %w", len(batch), err)
	}
	written := make([]link.Path, 0, len(batch))
	for n, i := range places {
		if refused[n] == link.Free {
			results[i].URL = s.LinkURL(batch[n])
			written = append(written, batch[n].Path)
		}
	}
	if len(written) > 0 {
		s.Changed(written)
	}
	return refused, nil
}

// path returns where the link will answer. A branded host serves the paths of
// the one that it stands for.
func (s *Service) path(n *NewLink, l *link.Link) link.Path {
	if n.Host == "" {
		return link.TemplatePath(l.Template, l.Code)
	}
	host := strings.ToLower(n.Host)
	if site := s.Directory().Site(host); site != nil {
		host = site.Home()
	}
	return link.HostPath(host, n.Prefix+l.Code)
}

// newLink checks one wish against every rule, but for those that the store
// holds: what is taken.
func (s *Service) newLink(ctx context.Context, a Actor, n *NewLink) (link.Link, error) {
	if n.Template == "" && n.Host != "" {
		return s.onHost(ctx, a, n)
	}
	t, err := s.Template(a, n.Template, link.Write)
	if err != nil {
		return link.Link{}, err
	}
	if n.Host != "" || n.Listing != nil || n.Base != "" {
		return link.Link{}, fault.Bad("host", fault.NotAllowed, "cannot be there beside a template, nor can a listing or a base")
	}
	brand, err := s.brand(t, n.Brand)
	if err != nil {
		return link.Link{}, err
	}
	if !knownSource(n.Source) {
		return link.Link{}, fault.Bad("source", fault.Unknown, "is not known")
	}
	l, err := s.described(n)
	if err != nil {
		return link.Link{}, err
	}
	l.Account, l.Template, l.Brand = t.Account, t.ID, brand
	return l, nil
}

// described checks what every link has, wherever it answers.
func (s *Service) described(n *NewLink) (link.Link, error) {
	if n.Code != "" && !link.ValidCode(n.Code) {
		reason := fault.Malformed
		if len(n.Code) > link.MaxCode {
			reason = fault.TooLong
		}
		return link.Link{}, fault.Bad("id", reason, "must be 1 to %d letters, digits, underscores and hyphens", link.MaxCode)
	}
	if err := checkData(n.Data); err != nil {
		return link.Link{}, err
	}
	if n.TTL < 0 {
		return link.Link{}, fault.Bad("ttl", fault.Malformed, "must not be negative")
	}
	if n.Source != "" && !knownSource(n.Source) {
		return link.Link{}, fault.Bad("source", fault.Unknown, "is not known")
	}
	now := s.now()
	l := link.Link{
		Dialect: n.Dialect, Code: n.Code, Source: n.Source, Data: n.Data, TTL: n.TTL, Renew: n.Renew,
		CreatedAt: now, UpdatedAt: now, TargetHosts: n.TargetHosts,
	}
	if n.TTL > 0 {
		l.ExpiresAt = now.Add(n.TTL)
	}
	return l, nil
}

// brand returns the host to keep with a link: none for the template's own domain.
func (s *Service) brand(t *link.TemplateView, host string) (string, error) {
	host = strings.ToLower(host)
	if host == "" || host == t.Domain {
		return "", nil
	}
	return host, s.CheckBrand(t, host)
}

// maxData bounds what one link holds, above every dialect's own cap.
const maxData = 64 << 10

func checkData(data json.RawMessage) error {
	switch {
	case len(data) == 0:
		return fault.Bad("data", fault.Missing, "must be a JSON object")
	case len(data) > maxData:
		return fault.Bad("data", fault.TooLong, "must not exceed %d bytes", maxData)
	case data[0] != '{' || !json.Valid(data):
		return fault.Bad("data", fault.Malformed, "must be a JSON object")
	}
	return nil
}

func knownSource(s link.Source) bool {
	switch s {
	case link.SourceV1, link.SourceV2, link.SourceUI, link.SourceBulk, link.SourceSDK:
		return true
	}
	return false
}

// LinkURL returns the address that the link is shown with, without a query;
// empty when its template or its domain is gone.
func (s *Service) LinkURL(l *link.Link) string {
	d := s.Directory()
	if host, path, ok := l.Path.SplitHost(); ok {
		site := d.Site(l.Brand)
		if site == nil {
			site = d.Site(host)
		}
		if site == nil {
			return ""
		}
		return site.BaseURL + "/" + path
	}
	t := d.Template(l.Template)
	if t == nil {
		return ""
	}
	return t.URL(d, l.Brand, l.Code)
}
