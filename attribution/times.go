package attribution

import (
	"math"
	"slices"
	"time"
)

// CompareTimes measures how unlike a site's click-to-install times are to the
// app's: the Kolmogorov-Smirnov distance in ten-thousandths, and the
// probability of at least that distance by chance in millionths. Either list
// empty: no distance.
func CompareTimes(site, app []time.Duration) (distance, chancePerMill int) {
	if len(site) == 0 || len(app) == 0 {
		return 0, 1_000_000
	}
	a, b := slices.Sorted(slices.Values(site)), slices.Sorted(slices.Values(app))
	var i, k int
	var most float64
	for i < len(a) && k < len(b) {
		at := min(a[i], b[k])
		for i < len(a) && a[i] == at {
			i++
		}
		for k < len(b) && b[k] == at {
			k++
		}
		most = max(most, math.Abs(float64(i)/float64(len(a))-float64(k)/float64(len(b))))
	}
	size := math.Sqrt(float64(len(a)) * float64(len(b)) / float64(len(a)+len(b)))
	return int(math.Round(most * 10_000)), int(math.Round(chance(size*most) * 1_000_000))
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
