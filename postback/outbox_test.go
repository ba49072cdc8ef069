package postback

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"waypost/attribution/history"
	"waypost/internal/fault"
	"waypost/link"
)

// outbox is a store in memory that can fail.
type outbox struct {
	mu       sync.Mutex
	rows     map[string]history.Delivery
	failing  bool
	reads    int
	attempts map[string][]time.Time // that were recorded, by key
}

func newOutbox(due ...history.Delivery) *outbox {
	o := &outbox{rows: map[string]history.Delivery{}, attempts: map[string][]time.Time{}}
	o.add(due...)
	return o
}

func (o *outbox) add(due ...history.Delivery) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, d := range due {
		o.rows[d.Key] = d
	}
}

func (o *outbox) fail(yes bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.failing = yes
}

func (o *outbox) get(key string) history.Delivery {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.rows[key]
}

// recorded are the times of the attempts at a delivery.
func (o *outbox) recorded(key string) []time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.attempts[key])
}

func (o *outbox) in(s history.DeliveryStatus) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := 0
	for _, d := range o.rows {
		if d.Status == s {
			n++
		}
	}
	return n
}

var errStore = errors.New("the store is away")

func (o *outbox) DueDeliveries(_ context.Context, by time.Time, most int, except ...string) ([]history.Delivery, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.reads++
	if o.failing {
		return nil, errStore
	}
	var due []history.Delivery
	for _, d := range o.rows {
		if d.Status == history.Waiting && !d.DueAt.After(by) {
			due = append(due, d)
		}
	}
	slices.SortFunc(due, func(a, b history.Delivery) int { return cmp.Or(a.DueAt.Compare(b.DueAt), cmp.Compare(a.Key, b.Key)) })
	of := map[string]int{}
	return slices.DeleteFunc(due, func(d history.Delivery) bool {
		host := hostOf(d.URL)
		of[host]++
		return of[host] > most || slices.Contains(except, host)
	}), nil
}

func (o *outbox) SaveAttempt(_ context.Context, d history.Delivery, a history.Attempt) (time.Time, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.failing {
		return time.Time{}, errStore
	}
	stored, there := o.rows[d.Key]
	if !there {
		return time.Time{}, fault.New(fault.NotFound, "there is no delivery %s", d.Key)
	}
	if d.Attempts > stored.Attempts {
		o.attempts[d.Key] = append(o.attempts[d.Key], time.Now())
	}
	if a.Outlived(stored.DueAt) {
		d.DueAt, d.Status = stored.DueAt, stored.Status
	}
	o.rows[d.Key] = d
	return d.DueAt, nil
}

// due is a delivery to the host that is due in so long.
func due(key, host string, in time.Duration) history.Delivery {
	return history.Delivery{
		Key: key, Account: 1, Postback: "p", Kind: "install", Method: "GET", URL: "https://" + host + "/" + key,
		Status: history.Waiting, DueAt: time.Now().Add(in),
	}
}

// many are n deliveries to the host that are due now.
func many(n int, host string) []history.Delivery {
	list := make([]history.Delivery, n)
	for i := range list {
		list[i] = due(fmt.Sprintf("%s-%05d", host, i), host, 0)
	}
	return list
}

// internet is the Internet of a test: it answers, takes its time, and keeps books.
type internet struct {
	answer func(d history.Delivery) Answer
	takes  time.Duration // shorter where the program stops

	mu      sync.Mutex
	sent    map[string]int
	under   map[string]int // attempts under way, by host
	most    map[string]int
	total   int
	mostAll int
	twice   bool // one delivery had two attempts at once
	active  map[string]bool
}

func newInternet(answer func(history.Delivery) Answer, takes time.Duration) *internet {
	return &internet{
		answer: answer, takes: takes, sent: map[string]int{}, under: map[string]int{}, most: map[string]int{}, active: map[string]bool{},
	}
}

func (n *internet) send(ctx context.Context, d history.Delivery, p *link.Postback) Answer {
	host := hostOf(d.URL)
	n.mu.Lock()
	n.sent[d.Key]++
	n.twice = n.twice || n.active[d.Key]
	n.active[d.Key] = true
	n.under[host]++
	n.total++
	n.most[host], n.mostAll = max(n.most[host], n.under[host]), max(n.mostAll, n.total)
	n.mu.Unlock()
	defer func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.active[d.Key] = false
		n.under[host]--
		n.total--
	}()
	select {
	case <-time.After(n.takes):
	case <-ctx.Done():
		return Answer{Text: "stopped"}
	}
	if p == nil {
		return Answer{Text: "no postback", Final: true}
	}
	return n.answer(d)
}

func (n *internet) sentTo(key string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.sent[key]
}

// atOnce are the most attempts that were under way at a host, and at all.
func (n *internet) atOnce() (byHost map[string]int, all int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return maps.Clone(n.most), n.mostAll
}

// always gives every attempt the same answer.
func always(code int) func(history.Delivery) Answer {
	return func(history.Delivery) Answer { return Answer{Code: code} }
}

// run starts a runner inside of a synctest bubble; stop ends it.
func run(t *testing.T, o *outbox, n *internet) (r *Runner, stop func()) {
	t.Helper()
	directory, err := link.NewDirectory(link.Catalog{Accounts: []link.Account{{ID: 1}}, Postbacks: []link.Postback{{Key: "p", Account: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	r = NewRunner(Config{
		Store: o, Send: n.send, Directory: func() *link.Directory { return directory }, Random: func() float64 { return 0.5 },
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.Run(ctx)
	}()
	return r, func() {
		cancel()
		<-ended
	}
}

func bubble(t *testing.T, f func(t *testing.T)) {
	t.Parallel()
	synctest.Test(t, f)
}
