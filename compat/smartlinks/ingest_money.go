package smartlinks

import "strconv"

// revenueKeys are the parameters of an event that hold what it brought in, in
// the order in which they count: clients differ.
var revenueKeys = [...]string{"sum", "price", "revenue", "value"}

// amountOf returns an event's amount as it was sent: the first of the keys that
// holds a number. Where none does, a text of one that means money is returned,
// to be flagged; a value may mean anything.
func amountOf(params object) string {
	odd := ""
	for _, key := range revenueKeys {
		text := params.loose(key)
		if text == "" {
			continue
		}
		if _, err := strconv.ParseFloat(text, 64); err == nil {
			return text
		}
		if odd == "" && key != "value" {
			odd = text
		}
	}
	return odd
}
