package smartlinks

import (
	"context"
	"fmt"

	"waypost/link"
	"waypost/report"
)

// cell is a measured part of a link.
type cell struct {
	link    link.LinkID
	tracker link.Tracker
}

// count fills in what was counted of links, people alone. What a link has is
// the sum of what its parts have.
func (a *API) count(ctx context.Context, links []link.Link, shapes []linkShape) error {
	byAccount := map[link.AccountID][]link.LinkID{}
	for i := range links {
		byAccount[links[i].Account] = append(byAccount[links[i].Account], links[i].ID)
	}
	clicks, installs := map[cell]int64{}, map[cell]int64{}
	for account, ids := range byAccount {
		if err := a.sum(ctx, clicks, account, ids, report.Clicks); err != nil {
			return err
		}
		if err := a.sum(ctx, installs, account, ids, report.Installs); err != nil {
			return err
		}
	}
	for i := range shapes {
		shape := &shapes[i]
		part := func(id TrackerID) *tallies {
			of, tracker := id.Split()
			t := &tallies{clicks[cell{of, tracker}], installs[cell{of, tracker}]}
			shape.tallies.add(t)
			return t
		}
		shape.tallies = &tallies{}
		shape.Default.tallies = part(shape.Default.ID)
		for _, app := range shape.Apps {
			for j := range app.Routes {
				app.Routes[j].tallies = part(app.Routes[j].ID)
			}
		}
	}
	return nil
}

func (a *API) sum(ctx context.Context, into map[cell]int64, account link.AccountID, ids []link.LinkID, metric report.Metric) error {
	rows, err := a.Counts.SumCounts(ctx, report.Query{
		Account: account, Links: ids, Metric: metric, GroupBy: []report.Dimension{report.ByLink, report.ByTracker},
	})
	if err != nil {
		return fmt.Errorf("count %s of %d links: %w", metric, len(ids), err)
	}
	for _, row := range rows {
		into[cell{row.Key.Link, row.Key.Tracker}] += row.Count
	}
	return nil
}
