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
	// DeepLink is the deferred deep link. It is told once.
	DeepLink string
}

// Answer waits for the decision of an open, no longer than wait, and returns
// what its app is to be told. It takes the deferred deep link. The open is in
// the ledger, so a question that fails makes the answer Pending, no error.
func (s *Service) Answer(ctx context.Context, open Receipt, wait time.Duration) Answer {
	within, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	i, ok, err := s.cfg.Decisions.Await(within, open.App, open.Install, open.Key)
	if within.Err() != nil && !ok {
		err = nil // the time was over, whatever else it is called
	}
	answer := Answer{Status: Pending, AskIn: AskAgain}
	if ok && err == nil {
		answer, err = s.answer(ctx, &i, true)
	}
	if err != nil {
		s.cfg.Logger.Error("an open stays unanswered", "app", open.App, "install", open.Install, "error", err)
		return Answer{Status: Pending, AskIn: AskAgain}
	}
	return answer
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
	return s.answer(ctx, &i, takeLink)
}

// answer shapes what is known. A refused installation is told that it is
// organic: who invents installs learns nothing from it.
func (s *Service) answer(ctx context.Context, i *history.Installation, takeLink bool) (Answer, error) {
	a := Answer{Status: Organic, Installation: *i}
	if i.Credit != nil {
		a.Status, a.Match = NonOrganic, &i.Credit.Match
		if i.Outcome == attribution.Reattribution {
			a.Status = Reattributed
		}
		touch, ok, err := s.cfg.Decisions.ReadTouch(ctx, a.Match.Touch, a.Match.At)
		if err != nil {
			return Answer{}, unreadable(err)
		}
		if ok {
			a.Touch = &touch
		}
	}
	if !takeLink || i.DeepLink == "" {
		return a, nil
	}
	deepLink, ok, err := s.cfg.Decisions.TakeDeepLink(ctx, i.App, i.ID, s.cfg.Now())
	if err != nil {
		return Answer{}, unreadable(err)
	}
	if ok {
		a.DeepLink = deepLink
	}
	return a, nil
}

func unreadable(err error) error {
	return (&fault.Error{Kind: fault.Unavailable, RetryAfter: retryAfter, Message: "what was decided cannot be read just now"}).Because(err)
}
