package attribution

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"waypost/internal/device"
)

// Score is a likelihood in ten-thousandths. Whole numbers come out equal on
// every machine; floating point may not, and a replay must.
type Score int

// full is the score of two devices that are alike in all that is known, now.
const full Score = 10000

// Weights of what both sides may know. They sum to 100 where everything is known.
const (
	weightAddress  = 40
	weightModel    = 20
	weightVersion  = 15
	weightLocale   = 10
	weightScreen   = 10
	weightTimezone = 5
)

// Signal is one thing that both sides knew, what it weighs, and how much of
// that it gave.
type Signal struct {
	Name        string
	Weight, Got int // Got is in tenths of Weight
}

// exact, near and half are parts of a weight, in tenths.
const (
	exact = 10
	near  = 6
	half  = 5
)

// decay is 0.70 + 0.30·2^(-hours/6) in ten-thousandths, hour by hour: at a
// day's age a full likeness still passes and a partial one does not.
var decay = [...]int{
	10000, 9673, 9381, 9121, 8890, 8684, 8500, 8336, 8191, 8061, 7945, 7842, 7750,
	7668, 7595, 7530, 7472, 7421, 7375, 7334, 7298, 7265, 7236, 7210, 7188,
}

// decayAt goes straight from one hour's value to the next.
func decayAt(age time.Duration) int {
	age = max(age, 0)
	hour := int(age / time.Hour)
	if hour >= len(decay)-1 {
		return decay[len(decay)-1]
	}
	return decay[hour] - (decay[hour]-decay[hour+1])*int((age%time.Hour)/time.Second)/3600
}

// liken compares two devices that share an address. A veto means that they are
// two devices for sure.
func liken(touch, conversion *Facts) (signals []Signal, veto Code) {
	signals = []Signal{{"address", weightAddress, exact}}
	if got, known, ok := likenVersions(touch.OSVersion, conversion.OSVersion); !ok {
		return nil, OtherVersion
	} else if known {
		signals = append(signals, Signal{"os_version", weightVersion, got})
	}
	if known, ok := likenModels(touch.Model, conversion.Model, conversion.Platform); !ok {
		return nil, OtherModel
	} else if known {
		signals = append(signals, Signal{"model", weightModel, exact})
	}
	if got, known := likenLocales(touch.Locale, conversion.Locale); known {
		signals = append(signals, Signal{"locale", weightLocale, got})
	}
	if touch.Screen.known() && conversion.Screen.known() {
		signals = append(signals, Signal{"screen", weightScreen, exactIf(touch.Screen.same(conversion.Screen))})
	}
	if touch.Timezone != "" && conversion.Timezone != "" {
		signals = append(signals, Signal{"timezone", weightTimezone, exactIf(strings.EqualFold(touch.Timezone, conversion.Timezone))})
	}
	return signals, ""
}

// score is what the signals give of what they weigh, worn by age.
func score(signals []Signal, age time.Duration) Score {
	weight, got := 0, 0
	for _, s := range signals {
		weight += s.Weight
		got += s.Weight * s.Got
	}
	return Score(got * 1000 / weight * decayAt(age) / 10000)
}

// evidence is the weight of what was known beside the address.
func evidence(signals []Signal) int {
	weight := -weightAddress
	for _, s := range signals {
		weight += s.Weight
	}
	return weight
}

func exactIf(same bool) int {
	if same {
		return exact
	}
	return 0
}

// likenVersions compares the parts that both sides know: browsers leave out
// patches. Different major versions are different devices.
func likenVersions(a, b string) (got int, known, ok bool) {
	left, right := versionParts(a), versionParts(b)
	switch {
	case len(left) == 0 || len(right) == 0:
		return 0, false, true
	case left[0] != right[0]:
		return 0, true, false
	}
	n := min(len(left), len(right))
	if !slices.Equal(left[:n], right[:n]) {
		return near, true, true
	}
	return exact, true, true
}

func versionParts(v string) []int {
	var parts []int
	for part := range strings.SplitSeq(v, ".") {
		n, err := strconv.Atoi(part)
		if err != nil || n < 0 {
			break
		}
		parts = append(parts, n)
	}
	return parts
}

// likenModels knows no more of an Apple browser than the family: it never says
// more, so that the family vetoes and proves nothing.
func likenModels(a, b string, p device.Platform) (known, same bool) {
	a, b = plainModel(a), plainModel(b)
	if a == "" || b == "" {
		return false, true
	}
	if p == device.IOS {
		family, other := appleFamily(a), appleFamily(b)
		return a == b && strings.ContainsAny(a, "0123456789"), family == "" || other == "" || family == other
	}
	same = a == b || strings.HasSuffix(a, " "+b) || strings.HasSuffix(b, " "+a) // one side may name the brand first
	return true, same
}

func plainModel(m string) string {
	return strings.Join(strings.Fields(strings.ToLower(m)), " ")
}

func appleFamily(model string) string {
	for _, family := range []string{"iphone", "ipad", "ipod"} {
		if strings.HasPrefix(model, family) {
			return family
		}
	}
	return ""
}

// likenLocales compares languages, and regions where both sides name one.
func likenLocales(a, b string) (got int, known bool) {
	language, region := splitLocale(a)
	otherLanguage, otherRegion := splitLocale(b)
	switch {
	case language == "" || otherLanguage == "":
		return 0, false
	case language != otherLanguage:
		return 0, true
	case region != otherRegion && region != "" && otherRegion != "":
		return half, true
	}
	return exact, true
}

// splitLocale reads "en-US", "en_US" and "zh-Hant-TW".
func splitLocale(l string) (language, region string) {
	parts := strings.FieldsFunc(strings.ToLower(l), func(r rune) bool { return r == '-' || r == '_' })
	if len(parts) == 0 {
		return "", ""
	}
	for _, p := range parts[1:] {
		if len(p) == 2 || len(p) == 3 && p[0] >= '0' && p[0] <= '9' {
			region = p
			break
		}
	}
	return parts[0], region
}

func (s Screen) known() bool { return s.Width > 0 && s.Height > 0 }

// same allows for the rounding of a browser's pixels times its density.
func (s Screen) same(o Screen) bool {
	const rounding = 2
	return abs(min(s.Width, s.Height)-min(o.Width, o.Height)) <= rounding && abs(max(s.Width, s.Height)-max(o.Width, o.Height)) <= rounding
}

func abs(n int) int { return max(n, -n) }
