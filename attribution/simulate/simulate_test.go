package simulate

import (
	"reflect"
	"testing"

	"waypost/attribution"
	"waypost/link"
)

// people in a simulated day, and how many days the published figures are of.
const people, days = 60_000, 4

// byID sums all methods but likeness.
func byID(r *Report) (sum Count) {
	for method, c := range r.Methods {
		if method != attribution.Probabilistic {
			sum.Credited, sum.Right, sum.Fraud = sum.Credited+c.Credited, sum.Right+c.Right, sum.Fraud+c.Fraud
		}
	}
	return sum
}

// TestTargets measures what docs/attribution.md publishes:
//
//	go test ./attribution/simulate -run Targets -v
func TestTargets(t *testing.T) {
	t.Parallel()
	policy := attribution.DefaultPolicy()
	var sum Report
	for seed := range uint64(days) {
		sum.Add(Day(seed+1, people).Run(&policy))
	}
	t.Logf("\n%s", sum.String())
	known := byID(&sum)
	if known.Right != known.Credited || known.Credited == 0 {
		t.Errorf("by id: %d of %d are right, want all", known.Right, known.Credited)
	}
	if found := share(sum.FoundByID, sum.CarryID); found < 0.999 {
		t.Errorf("by id: %d of %d were found, want 99.9 %%", sum.FoundByID, sum.CarryID)
	}
	// What is left out of that may not hide much, and is not all lost.
	if sum.Denied*20 > sum.CarryID || sum.Believed == 0 {
		t.Errorf("clocks deny %d of %d, of which %d are believed", sum.Denied, sum.CarryID, sum.Believed)
	}
	if sum.Unmeant == 0 || sum.Won > 0 {
		t.Errorf("%d of %d re-installations were won by clicks that may not", sum.Won, sum.Unmeant)
	}
	likely := sum.Methods[attribution.Probabilistic]
	if likely.Precision() < 0.95 {
		t.Errorf("by likeness: %d of %d are right, want 95 %%", likely.Right, likely.Credited)
	}
	// Who never guesses is never wrong.
	if found := share(sum.Guessed, sum.MayGuess); found < 0.35 {
		t.Errorf("by likeness: only %d of %d were found", sum.Guessed, sum.MayGuess)
	}
	if fraud := known.Fraud + likely.Fraud; fraud*50 > sum.FraudTried {
		t.Errorf("fraud took %d of %d", fraud, sum.FraudTried)
	}
}

// TestGuessingWithoutCareIsWorse shows that the world is hard enough to tell
// careful rules from careless ones.
func TestGuessingWithoutCareIsWorse(t *testing.T) {
	t.Parallel()
	careless := attribution.DefaultPolicy()
	careless.Likeness = attribution.Likeness{
		IOS: link.IOSOwned, Least: 5000, LeastStrong: 5000, MostNeighbours: 1000, SharedLookback: day, ThinLookback: day,
	}
	report := Day(1, people).Run(&careless)
	if got := report.Methods[attribution.Probabilistic]; got.Precision() > 0.85 {
		t.Errorf("careless guesses are right in %d of %d", got.Right, got.Credited)
	}
}

func TestSeedsRepeat(t *testing.T) {
	t.Parallel()
	policy := attribution.DefaultPolicy()
	const few = 5000
	first, again, other := Day(7, few), Day(7, few), Day(8, few)
	if !reflect.DeepEqual(first, again) {
		t.Error("one seed made two days")
	}
	if a, b := first.Run(&policy), first.Run(&policy); !reflect.DeepEqual(a, b) {
		t.Errorf("one day was decided in two ways:\n%s\n%s", a.String(), b.String())
	}
	if reflect.DeepEqual(first.Touches, other.Touches) {
		t.Error("two seeds made one day")
	}
}
