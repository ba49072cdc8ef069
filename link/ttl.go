package link

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// ParseTTL reads a duration as link APIs write it: an integer and a unit, m
// for minutes, h for hours, d for days; without a unit days are meant. Units
// may be upper case. Zero, negative and overflowing values are errors; caps
// are the caller's.
func ParseTTL(text string) (time.Duration, error) {
	s := strings.ToLower(strings.TrimSpace(text))
	unit := 24 * time.Hour
	if s != "" {
		switch s[len(s)-1] {
		case 'm':
			unit, s = time.Minute, s[:len(s)-1]
		case 'h':
			unit, s = time.Hour, s[:len(s)-1]
		case 'd':
			s = s[:len(s)-1]
		}
	}
	n, err := strconv.ParseUint(s, 10, 63)
	if err != nil || n == 0 || n > uint64(math.MaxInt64/int64(unit)) {
		return 0, fmt.Errorf("%q is not a duration such as 10m, 20h or 14d", text)
	}
	return time.Duration(n) * unit, nil
}
