package sqlitestore

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"waypost/internal/device"
	"waypost/internal/fault"
	"waypost/link"
	"waypost/report"
)

// dimension is how one dimension of a query is written and read.
type dimension struct {
	column string
	word   bool // the column is in series
	read   func(r row, column int, k *report.Key) error
}

// dimensions is the only source of column names in a query's text.
var dimensions = map[report.Dimension]dimension{
	report.ByTemplate: {"s.template", true, func(r row, i int, k *report.Key) error { k.Template = link.TemplateID(r.text(i)); return nil }},
	report.ByLink:     {"c.link", false, func(r row, i int, k *report.Key) error { k.Link = link.LinkID(r.int(i)); return nil }},
	report.ByRoute:    {"s.route", true, func(r row, i int, k *report.Key) error { k.Route = r.text(i); return nil }},
	report.ByDay:      {"c.day", false, func(r row, i int, k *report.Key) error { k.Day = report.Day(r.int(i)); return nil }},
	report.ByCountry:  {"s.country", true, func(r row, i int, k *report.Key) error { k.Country = r.text(i); return nil }},
	report.ByMetric:   {"s.metric", true, func(r row, i int, k *report.Key) error { k.Metric = report.Metric(r.text(i)); return nil }},
	report.ByTracker:  {"s.tracker", true, func(r row, i int, k *report.Key) error { k.Tracker = link.Tracker(r.int(i)); return nil }},
	report.ByPlatform: {"s.platform", true, func(r row, i int, k *report.Key) (err error) {
		k.Platform, err = device.ParsePlatform(r.text(i))
		return err
	}},
}

// SumCounts adds up the counts of one account that the query asks for, ordered
// by the dimensions it groups by; words are ordered by their bytes.
func (s *Store) SumCounts(ctx context.Context, q report.Query) (rows []report.Row, err error) {
	text, args, err := buildSum(&q)
	if err != nil {
		return nil, err
	}
	err = s.read(ctx, "sum counts", func(c *conn) error {
		// Too many forms to keep them all prepared.
		stmt, _, err := c.db.Prepare(text)
		if err != nil {
			return err
		}
		defer stmt.Close()
		return scan(stmt, func(r row) error {
			var sum report.Row
			for i, d := range q.GroupBy {
				if err := dimensions[d].read(r, i, &sum.Key); err != nil {
					return err
				}
			}
			sum.Count = r.int(len(q.GroupBy))
			rows = append(rows, sum)
			return nil
		}, args)
	})
	if err != nil {
		return nil, err
	}
	return rows, nil
}

func buildSum(q *report.Query) (text string, args []any, err error) {
	var columns []string
	words := q.Template != "" || q.Metric != ""
	for _, name := range q.GroupBy {
		d, ok := dimensions[name]
		if !ok {
			return "", nil, fault.Bad("group_by", fault.Unknown, "%q is no dimension of the counts", name)
		}
		columns = append(columns, d.column)
		words = words || d.word
	}
	cells, args := buildCells(q)
	text = "SELECT " + strings.Join(append(columns, "sum(c.n)"), ", ") + " FROM (" + cells + ") c"
	if words {
		text += " CROSS JOIN series s ON s.id = c.series" // CROSS: counts first
	}
	var where []string
	if q.Template != "" {
		where, args = append(where, "s.template = ?"), append(args, string(q.Template))
	}
	if q.Metric != "" {
		where, args = append(where, "s.metric = ?"), append(args, string(q.Metric))
	}
	if len(where) > 0 {
		text += " WHERE " + strings.Join(where, " AND ")
	}
	text, args = grouped(text, args, columns, q.Limit)
	return text, args, nil
}

// grouped ends a query of sums: a row for each value of the columns, in their
// order, limit at most; without columns one row, or none where nothing is.
func grouped(text string, args []any, columns []string, limit int) (string, []any) {
	if len(columns) > 0 {
		list := strings.Join(columns, ", ")
		text += " GROUP BY " + list + " ORDER BY " + list
	} else {
		text += " HAVING count(*) > 0"
	}
	if limit > 0 {
		text, args = text+" LIMIT ?", append(args, int64(limit))
	}
	return text, args
}

// buildCells selects the cells of the query's accounts, days and links from
// the tables that may hold its metric.
func buildCells(q *report.Query) (text string, args []any) {
	where := []string{"account = ?", "day >= ?"}
	own := []any{int64(q.Account), int64(q.From)}
	byLink := false
	if q.To != 0 {
		where, own = append(where, "day <= ?"), append(own, int64(q.To))
	}
	if q.Link != nil {
		where, own = append(where, "link = ?"), append(own, int64(*q.Link))
		byLink = *q.Link != 0
	}
	if len(q.Links) > 0 {
		where = append(where, "link IN ("+numbers(q.Links)+")")
		byLink = byLink || !slices.Contains(q.Links, 0)
	}
	if byLink {
		where = append(where, "link <> 0")
	}
	var parts []string
	for _, table := range tablesOf(q.Metric) {
		from := table
		if byLink {
			// Spelled out: without statistics SQLite would take the account's key.
			from += " INDEXED BY " + table + "_link"
		}
		parts = append(parts, "SELECT day, link, series, n FROM "+from+" WHERE "+strings.Join(where, " AND "))
		args = append(args, own...)
	}
	return strings.Join(parts, " UNION ALL "), args
}

// tablesOf returns the tables that count a metric, or any.
func tablesOf(m report.Metric) []string {
	switch {
	case m == "":
		return []string{"counts", "history_counts"}
	case m.OfHistory():
		return []string{"history_counts"}
	}
	return []string{"counts"}
}

// numbers returns ids as a list in SQL.
func numbers[T ~int64](ids []T) string {
	var list []byte
	for i, id := range ids {
		if i > 0 {
			list = append(list, ',')
		}
		list = strconv.AppendInt(list, int64(id), 10)
	}
	return string(list)
}

// EachCount calls fn for every count, or for every one of the baseline, as of
// one instant. fn must not wait: an open read keeps the write-ahead log from
// being shortened.
func (s *Store) EachCount(ctx context.Context, baseline bool, fn func(report.Key, int64) error) error {
	query := "SELECT account, day, link, series, n FROM counts"
	if baseline {
		query = "SELECT account, day, link, series, n FROM baseline"
	}
	return s.readAtOnce(ctx, "read the counts", func(c *conn) error {
		series, err := loadSeries(c)
		if err != nil {
			return err
		}
		return c.each(query, func(r row) error {
			w := series[r.int(3)]
			return fn(report.Key{
				Account: link.AccountID(r.int(0)), Day: report.Day(r.int(1)), Link: link.LinkID(r.int(2)),
				Template: w.template, Metric: w.metric, Tracker: w.tracker, Route: w.route, Platform: w.platform, Country: w.country,
			}, r.int(4))
		})
	})
}
