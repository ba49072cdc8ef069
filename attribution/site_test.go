package attribution

import (
	"testing"
	"time"
)

func timesOf(all ...time.Duration) *Times {
	var t Times
	for _, d := range all {
		t.Add(d)
	}
	return &t
}

func TestTimeBuckets(t *testing.T) {
	t.Parallel()
	f := func(d time.Duration, want int) {
		t.Helper()
		if got := timeBucket(d); got != want {
			t.Errorf("%s is in bucket %d, want %d", d, got, want)
		}
	}
	f(-time.Hour, 0)
	f(999*time.Millisecond, 0)
	f(time.Second, 1)
	f(1999*time.Millisecond, 1)
	f(2*time.Second, 3) // between one second and two there is no half
	f(3*time.Second, 4)
	f(4*time.Second, 5)
	f(6*time.Second, 6)
	f(8*time.Second, 7)
	f(time.Hour, 24)       // 3072 s to 4095 s
	f(31*24*time.Hour, 43) // 2097152 s to 3145727 s
	f(1000*24*time.Hour, timeBuckets-1)
	last := -1
	for s := range 100_000 {
		if b := timeBucket(time.Duration(s) * time.Second); b < last {
			t.Fatalf("%d s is in bucket %d, less time in %d", s, b, last)
		} else {
			last = b
		}
	}
}

// TestDistances are computed by hand.
func TestDistances(t *testing.T) {
	t.Parallel()
	many := func(n int, d time.Duration) (all []time.Duration) {
		for range n {
			all = append(all, d)
		}
		return all
	}
	f := func(name string, site, others *Times, distance, chance int) {
		t.Helper()
		if d, c := CompareTimes(site, others); d != distance || c != chance {
			t.Errorf("%s: distance %d by chance %d, want %d by %d", name, d, c, distance, chance)
		}
	}
	// 1/2 - 1/4 up to 8 s; sqrt(4*4/8)/4 = 0.35355 = x, 1 - sqrt(2 pi)/x*exp(-pi^2/(8 x^2)) = 0.999633.
	f("four and four", timesOf(5*time.Second, 5*time.Second, 9*time.Second, 9*time.Second), timesOf(5*time.Second, 9*time.Second, 9*time.Second, 9*time.Second), 2500, 999_633)
	// 3/4 up to 8 s; sqrt(400*400/800)*0.75 = 10.6.
	f("hundreds", timesOf(many(400, 5*time.Second)...), timesOf(append(many(100, 5*time.Second), many(300, time.Hour)...)...), 7500, 0)
	// 0.4 up to 8 s; sqrt(20*20/40)*0.4 = 1.2649, 2*(exp(-3.2) - exp(-12.8) + …) = 0.081519.
	f("twenty", timesOf(append(many(12, 5*time.Second), many(8, time.Hour)...)...), timesOf(append(many(4, 5*time.Second), many(16, time.Hour)...)...), 4000, 81_519)
	f("in one bucket", timesOf(4*time.Second), timesOf(5*time.Second), 0, 1_000_000)
	f("nobody else", timesOf(time.Hour), new(Times), 0, 1_000_000)
	f("nobody", new(Times), timesOf(time.Hour), 0, 1_000_000)
}

// TestSeeSite: the site is compared with the others, not with itself.
func TestSeeSite(t *testing.T) {
	t.Parallel()
	site := SiteTraffic{Clicks: 100, Installs: 4, Reengagements: 3, WithinHour: 2, NewDevices: 1, Times: *timesOf(time.Minute, time.Minute, 2*time.Hour, 2*time.Hour)}
	app := SiteTraffic{Installs: 6, Reengagements: 5, WithinHour: 4, NewDevices: 2, Times: *timesOf(time.Minute, time.Minute)}
	app.Times.Add(time.Minute)
	app.Times.Add(time.Minute)
	app.Times.Add(2 * time.Hour)
	app.Times.Add(2 * time.Hour)
	var got Traffic
	got.DeviceClicks = 7
	got.SeeSite(&site, &app)
	want := Traffic{
		DeviceClicks: 7, SiteClicks: 100, SiteInstalls: 4, SiteReengagements: 3, SiteWithinHour: 2, SiteNewDevices: 1, OtherInstalls: 2, OtherNewDevices: 1,
		TimesDistance: 5000, TimesChancePerMill: got.TimesChancePerMill, // of six installs: TestDistances
	}
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	var sum SiteTraffic
	sum.Add(&site)
	sum.Add(&site)
	if sum.Clicks != 200 || sum.Installs != 8 || sum.Reengagements != 6 || sum.WithinHour != 4 || sum.NewDevices != 2 || sum.Times.sum() != 8 {
		t.Errorf("twice the site is %+v", sum)
	}
}

// TestFarmsNeedOthers: a share of new devices that the app's other installs
// have, too, accuses nobody.
func TestFarmsNeedOthers(t *testing.T) {
	t.Parallel()
	f := func(site, siteNew, others, othersNew int, want bool) {
		t.Helper()
		touch := someTouch(1, time.Hour).with(func(t *Touchpoint) {
			t.ClickID = "1"
			t.Traffic = Traffic{SiteInstalls: site, SiteWithinHour: site, SiteNewDevices: siteNew, OtherInstalls: others, OtherNewDevices: othersNew}
		})
		c := someInstall()
		c.Referrer.ClickID = "1"
		if got := hasFlag(decide(c, touch), Flag{Code: DeviceFarm, Touch: 1}); got != want {
			t.Errorf("%d of %d new, others %d of %d: flagged is %v", siteNew, site, othersNew, others, got)
		}
	}
	f(50, 40, 50, 39, true)
	f(50, 39, 50, 39, false)
	f(49, 49, 50, 0, false)
	f(50, 50, 50, 40, false)
	f(50, 50, 49, 0, false)
	f(50, 50, 0, 0, false)
}
