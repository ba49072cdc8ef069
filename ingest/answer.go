package ingest

import (
	"context"
	"time"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/internal/fault"
	"waypost/link"
)

// Status is what an app is told about its installation.
type Status string

// Statuses.
const (
	Organic      Status = "organic"
	NonOrganic   Status = "non_organic"
	Reattributed Status = "reattributed" // a retargeting touch won a re-installation
	Pending      Status = "pending"      // not decided yet: ask again
)

// DefaultWait is how long an open waits for its decision, where its dialect
// does not say otherwise: the answer is there within a second.
const DefaultWait = 900 * time.Millisecond

// AskAgain is when an app that was told Pending may ask again.
const AskAgain = 2 * time.Second

// Answer is what an app is told after an open.
type Answer struct {
	Status Status
	// AskIn is when to ask again; zero unless Pending.
	AskIn time.Duration
	// Installation is what is known of it; zero while Pending.
	Installation history.Installation
	// Match is what the installation was earned by; nil: nobody earned it.
	Match *attribution.Match
	// Touch is Match's touch with what the link said; nil where there is none,
	// or it is forgotten.
	Touch *history.Touch
	// Reengagement is what won the person back with this open; nil: it is no
	// re-engagement, or nobody has told of an open. Of a question see WonBack.
	Reengagement *attribution.Match
	// ReengagementTouch is Reengagement's touch, as Touch is Match's.
	ReengagementTouch *history.Touch
	// DeepLink is the deferred deep link. It is told to one open.
	DeepLink string
	// Open is the key of the open that is answered; empty where there is none.
	Open string
}

// Answer waits for the decision of an open, no longer than wait, and returns
// what its app is to be told. It takes the deferred deep link. The open is in
// the ledger, so a question that fails makes the answer Pending, no error.
func (s *Service) Answer(ctx context.Context, open Receipt, wait time.Duration) Answer {
	answer := s.Decided(ctx, open, wait)
	if err := s.TakeLink(ctx, &answer); err != nil {
		return s.unanswered(open, err)
	}
	return answer
}

// Decided is Answer, and leaves the deferred deep link where it is.
func (s *Service) Decided(ctx context.Context, open Receipt, wait time.Duration) Answer {
	within, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	i, ok, err := s.cfg.Decisions.Await(within, open.App, open.Install, open.Key)
	if within.Err() != nil && !ok {
		err = nil // the time was over, whatever else it is called
	}
	answer := Answer{Status: Pending, AskIn: AskAgain}
	if ok && err == nil {
		answer, err = s.answer(ctx, &i, open.Key)
	}
	answer.Open = open.Key
	if err != nil {
		return s.unanswered(open, err)
	}
	return answer
}

func (s *Service) unanswered(open Receipt, err error) Answer {
	s.cfg.Logger.Error("an open stays unanswered", "app", open.App, "install", open.Install, "error", err)
	return Answer{Status: Pending, AskIn: AskAgain}
}

// TakeLink takes the deferred deep link of a decided installation into the
// answer, if no other open has and its time is not over: an open that is told
// again, because its answer was lost, is told the same. A question that is no
// open's takes it once for ever. An error is an Unavailable fault.
func (s *Service) TakeLink(ctx context.Context, a *Answer) error {
	i := &a.Installation
	if i.DeepLink == "" {
		return nil
	}
	deepLink, ok, err := s.cfg.Decisions.TakeDeepLink(ctx, i.App, i.ID, a.Open, s.cfg.Now())
	if err != nil {
		return unreadable(err)
	}
	if ok {
		a.DeepLink = deepLink
	}
	return nil
}

// Ask returns what is known of an installation now, for calls that only ask.
// Unknown ones are Pending. takeLink asks for the deferred deep link as well.
func (s *Service) Ask(ctx context.Context, app link.AppID, install string, takeLink bool) (Answer, error) {
	i, ok, err := s.cfg.Decisions.ReadInstallation(ctx, app, install)
	if err != nil {
		return Answer{}, unreadable(err)
	}
	if !ok {
		return Answer{Status: Pending, AskIn: AskAgain}, nil
	}
	answer, err := s.answer(ctx, &i, "")
	if err == nil && takeLink {
		err = s.TakeLink(ctx, &answer)
	}
	if err != nil {
		return Answer{}, err
	}
	return answer, nil
}

// WonBack adds to the answer to a question what won the person back, for as long
// as that lasts. An error is an Unavailable fault.
func (s *Service) WonBack(ctx context.Context, a *Answer) (err error) {
	c := a.Installation.Reengagement
	if !lasts(c, s.cfg.Now()) {
		return nil
	}
	a.Reengagement = &c.Match
	a.ReengagementTouch, err = s.touch(ctx, a.Reengagement)
	return err
}

// lasts reports whether who was won back still is.
func lasts(c *attribution.Credit, now time.Time) bool {
	return c != nil && (c.Until.IsZero() || now.Before(c.Until))
}

// answer shapes what is known, of the open with the key, if it is not empty. A
// refused installation is told that it is organic: who invents installs learns
// nothing from it.
func (s *Service) answer(ctx context.Context, i *history.Installation, key string) (a Answer, err error) {
	a = Answer{Status: Organic, Installation: *i}
	if i.Credit != nil {
		a.Status, a.Match = NonOrganic, &i.Credit.Match
		if i.Outcome == attribution.Reattribution {
			a.Status = Reattributed
		}
		if a.Touch, err = s.touch(ctx, a.Match); err != nil {
			return Answer{}, err
		}
	}
	if c := i.Reengagement; c != nil && key != "" && key == i.ReengagedBy {
		a.Reengagement = &c.Match
		if a.ReengagementTouch, err = s.touch(ctx, a.Reengagement); err != nil {
			return Answer{}, err
		}
	}
	return a, nil
}

// touch returns a match's touch, nil where it is forgotten.
func (s *Service) touch(ctx context.Context, m *attribution.Match) (*history.Touch, error) {
	touch, ok, err := s.cfg.Decisions.ReadTouch(ctx, m.Touch, m.At)
	if err != nil {
		return nil, unreadable(err)
	}
	if !ok {
		return nil, nil
	}
	return &touch, nil
}

func unreadable(err error) error {
	return (&fault.Error{Kind: fault.Unavailable, RetryAfter: retryAfter, Message: "what was decided cannot be read just now"}).Because(err)
}
