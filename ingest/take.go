package ingest

import (
	"context"
	"time"

	"waypost/event"
	"waypost/internal/fault"
)

// Open takes the start of an app. It is in the ledger when Open returns
// without an error; a fault means that it is not, or, when Unavailable, that
// the sender has to tell it again, with the same Key.
func (s *Service) Open(ctx context.Context, r Report) (Receipt, error) {
	return s.take(ctx, event.OpenKind, &r)
}

// Event takes one in-app event.
func (s *Service) Event(ctx context.Context, r Report) (Receipt, error) {
	return s.take(ctx, event.InAppKind, &r)
}

// Events takes in-app events in their order, each for itself. Once the ledger
// does not answer, the rest is refused as Unavailable without asking it again.
func (s *Service) Events(ctx context.Context, reports []Report) []Result {
	results := make([]Result, len(reports))
	var down error
	for i := range reports {
		if down != nil {
			results[i].Err = down
			continue
		}
		results[i].Receipt, results[i].Err = s.take(ctx, event.InAppKind, &reports[i])
		if fault.Is(results[i].Err, fault.Unavailable) {
			down = results[i].Err
		}
	}
	return results
}

// Consent takes what a person answered: Report.Consent must be set.
func (s *Service) Consent(ctx context.Context, r Report) (Receipt, error) {
	return s.take(ctx, event.ConsentKind, &r)
}

// Identify takes the account's own name for a person: Report.User must be set.
func (s *Service) Identify(ctx context.Context, r Report) (Receipt, error) {
	return s.take(ctx, event.IdentifyKind, &r)
}

func (s *Service) take(ctx context.Context, kind event.Kind, r *Report) (Receipt, error) {
	m, err := s.prepare(ctx, kind, r)
	if err != nil {
		s.counters.refuse(err)
		return Receipt{}, err
	}
	told := &m.told
	line, err := told.Line()
	if err != nil {
		return Receipt{}, err
	}
	if err := s.append(line); err != nil {
		return Receipt{}, err
	}
	s.counters.take(kind, told.Flags)
	if told.Consent != nil && !told.Unsigned {
		s.said.hear(person{told.App, told.Install}, m.said(), s.cfg.Decisions)
	}
	return Receipt{
		ID: told.ID, Account: told.Account, App: told.App, Install: told.Install, Key: told.Key,
		At: time.UnixMilli(told.At), ReceivedAt: time.UnixMilli(told.ReceivedAt), Flags: told.Flags,
	}, nil
}

// append writes the line. Whatever stops the ledger, senders hear that they
// may try again.
func (s *Service) append(line []byte) error {
	err := s.cfg.Ledger.Append(line)
	if err == nil {
		return nil
	}
	after := fault.As(err).RetryAfter
	if after == 0 {
		after = retryAfter
	}
	refusal := (&fault.Error{Kind: fault.Unavailable, RetryAfter: after, Message: "nothing can be kept just now"}).Because(err)
	s.counters.refuse(refusal)
	s.cfg.Logger.Error("a report was not kept", "error", err)
	return refusal
}
