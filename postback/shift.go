package postback

import (
	"context"
	"net/url"
	"strings"
	"time"

	"waypost/attribution/history"
	"waypost/internal/fault"
)

// shift is the state of one Run. Only its goroutine touches it; attempts
// report through done.
type shift struct {
	*Runner
	sending context.Context // ends when attempts must
	quit    <-chan struct{} // closed when the shift is to end
	done    chan result

	held     map[string]bool               // keys of deliveries in a queue or under way
	queues   map[string][]history.Delivery // by host, none empty
	running  map[string]int                // attempts under way, by host
	total    int                           // their sum
	breakers map[string]*breaker           // of hosts in trouble
	paces    map[string]*pace              // of hosts with attempts under way
	jobs     int                           // goroutines that will report
	fetchAt  time.Time                     // when the store is to be read again
	full     bool                          // the last fetch may have left due ones in the store
	failing  time.Duration                 // the pause after the store's last failure; zero: it works
}

// result is what a goroutine reports. A delivery that was put off has no answer.
type result struct {
	key, host string
	answer    *Answer
	delivery  history.Delivery
	saved     bool
	took      time.Duration // the attempt
}

// fetch takes due deliveries out of the store and says when to look again.
func (s *shift) fetch(ctx context.Context) {
	now := time.Now()
	s.fetchAt = now.Add(horizon)
	if len(s.held) >= mostHeld {
		s.full = true
		return
	}
	most := batch + len(s.held) // those that are held are still due
	due, err := s.cfg.Store.DueDeliveries(ctx, s.fetchAt, most)
	if err != nil {
		if ctx.Err() == nil && s.failing == 0 {
			s.cfg.Logger.Error("the outbox of postbacks cannot be read", "error", err)
		}
		s.failing = min(max(2*s.failing, firstPause), lastPause)
		s.fetchAt = now.Add(s.failing)
		return
	}
	s.failing, s.full = 0, len(due) >= most
	for _, d := range due {
		switch {
		case s.held[d.Key]:
		case d.DueAt.After(now):
			s.lookBy(d.DueAt)
			s.full = false // all that are due now were before it
		default:
			s.take(d, now)
		}
	}
	s.waiting.Store(int64(len(s.held)))
}

// lookBy has the store read at the time, if not before.
func (s *shift) lookBy(at time.Time) {
	if at.Before(s.fetchAt) {
		s.fetchAt = at
	}
}

// take puts a due delivery into its host's queue, or puts it off.
func (s *shift) take(d history.Delivery, now time.Time) {
	host := hostOf(d.URL)
	s.held[d.Key] = true
	switch b := s.breakers[host]; {
	case b.resting(now):
		s.postpone(d, b.until.Add(spread(firstRest, s.cfg.Random())))
	case len(s.queues[host]) >= s.paces[host].queue(now):
		s.postpone(d, now.Add(spread(putOff, s.cfg.Random())))
	default:
		s.queues[host] = append(s.queues[host], d)
	}
}

// hostOf is what limits are counted by: host and port.
func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Host)
}

// postpone writes a later time down. It counts as no attempt.
func (s *shift) postpone(d history.Delivery, until time.Time) {
	d.DueAt = until
	s.jobs++
	go func() {
		err := s.cfg.Store.SaveAttempt(s.sending, d)
		s.done <- result{key: d.Key, delivery: d, saved: err == nil}
	}()
}

// dispatch starts what the limits allow. A host that needs a rest gives its
// queue back.
func (s *shift) dispatch() {
	now := time.Now()
	for host, queue := range s.queues {
		b := s.breakers[host]
		if b.resting(now) {
			delete(s.queues, host)
			for _, d := range queue {
				s.postpone(d, b.until.Add(spread(firstRest, s.cfg.Random())))
			}
			continue
		}
		for len(queue) > 0 && s.total < mostAtOnce && s.running[host] < b.room(mostPerHost) {
			s.start(host, queue[0])
			queue = queue[1:]
		}
		for most := s.paces[host].queue(now); len(queue) > most; { // it has become slow
			last := len(queue) - 1
			s.postpone(queue[last], now.Add(spread(putOff, s.cfg.Random())))
			queue = queue[:last]
		}
		if s.queues[host] = queue; len(queue) == 0 {
			delete(s.queues, host)
		}
	}
}

func (s *shift) start(host string, d history.Delivery) {
	s.running[host]++
	s.total++
	s.jobs++
	if s.paces[host] == nil {
		s.paces[host] = &pace{since: time.Now()}
	}
	postback := s.cfg.Directory().Postback(d.Account, d.Postback)
	go func() {
		began := time.Now()
		answer := s.cfg.Send(s.sending, d, postback)
		took := time.Since(began)
		if s.sending.Err() != nil && answer.Code == 0 {
			// The program stopped it: nobody knows what came of it, so it is due as it was.
			s.done <- result{key: d.Key, host: host, answer: &answer, delivery: d}
			return
		}
		settled := Settle(d, answer, time.Now(), s.cfg.Random())
		s.done <- result{key: d.Key, host: host, answer: &answer, delivery: settled, saved: s.save(settled), took: took}
	}()
}

// save records an attempt, however long the store fails. While it does the
// attempt keeps its place, so that no more is sent than can be recorded. A
// delivery that was deleted meanwhile needs no record.
func (s *shift) save(d history.Delivery) bool {
	pause := firstPause
	for attempt := 0; ; attempt++ {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(s.sending), saveTime)
		err := s.cfg.Store.SaveAttempt(ctx, d)
		cancel()
		if err == nil || fault.Is(err, fault.NotFound) {
			return true
		}
		if attempt == 0 {
			s.cfg.Logger.Error("an attempt at a postback cannot be recorded; it is tried until it can", "key", d.Key, "error", err)
		}
		select {
		case <-s.quit:
			return false
		case <-time.After(pause):
		}
		pause = min(2*pause, lastPause)
	}
}

// finish takes the report of a goroutine.
func (s *shift) finish(res result) {
	s.jobs--
	delete(s.held, res.key)
	s.waiting.Store(int64(len(s.held)))
	switch {
	case !res.saved: // it is due as it was
		s.lookBy(time.Now().Add(firstPause))
	case res.delivery.Status == history.Waiting:
		s.lookBy(res.delivery.DueAt)
	}
	if s.full && s.failing == 0 && len(s.held) <= batch/2 {
		s.fetchAt = time.Now()
	}
	if res.answer == nil {
		return
	}
	s.paces[res.host].answered(res.took, time.Now())
	if s.total--; s.running[res.host] > 1 {
		s.running[res.host]--
	} else {
		delete(s.running, res.host)
		delete(s.paces, res.host)
	}
	if s.sending.Err() != nil && res.answer.Code == 0 {
		return
	}
	if strained(*res.answer) {
		if s.breakers[res.host] == nil {
			s.breakers[res.host] = &breaker{}
		}
		s.breakers[res.host].fail(time.Now())
	} else {
		delete(s.breakers, res.host)
	}
	s.count(res)
}

// count counts what is recorded, and attempts in any case.
func (s *shift) count(res result) {
	if !res.answer.ok() {
		s.failed.Add(1)
	}
	switch {
	case !res.saved:
	case res.delivery.Status == history.Delivered:
		s.delivered.Add(1)
	case res.delivery.Status == history.GivenUp:
		s.givenUp.Add(1)
		s.cfg.Logger.Warn("a postback is given up", "postback", res.delivery.Postback, "account", res.delivery.Account,
			"key", res.delivery.Key, "attempts", res.delivery.Attempts, "status", res.delivery.Code)
	}
}

// drain waits for what is under way; stop ends it when its time is over.
func (s *shift) drain(stop func()) {
	over := time.AfterFunc(drainTime, stop)
	defer over.Stop()
	for s.jobs > 0 {
		s.finish(<-s.done)
	}
}
