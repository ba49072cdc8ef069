// Package simulate makes a day of traffic whose truth is known, lets
// attribution decide it, and counts how often it was right. It does no I/O: a
// seed gives the same day, the same decisions and the same report everywhere.
//
// The world is one country. Its people have phones of common models, live
// in households behind one address, or are on carriers' networks where up to
// hundreds share one. Browsers say as little as real ones do: Android's is
// frozen, Safari 26 freezes its system, Private Relay hides the address. Some
// phones' clocks are fast or slow, beyond what is tolerated, too. No list of
// networks is configured.
package simulate

import (
	"math/rand/v2"
	"time"

	"waypost/attribution"
	"waypost/internal/uid"
	"waypost/link"
)

// The account and the app of the world.
const (
	account link.AccountID = 1
	app     link.AppID     = 7
)

// start is the world's midnight. Nothing depends on which one it is.
var start = time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)

// Truth is what really happened behind an install.
type Truth struct {
	Device     int       // who installed
	OpenedAt   time.Time // by a clock that is right
	ReceivedAt time.Time // when the server heard of it
	Clicked    bool      // a click of his own led there; of the next four, one may hold then
	CarryID    bool      // both sides know an id that joins them
	Denied     bool      // they do, but by the device's clock it cannot have been so
	MayGuess   bool      // no id, but law and platform allow to compare
	Unmeant    bool      // a re-installation that such a click may not win: it is no retargeting
}

// World is a day.
type World struct {
	Touches     []attribution.Touchpoint
	Conversions []attribution.Conversion // in the order in which the server hears of them
	Truths      []Truth                  // of Conversions
	Owners      map[uid.Click]int        // the device behind a touch; fraud's is the one that it names
	Fraud       map[uid.Click]bool       // touches that no person made
	opens       []open
}

// nobody is behind what robots fetch.
const nobody = -1

// open is a session of the app, on any device.
type open struct {
	at     time.Time
	device int
	from   []attribution.Address
}

// builder makes a World.
type builder struct {
	World
	random   *rand.Rand
	people   []person
	vpn      []*line
	relay    []*line
	lastID   uid.Click
	installs int
}

// Day makes the day of a seed, with so many people in it.
func Day(seed uint64, people int) *World {
	b := &builder{random: rand.New(rand.NewPCG(seed, 0x77617970)), lastID: 1_000_000_000_000_000_000}
	b.Owners, b.Fraud = map[uid.Click]int{}, map[uid.Click]bool{}
	b.populate(people)
	for i := range b.people {
		p := &b.people[i]
		switch {
		case b.chance(0.10): // has the app already and opens it
			b.use(p)
			if b.chance(0.3) {
				b.visit(p, b.moment())
			}
		case b.chance(0.30):
			b.journey(p)
		case b.chance(0.05):
			b.installByHimself(p)
		}
	}
	b.crawl(people / 100)
	b.flood(people / 200)
	b.sort()
	return &b.World
}

func (b *builder) chance(p float64) bool { return b.random.Float64() < p }

func (b *builder) between(low, high time.Duration) time.Duration {
	return low + time.Duration(b.random.Int64N(int64(high-low)))
}

// moment is any time of the day.
func (b *builder) moment() time.Time { return start.Add(b.between(0, 24*time.Hour)) }

func (b *builder) nextID() uid.Click {
	b.lastID++
	return b.lastID
}

// some picks by weight.
func some[T any](r *rand.Rand, choices []weighted[T]) T {
	sum := 0
	for _, c := range choices {
		sum += c.weight
	}
	n := r.IntN(sum)
	for _, c := range choices {
		if n -= c.weight; n < 0 {
			return c.value
		}
	}
	return choices[0].value
}

type weighted[T any] struct {
	weight int
	value  T
}
