package attribution

import (
	"math"
	"math/bits"
	"time"
)

// timeBuckets reach beyond the longest lookback: 31 days are less than 2^22 seconds.
const timeBuckets = 45

// Times is how many installs took how long from click to first open, in
// buckets that grow with the time: below a second, then two for each doubling.
type Times [timeBuckets]int64

// Add counts one install. What is longer than the last bucket is in it.
func (t *Times) Add(d time.Duration) { t[timeBucket(d)]++ }

// timeBucket counts in whole seconds: a second begins bucket 1, two seconds
// bucket 3, three bucket 4, four bucket 5, six bucket 6, and so on.
func timeBucket(d time.Duration) int {
	if d < time.Second {
		return 0
	}
	s := uint64(d / time.Second)
	double := bits.Len64(s) - 1
	bucket := 1 + 2*double
	if double > 0 {
		bucket += int(s >> (double - 1) & 1)
	}
	return min(bucket, timeBuckets-1)
}

func (t *Times) sum() (n int64) {
	for _, count := range t {
		n += max(count, 0)
	}
	return n
}

// CompareTimes measures how unlike a site's click-to-install times are to
// others: the Kolmogorov-Smirnov distance in ten-thousandths, and the
// probability of at least that distance by chance in millionths. Within a
// bucket times are taken for equal, so the distance is never larger than that
// of the times themselves. Either one empty: no distance.
func CompareTimes(site, others *Times) (distance, chancePerMill int) {
	a, b := float64(site.sum()), float64(others.sum())
	if a == 0 || b == 0 {
		return 0, 1_000_000
	}
	var most, ofSite, ofOthers float64
	for i := range site {
		ofSite += float64(max(site[i], 0))
		ofOthers += float64(max(others[i], 0))
		most = max(most, math.Abs(ofSite/a-ofOthers/b))
	}
	return int(math.Round(most * 10_000)), int(math.Round(chance(math.Sqrt(a*b/(a+b))*most) * 1_000_000))
}

// chance is the tail of Kolmogorov's distribution.
func chance(x float64) float64 {
	if x < 0.3 { // the series converges slowly there, and its sum is 1 to five digits
		return 1
	}
	sum, sign := 0.0, 1.0
	for k := 1.0; k <= 100; k++ {
		sum += sign * math.Exp(-2*k*k*x*x)
		sign = -sign
	}
	return min(max(2*sum, 0), 1)
}
