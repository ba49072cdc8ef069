package postback

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"waypost/attribution/history"
	"waypost/internal/fault"
	"waypost/internal/macro"
	"waypost/link"
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
	left     map[string]bool               // hosts with more due deliveries in the store than they can take
	running  map[string]int                // attempts under way, by host
	total    int                           // their sum; as many goroutines will report
	breakers map[string]*breaker           // of hosts in trouble
	fetchAt  time.Time                     // when the store is to be read again
	failing  time.Duration                 // the pause after the store's last failure; zero: it works
}

// result is what a goroutine reports of an attempt.
type result struct {
	host     string
	answer   Answer
	delivery history.Delivery // settled, if saved
	saved    bool
	dueAt    time.Time // when the delivery is due now, if saved; zero: never
}

// fetch takes due deliveries out of the store and says when to look again.
func (s *shift) fetch(ctx context.Context) {
	now := time.Now()
	s.fetchAt = now.Add(horizon)
	maps.DeleteFunc(s.left, func(host string, _ bool) bool { return s.canTake(host, now) })
	due, err := s.cfg.Store.DueDeliveries(ctx, s.fetchAt, mostRead, slices.Collect(maps.Keys(s.left))...)
	if err != nil {
		if ctx.Err() == nil && s.failing == 0 {
			s.cfg.Logger.Error("the outbox of postbacks cannot be read", "error", err)
		}
		s.failing = min(max(2*s.failing, firstPause), lastPause)
		s.fetchAt = now.Add(s.failing)
		return
	}
	s.failing = 0
	read := map[string]int{}
	for _, d := range due {
		host := hostOf(d.URL)
		read[host]++
		switch {
		case d.DueAt.After(now):
			s.lookBy(d.DueAt)
			continue
		case !s.held[d.Key]:
			s.take(host, d, now)
		}
		if read[host] >= mostRead { // all that are due now: there may be more
			s.left[host] = true
		}
	}
	s.publish()
}

// canTake reports whether the host's deliveries are worth a fetch.
func (s *shift) canTake(host string, now time.Time) bool {
	return !s.breakers[host].resting(now) && len(s.queues[host]) <= fewQueued
}

// publish tells others of held and left.
func (s *shift) publish() {
	s.waiting.Store(int64(len(s.held)))
	behind := slices.Collect(maps.Keys(s.left))
	s.behind.Store(&behind)
}

// lookBy has the store read at the time, if not before.
func (s *shift) lookBy(at time.Time) {
	if at.Before(s.fetchAt) {
		s.fetchAt = at
	}
}

// take puts a due delivery into its host's queue, or leaves it in the store
// until the host can take it.
func (s *shift) take(host string, d history.Delivery, now time.Time) {
	if s.breakers[host].resting(now) || len(s.queues[host]) >= mostQueued {
		s.left[host] = true
		return
	}
	s.held[d.Key] = true
	s.queues[host] = append(s.queues[host], d)
}

// hostOf is what limits are counted by: host and port.
func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Host)
}

// dispatch starts what the limits allow, and has the store read when a host
// can take what was left there.
func (s *shift) dispatch() {
	now := time.Now()
	for host, queue := range s.queues {
		if s.breakers[host].resting(now) {
			s.giveBack(host, queue)
		}
	}
	for s.total < mostAtOnce {
		host, ok := s.next()
		if !ok {
			break
		}
		queue := s.queues[host]
		s.start(host, queue[0])
		if s.queues[host] = queue[1:]; len(queue) == 1 {
			delete(s.queues, host)
		}
	}
	for host := range s.left {
		switch b := s.breakers[host]; {
		case b.resting(now):
			s.lookBy(b.until)
		case s.failing == 0 && s.canTake(host, now):
			s.lookBy(now)
		}
	}
}

// giveBack leaves the queue of a host that rests to the store.
func (s *shift) giveBack(host string, queue []history.Delivery) {
	for _, d := range queue {
		delete(s.held, d.Key)
	}
	delete(s.queues, host)
	s.left[host] = true
	s.publish()
}

// next is the host that may have one more attempt and has the fewest under way.
func (s *shift) next() (host string, ok bool) {
	fewest := mostPerHost
	if s.total >= mostAtOnce-spare {
		fewest = 1
	}
	for h := range s.queues {
		if n := s.running[h]; n < fewest && n < s.breakers[h].room(mostPerHost) {
			host, fewest, ok = h, n, true
		}
	}
	return host, ok
}

func (s *shift) start(host string, d history.Delivery) {
	s.running[host]++
	s.total++
	postback := s.cfg.Directory().Postback(d.Account, d.Postback)
	attempt := history.Attempt{DueAt: d.DueAt, BeganAt: time.Now()}
	go func() {
		res := result{host: host, delivery: d}
		defer func() { s.done <- res }()
		res.answer = s.send(d, postback)
		if s.stopped(res.answer) {
			return // nobody knows what came of it, so it is due as it was
		}
		res.delivery = Settle(d, res.answer, time.Now(), s.cfg.Random())
		res.dueAt, res.saved = s.save(res.delivery, attempt)
	}()
}

// send makes an attempt, unless the URL is still a template.
func (s *shift) send(d history.Delivery, p *link.Postback) Answer {
	if _, name, _, found := macro.Cut(d.URL); found {
		return Answer{Text: fmt.Sprintf("{%s} in its URL was never filled", name), Final: true}
	}
	return s.cfg.Send(s.sending, d, p)
}

// stopped reports whether the program has ended an attempt.
func (s *shift) stopped(a Answer) bool { return s.sending.Err() != nil && a.Code == 0 }

// save records an attempt, however long the store fails. While it does the
// attempt keeps its place, so that no more is sent than can be recorded. A
// delivery that was deleted meanwhile needs no record.
func (s *shift) save(d history.Delivery, a history.Attempt) (dueAt time.Time, saved bool) {
	pause := firstPause
	for attempt := 0; ; attempt++ {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(s.sending), saveTime)
		dueAt, err := s.cfg.Store.SaveAttempt(ctx, d, a)
		cancel()
		if err == nil || fault.Is(err, fault.NotFound) {
			return dueAt, true
		}
		if attempt == 0 {
			s.cfg.Logger.Error("an attempt at a postback cannot be recorded; it is tried until it can", "key", d.Key, "error", err)
		}
		select {
		case <-s.quit:
			return time.Time{}, false
		case <-time.After(pause):
		}
		pause = min(2*pause, lastPause)
	}
}

// finish takes the report of a goroutine.
func (s *shift) finish(res result) {
	delete(s.held, res.delivery.Key)
	s.waiting.Store(int64(len(s.held)))
	switch {
	case !res.saved: // it is due as it was
		s.lookBy(time.Now().Add(firstPause))
	case !res.dueAt.IsZero():
		s.lookBy(res.dueAt)
	}
	if s.total--; s.running[res.host] > 1 {
		s.running[res.host]--
	} else {
		delete(s.running, res.host)
	}
	if s.stopped(res.answer) {
		return
	}
	if strained(res.answer) {
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
	case res.delivery.Status == history.GivenUp && res.dueAt.IsZero(): // else somebody had it retried meanwhile
		s.givenUp.Add(1)
		s.cfg.Logger.Warn("a postback is given up", "postback", res.delivery.Postback, "account", res.delivery.Account,
			"key", res.delivery.Key, "attempts", res.delivery.Attempts, "status", res.delivery.Code)
	}
}

// drain waits for what is under way; stop ends it when its time is over.
func (s *shift) drain(stop func()) {
	over := time.AfterFunc(drainTime, stop)
	defer over.Stop()
	for s.total > 0 {
		s.finish(<-s.done)
	}
}
