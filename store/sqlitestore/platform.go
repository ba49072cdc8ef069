package sqlitestore

import (
	"context"
	"slices"
	"strings"

	"waypost/event"
	"waypost/internal/fault"
	"waypost/link"
	"waypost/report"
)

// encodePlatform returns the ledger's lines of conversions.
func encodePlatform(list []event.PlatformConversion) (lines [][]byte, err error) {
	for i := range list {
		line, err := list[i].Line()
		if err != nil {
			return nil, err
		}
		lines = append(lines, line)
	}
	return lines, nil
}

// addPlatform leaves out a conversion that is there: platforms repeat
// themselves. What is flagged stands in its line alone.
func addPlatform(c *conn, p *event.PlatformConversion, line []byte) error {
	coarse, country := p.Coarse, p.Country
	var value any
	if p.Value != nil && !slices.Contains(p.Flags, event.ValueFlag) {
		value = int64(*p.Value)
	}
	if slices.Contains(p.Flags, event.CoarseFlag) {
		coarse = ""
	}
	if slices.Contains(p.Flags, event.CountryFlag) {
		country = ""
	}
	_, err := c.run(`INSERT INTO platform_conversions
		(account, day, app, framework, key, test, network, source, conversion, won, sequence, interaction, value, coarse_value, country, line)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (app, framework, key) DO NOTHING`,
		int64(p.Account), int64(report.DayOf(p.At)), int64(p.App), string(p.Framework), p.Key, p.Test, p.Network, p.Source, string(p.Conversion), p.Won,
		int64(p.Sequence), string(p.Interaction), value, coarse, country, line)
	return err
}

// KnowsPlatformConversion reports whether a conversion with the key is there.
func (s *Store) KnowsPlatformConversion(ctx context.Context, app link.AppID, f event.Framework, key string) (known bool, err error) {
	err = s.readAtOnce(ctx, "look for a conversion of a platform", func(c *conn) error {
		known, err = c.first("SELECT 1 FROM platform_conversions WHERE app = ? AND framework = ? AND key = ?", func(row) {}, int64(app), string(f), key)
		return err
	})
	return known, err
}

// ListPlatformConversions returns an account's conversions that platforms told
// of, those that came last first, limit at most, and where the next page begins,
// 0 after the last. A page begins behind the place that the one before returned;
// 0 is the first. Zero app: all of them.
func (s *Store) ListPlatformConversions(ctx context.Context, account link.AccountID, app link.AppID, before int64, limit int) (found []event.PlatformConversion, next int64, err error) {
	query, args := "SELECT n, line FROM platform_conversions WHERE account = ?", []any{int64(account)}
	if app != 0 {
		query, args = query+" AND app = ?", append(args, int64(app))
	}
	if before != 0 {
		query, args = query+" AND n < ?", append(args, before)
	}
	err = s.read(ctx, "list conversions of platforms", func(c *conn) error {
		found, next = nil, 0
		last := int64(0)
		return c.each(query+" ORDER BY n DESC LIMIT ?", func(r row) error {
			if len(found) == limit { // one more than asked: there is another page
				next = last
				return nil
			}
			last = r.int(0)
			p, err := event.DecodePlatformConversion(r.blob(1))
			found = append(found, p)
			return err
		}, append(args, int64(limit)+1)...)
	})
	return found, next, err
}

// platformDimension is how one dimension is written and read.
type platformDimension struct {
	column string
	read   func(r row, column int, to *report.PlatformRow)
}

// platformDimensions is the only source of column names in a query's text.
var platformDimensions = map[report.PlatformDimension]platformDimension{
	report.PlatformDay:         {"day", func(r row, i int, to *report.PlatformRow) { to.Day = report.Day(r.int(i)) }},
	report.PlatformApp:         {"app", func(r row, i int, to *report.PlatformRow) { to.App = link.AppID(r.int(i)) }},
	report.PlatformFramework:   {"framework", func(r row, i int, to *report.PlatformRow) { to.Framework = r.text(i) }},
	report.PlatformNetwork:     {"network", func(r row, i int, to *report.PlatformRow) { to.Network = r.text(i) }},
	report.PlatformSource:      {"source", func(r row, i int, to *report.PlatformRow) { to.Source = r.text(i) }},
	report.PlatformConversion:  {"conversion", func(r row, i int, to *report.PlatformRow) { to.Conversion = r.text(i) }},
	report.PlatformInteraction: {"interaction", func(r row, i int, to *report.PlatformRow) { to.Interaction = r.text(i) }},
	report.PlatformSequence:    {"sequence", func(r row, i int, to *report.PlatformRow) { to.Sequence = int(r.int(i)) }},
	report.PlatformCoarseValue: {"coarse_value", func(r row, i int, to *report.PlatformRow) { to.CoarseValue = r.text(i) }},
	report.PlatformCountry:     {"country", func(r row, i int, to *report.PlatformRow) { to.Country = r.text(i) }},
	report.PlatformValue: {"value", func(r row, i int, to *report.PlatformRow) {
		if !r.null(i) {
			n := int(r.int(i))
			to.Value = &n
		}
	}},
}

// SumPlatformConversions adds up conversions that platforms told of, ordered by
// the dimensions that the query groups by; what has no value comes first.
func (s *Store) SumPlatformConversions(ctx context.Context, q report.PlatformQuery) (rows []report.PlatformRow, err error) {
	text, args, err := buildPlatformSum(&q)
	if err != nil {
		return nil, err
	}
	err = s.read(ctx, "sum conversions of platforms", func(c *conn) error {
		rows = nil
		stmt, _, err := c.db.Prepare(text) // too many forms to keep them all prepared
		if err != nil {
			return err
		}
		defer stmt.Close()
		return scan(stmt, func(r row) error {
			var sum report.PlatformRow
			for i, d := range q.GroupBy {
				platformDimensions[d].read(r, i, &sum)
			}
			n := len(q.GroupBy)
			sum.Conversions, sum.Assists, sum.Updates = r.int(n), r.int(n+1), r.int(n+2)
			rows = append(rows, sum)
			return nil
		}, args)
	})
	return rows, err
}

func buildPlatformSum(q *report.PlatformQuery) (text string, args []any, err error) {
	var columns []string
	for _, name := range q.GroupBy {
		d, ok := platformDimensions[name]
		if !ok {
			return "", nil, fault.Bad("group_by", fault.Unknown, "%q is no dimension of conversions of platforms", name)
		}
		columns = append(columns, d.column)
	}
	sums := []string{"sum(won = 1 AND sequence = 0)", "sum(won = 0 AND sequence = 0)", "sum(sequence > 0)"}
	text = "SELECT " + strings.Join(append(slices.Clone(columns), sums...), ", ") + " FROM platform_conversions WHERE account = ? AND day >= ? AND test = 0"
	args = []any{int64(q.Account), int64(q.From)}
	if q.To != 0 {
		text, args = text+" AND day <= ?", append(args, int64(q.To))
	}
	if q.App != 0 {
		text, args = text+" AND app = ?", append(args, int64(q.App))
	}
	text, args = grouped(text, args, columns, q.Limit)
	return text, args, nil
}
