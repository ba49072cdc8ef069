package app

import (
	"context"

	"waypost/api"
	"waypost/attribution/history"
	"waypost/compat/apple"
	"waypost/compat/onelink"
	"waypost/ingest"
	"waypost/internal/fault"
	"waypost/link"
	"waypost/pipeline"
	"waypost/postback"
)

// openAttribution puts together what stands between a report of an app and a
// partner who is told: intake, decisions, outbox.
func (a *App) openAttribution(ctx context.Context) (err error) {
	a.sender = postback.NewSender(postback.SenderConfig{Networks: a.cfg.PostbackNetworks, Now: a.cfg.Now})
	a.postbacks = postback.NewRunner(postback.Config{
		Store: a.store, Send: a.sender.Send, Directory: a.rules.Directory, Logger: a.cfg.Logger,
	})
	if a.attributor, err = pipeline.NewAttributor(ctx, pipeline.AttributorConfig{
		Store: a.store, Ledger: a.ledger, Directory: a.rules.Directory, Logger: a.cfg.Logger,
		Touchers: touchers(),
		Outbox:   a.outbox, Delivered: a.postbacks.Made,
	}); err != nil {
		return err
	}
	a.intake = ingest.New(ingest.Config{
		Directory: a.rules.Directory, Ledger: a.ledger, Decisions: a.attributor, Unknown: a.store, Now: a.cfg.Now,
		Country: a.country.lookUp(), Network: a.network, Logger: a.cfg.Logger, FindOpened: a.findOpened,
	})
	a.appleCopies = apple.New(apple.Config{Intake: a.intake, Logger: a.cfg.Logger})
	a.oneLinkReports = onelink.NewIngest(onelink.IngestConfig{
		Intake: a.intake, Tokens: a.rules, Directory: a.rules.Directory, Logger: a.cfg.Logger,
	})
	return nil
}

// findOpened tells the intake what the door knows of a link that has opened an app.
func (a *App) findOpened(by ingest.OpenedBy) (ingest.OpenedLink, bool, error) {
	o, ok, err := a.door.Opened(by.Address, by.Platform, by.Click)
	return ingest.OpenedLink{Account: o.Account, Dialect: o.Dialect, Query: o.Query, Opened: ingest.Opened{
		Link: o.Link, Code: o.Code, Host: o.Host, Stored: o.Stored, Template: o.Template, Tracker: o.Tracker, State: o.State, DeepLink: o.DeepLink,
	}}, ok, err
}

// ExplainInstall implements Operations. What this process has not decided yet
// is decided first: without a server nobody else does.
func (a *App) ExplainInstall(ctx context.Context, ref api.InstallRef) (out api.Install, err error) {
	find := func() (pipeline.Explained, error) {
		return api.FindInstall(ctx, a.attributor, allApps(a.rules.Directory()), ref)
	}
	e, err := find()
	if fault.Is(err, fault.NotFound) {
		if err := a.attributor.CatchUp(ctx); err != nil {
			return out, err
		}
		e, err = find()
	}
	if err != nil {
		return out, err
	}
	return api.InstallOf(&e), nil
}

func allApps(d *link.Directory) []*link.App {
	apps := make([]*link.App, len(d.Catalog.Apps))
	for i := range apps {
		apps[i] = &d.Catalog.Apps[i]
	}
	return apps
}

// outbox says who is told a piece of news.
func (a *App) outbox(n pipeline.News) []history.Delivery {
	return postback.Outbox(a.rules.Directory(), postback.Telling{
		Decided: n.Decided, Installation: n.Installation, Touch: n.Touch, Told: n.Told, Click: n.Click, Platform: n.Platform,
	})
}
