package postback

import "time"

// pace is how fast a host answers. Hosts without an attempt under way have
// none: the first answers tell.
type pace struct {
	took  time.Duration // an attempt, the last ones counting most; zero: none has ended
	since time.Time     // of the last answer, or of the first attempt
}

// answered notes an attempt that ended now.
func (p *pace) answered(took time.Duration, now time.Time) {
	if p.since = now; p.took > 0 {
		took = (3*p.took + took) / 4
	}
	p.took = took
}

// queue is how many deliveries of the host may wait in memory: as many as it
// answers in the time for which others would be put off. A host that has not
// answered for long is as slow as that.
func (p *pace) queue(now time.Time) int {
	if p == nil {
		return longestQueue
	}
	slowest := max(p.took, now.Sub(p.since))
	if slowest <= 0 {
		return longestQueue
	}
	return int(min(max(mostPerHost*putOff/slowest, shortestQueue), longestQueue))
}
