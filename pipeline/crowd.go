package pipeline

import (
	"context"
	"slices"
	"time"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/internal/uid"
)

// Spans of attribution.Traffic.
const (
	deviceClickSpan = 24 * time.Hour
	agentClickSpan  = time.Hour
)

// How many more lists of touches are read where the first one under a key is
// full. The limits lie within one; on a carrier's network, where they are ten
// times as high, within eight.
const (
	crowdLists         = 1
	cellularCrowdLists = 8
)

// findCrowd returns touches that came before those of full lists, and count
// against them: without, the oldest of a list would look as if nobody had come
// before. lists are the candidates under each lookup, nothing older than oldest
// is looked for.
func (h *hearing) findCrowd(ctx context.Context, asked []attribution.Lookup, lists [][]history.Touch, oldest time.Time) ([]history.Touch, error) {
	var crowd []history.Touch
	for i, list := range lists {
		span := spanOf(asked[i].Key.Kind)
		if len(list) < attribution.MaxPerKey || span == 0 {
			continue
		}
		pages := crowdLists
		if asked[i].Key.Kind == attribution.AddressKey && slices.ContainsFunc(list, isCellular) {
			pages = cellularCrowdLists
		}
		last := list[len(list)-1].At
		l := attribution.Lookup{Key: asked[i].Key, Since: last.Add(-span)}
		if l.Since.Before(oldest) {
			l.Since = oldest
		}
		for ; pages > 0 && len(list) >= attribution.MaxPerKey; pages-- {
			l.Until = list[len(list)-1].At
			more, err := h.ahead.findLists(ctx, []attribution.Lookup{l})
			if err != nil {
				return nil, err
			}
			list = more[0]
			crowd = append(crowd, list...)
		}
	}
	return crowd, nil
}

// spanOf is how far back touches under a key of the kind count against later ones.
func spanOf(k attribution.KeyKind) time.Duration {
	switch k {
	case attribution.DeviceKey:
		return deviceClickSpan
	case attribution.AddressKey:
		return agentClickSpan
	}
	return 0
}

func isCellular(t history.Touch) bool {
	return slices.ContainsFunc(t.Facts.Addresses, func(a attribution.Address) bool { return a.Network == attribution.Cellular })
}

// group is a device, or an address and an agent.
type group struct {
	key   attribution.Key
	agent string
}

// groupsOf are those that a click counts against.
func groupsOf(t *history.Touch) (groups []group) {
	if t.Kind != attribution.Click {
		return nil
	}
	for _, k := range t.Keys() {
		switch {
		case k.Kind == attribution.DeviceKey:
			groups = append(groups, group{key: k})
		case k.Kind == attribution.AddressKey && t.Agent != "":
			groups = append(groups, group{k, t.Agent})
		}
	}
	return groups
}

// countTraffic fills in how many clicks of the same device, and of the same
// address and agent, came before each touch, as far as they are among the
// touches or the crowd behind them.
func countTraffic(touches, crowd []history.Touch) {
	clicks := map[group][]time.Time{}
	seen := map[uid.Click]bool{}
	names := make([][]group, len(touches))
	for i := range touches {
		seen[touches[i].ID] = true
		names[i] = groupsOf(&touches[i])
		for _, n := range names[i] {
			clicks[n] = append(clicks[n], touches[i].At)
		}
	}
	for i := range crowd {
		if seen[crowd[i].ID] {
			continue
		}
		seen[crowd[i].ID] = true
		for _, n := range groupsOf(&crowd[i]) {
			clicks[n] = append(clicks[n], crowd[i].At)
		}
	}
	for i := range touches {
		t := &touches[i]
		for _, n := range names[i] {
			if n.agent == "" {
				t.Traffic.DeviceClicks = max(t.Traffic.DeviceClicks, countBefore(clicks[n], t.At, deviceClickSpan))
			} else {
				t.Traffic.AgentClicks = max(t.Traffic.AgentClicks, countBefore(clicks[n], t.At, agentClickSpan))
			}
		}
	}
}

func countBefore(all []time.Time, at time.Time, span time.Duration) (n int) {
	for _, other := range all {
		if other.Before(at) && at.Sub(other) <= span {
			n++
		}
	}
	return n
}
