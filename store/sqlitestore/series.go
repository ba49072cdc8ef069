package sqlitestore

import (
	"sync"

	"waypost/internal/device"
	"waypost/link"
	"waypost/report"
)

// words are the parts of a count's key that repeat over links and days.
type words struct {
	template link.TemplateID
	metric   report.Metric
	route    string
	platform device.Platform
	country  string
	tracker  link.Tracker
}

func wordsOf(k *report.Key) words {
	return words{k.Template, k.Metric, k.Route, k.Platform, k.Country, k.Tracker}
}

// seriesMemory holds the ids of committed series, which never change.
type seriesMemory struct {
	mu  sync.Mutex
	ids map[words]int64
}

// mostSeries bounds the memory (about 15 MB); see mostHosts.
const mostSeries = 100_000

func (m *seriesMemory) get(w words) int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ids[w]
}

func (m *seriesMemory) add(ids map[words]int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ids == nil || len(m.ids)+len(ids) > mostSeries {
		m.ids = make(map[words]int64, len(ids))
	}
	for w, id := range ids {
		m.ids[w] = id
	}
}

// find returns the id of a series and makes the series if need be. Ids that m
// does not hold yet are left in fresh, which the caller adds once they are
// committed.
func (m *seriesMemory) find(c *conn, w words, fresh map[words]int64) (int64, error) {
	if id := m.get(w); id != 0 {
		return id, nil
	}
	if id := fresh[w]; id != 0 {
		return id, nil
	}
	args := []any{string(w.template), string(w.metric), w.route, w.platform.String(), w.country, int64(w.tracker)}
	id, err := c.integer("SELECT id FROM series WHERE template = ? AND metric = ? AND route = ? AND platform = ? AND country = ? AND tracker = ?", args...)
	if err != nil {
		return 0, err
	}
	if id == 0 {
		if _, err := c.run("INSERT INTO series (template, metric, route, platform, country, tracker) VALUES (?, ?, ?, ?, ?, ?)", args...); err != nil {
			return 0, err
		}
		id = c.db.LastInsertRowID()
	}
	fresh[w] = id
	return id, nil
}

// loadSeries returns every series by id.
func loadSeries(c *conn) (map[int64]words, error) {
	all := map[int64]words{}
	err := c.each("SELECT id, template, metric, route, platform, country, tracker FROM series", func(r row) error {
		platform, err := device.ParsePlatform(r.text(4))
		all[r.int(0)] = words{link.TemplateID(r.text(1)), report.Metric(r.text(2)), r.text(3), platform, r.text(5), link.Tracker(r.int(6))}
		return err
	})
	return all, err
}
