package simulate

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"waypost/attribution"
)

// Count is how one method did.
type Count struct {
	Credited int
	Right    int // to a touch of the device that installed, or one that named it
	Fraud    int // to a touch that no person made
}

// Precision is the share of credits that went to the right device.
func (c Count) Precision() float64 { return share(c.Right, c.Credited) }

func share(n, of int) float64 {
	if of == 0 {
		return 1
	}
	return float64(n) / float64(of)
}

// Report is how a day's decisions compare with the truth.
type Report struct {
	Installs   int
	Clicked    int // a click of the person's own led to them
	CarryID    int // and an id joins both sides
	FoundByID  int // of which were credited by it to a touch that the person made
	Denied     int // an id joins both sides, but the device's clock denies it
	Believed   int // of which were credited all the same, by the id to a touch that the person made
	Unmeant    int // re-installations that the click that led to them may not win
	Won        int // of which somebody was credited all the same
	MayGuess   int // no id, but law and platform allow to compare
	Guessed    int // of which were credited to the right device
	Organic    int // no click led to them
	Fooled     int // of which somebody was credited all the same
	FraudTried int // installs that fraud claimed
	Methods    map[attribution.Method]*Count
	Why        map[attribution.Code]int // how the match by likeness went
}

func (r *Report) add(w *World, truth *Truth, d *attribution.Decision) {
	r.Installs++
	r.Clicked += one(truth.Clicked)
	r.Organic += one(!truth.Clicked)
	r.CarryID += one(truth.CarryID)
	r.Denied += one(truth.Denied)
	r.Unmeant += one(truth.Unmeant)
	r.MayGuess += one(truth.MayGuess)
	r.Why[d.Likeness.Code]++
	tried := slices.ContainsFunc(d.Rejected, func(x attribution.Rejection) bool { return w.Fraud[x.Touch] })
	if d.Winner == nil {
		r.FraudTried += one(tried)
		return
	}
	m := r.Methods[d.Winner.Method]
	if m == nil {
		m = &Count{}
		r.Methods[d.Winner.Method] = m
	}
	right, fraud := w.Owners[d.Winner.Touch] == truth.Device, w.Fraud[d.Winner.Touch]
	m.Credited++
	m.Right += one(right)
	m.Fraud += one(fraud)
	r.FraudTried += one(tried || fraud)
	r.Fooled += one(!truth.Clicked)
	r.Won += one(truth.Unmeant)
	known := right && !fraud && d.Winner.Method != attribution.Probabilistic
	r.FoundByID += one(truth.CarryID && known)
	r.Believed += one(truth.Denied && known)
	r.Guessed += one(truth.MayGuess && right && d.Winner.Method == attribution.Probabilistic)
}

func one(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// Add sums two days.
func (r *Report) Add(o Report) {
	r.Installs, r.Clicked, r.CarryID, r.FoundByID = r.Installs+o.Installs, r.Clicked+o.Clicked, r.CarryID+o.CarryID, r.FoundByID+o.FoundByID
	r.MayGuess, r.Guessed, r.Organic, r.Fooled = r.MayGuess+o.MayGuess, r.Guessed+o.Guessed, r.Organic+o.Organic, r.Fooled+o.Fooled
	r.Denied, r.Believed, r.Unmeant, r.Won = r.Denied+o.Denied, r.Believed+o.Believed, r.Unmeant+o.Unmeant, r.Won+o.Won
	r.FraudTried += o.FraudTried
	if r.Methods == nil {
		r.Methods, r.Why = map[attribution.Method]*Count{}, map[attribution.Code]int{}
	}
	for method, c := range o.Methods {
		if r.Methods[method] == nil {
			r.Methods[method] = &Count{}
		}
		sum := r.Methods[method]
		sum.Credited, sum.Right, sum.Fraud = sum.Credited+c.Credited, sum.Right+c.Right, sum.Fraud+c.Fraud
	}
	for code, n := range o.Why {
		r.Why[code] += n
	}
}

// String is the report as the tables of a Markdown document.
func (r *Report) String() string {
	var b strings.Builder
	b.WriteString("| installs | number |\n|---|---|\n")
	for _, row := range []struct {
		name string
		n    int
	}{
		{"all", r.Installs}, {"led to by a click", r.Clicked}, {"… an id joins click and install", r.CarryID}, {"… an id joins them, the device's clock denies it", r.Denied},
		{"… no id, but comparing is allowed", r.MayGuess}, {"… re-installation by a click that may not win it", r.Unmeant}, {"… … credited all the same", r.Won},
		{"organic", r.Organic}, {"… credited all the same", r.Fooled}, {"claimed by fraud", r.FraudTried},
	} {
		fmt.Fprintf(&b, "| %s | %d |\n", row.name, row.n)
	}
	b.WriteString("\n")
	b.WriteString("| method | credited | right device | fraud credited | precision |\n|---|---|---|---|---|\n")
	for _, method := range slices.Sorted(maps.Keys(r.Methods)) {
		c := r.Methods[method]
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %.2f %% |\n", method, c.Credited, c.Right, c.Fraud, 100*c.Precision())
	}
	b.WriteString("\n| recall | of | found | share |\n|---|---|---|---|\n")
	for _, row := range []struct {
		name      string
		of, found int
	}{{"by id", r.CarryID, r.FoundByID}, {"by id, against the device's clock", r.Denied, r.Believed}, {"by likeness", r.MayGuess, r.Guessed}} {
		fmt.Fprintf(&b, "| %s | %d | %d | %.2f %% |\n", row.name, row.of, row.found, 100*share(row.found, row.of))
	}
	b.WriteString("\n| likeness | installs |\n|---|---|\n")
	for _, code := range slices.Sorted(maps.Keys(r.Why)) {
		fmt.Fprintf(&b, "| %s | %d |\n", code, r.Why[code])
	}
	return b.String()
}
