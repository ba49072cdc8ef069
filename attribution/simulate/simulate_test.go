package simulate

import (
	"reflect"
	"testing"

	"waypost/attribution"
	"waypost/internal/device"
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

// TestWorldHoldsWhatItPromises counts the hard cases.
func TestWorldHoldsWhatItPromises(t *testing.T) {
	t.Parallel()
	w := Day(1, people)
	found := map[string]int{}
	for i := range w.Touches {
		touch := &w.Touches[i]
		facts := &touch.Facts
		found["bot"] += one(touch.Bot != "")
		found["frozen Android"] += one(facts.Platform == device.Android && facts.OSVersion == "" && facts.Model == "" && !w.Fraud[touch.ID])
		found["Safari 26"] += one(facts.Platform == device.IOS && facts.OSVersion >= "26")
		found["silent web view"] += one(facts.Platform == device.IOS && facts.OSVersion == "")
		found["relay that nobody listed"] += one(len(facts.Addresses) == 1 && facts.Addresses[0].IP.Is4() && facts.Addresses[0].IP.As4()[0] == 172 && facts.Addresses[0].Network == "")
		found["IPv6"] += one(len(facts.Addresses) == 1 && facts.Addresses[0].IP.Is6())
		found["fraud"] += one(w.Fraud[touch.ID])
	}
	for i := range w.Conversions {
		found["re-install"] += one(w.Conversions[i].Past != nil)
		found["refusal"] += one(w.Conversions[i].Consent.Measurement == attribution.No)
		found["organic"] += one(!w.Truths[i].Clicked)
		if i > 0 && w.Conversions[i].At.Before(w.Conversions[i-1].At) {
			t.Error("conversions are not in the order of time")
		}
	}
	for _, name := range []string{"bot", "frozen Android", "Safari 26", "silent web view", "relay that nobody listed", "IPv6", "fraud", "re-install", "refusal", "organic"} {
		if found[name] < 20 {
			t.Errorf("%s: %d", name, found[name])
		}
	}
}
