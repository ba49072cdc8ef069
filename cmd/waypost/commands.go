package main

import (
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/peterbourgon/ff/v3"
	"github.com/peterbourgon/ff/v3/ffcli"

	"waypost/api"
	"waypost/app"
	"waypost/manage"
	"waypost/manage/manifest"
	"waypost/pipeline"
	"waypost/route"
)

func serveCommand() *ffcli.Command {
	set := flag.NewFlagSet("waypost serve", flag.ContinueOnError)
	var p processFlags
	p.registerServe(set)
	return &ffcli.Command{
		Name: "serve", ShortUsage: "waypost serve [flags]", ShortHelp: "serve links and APIs", FlagSet: set, Options: options(set),
		Exec: func(ctx context.Context, args []string) error {
			if err := noArguments(args); err != nil {
				return err
			}
			return app.Run(ctx, p.appConfig(p.role))
		},
	}
}

func noArguments(args []string) error {
	if len(args) > 0 {
		return &usageError{fmt.Sprintf("unexpected argument %q", args[0])}
	}
	return nil
}

func applyCommand() *ffcli.Command {
	set := flag.NewFlagSet("waypost apply", flag.ContinueOnError)
	var p processFlags
	p.register(set)
	var files []string
	set.Func("f", "`FILE` to apply; may be repeated; - is standard input", func(s string) error { return addList(&files, s) })
	return &ffcli.Command{
		Name: "apply", ShortUsage: "waypost apply -f FILE", ShortHelp: "create or update what the file names", FlagSet: set, Options: options(set),
		Exec: func(ctx context.Context, args []string) error {
			if err := noArguments(args); err != nil {
				return err
			}
			if len(files) == 0 {
				return &usageError{"name the file to apply with -f"}
			}
			return operate(ctx, p.appConfig(string(app.RoleAll)), func(ops app.Operations) error {
				for _, name := range files {
					if err := applyFile(ctx, ops, name); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
}

func applyFile(ctx context.Context, ops app.Operations, name string) error {
	read := func() ([]byte, error) { return os.ReadFile(name) }
	if name == "-" {
		read = func() ([]byte, error) { return io.ReadAll(os.Stdin) }
	}
	file, err := read()
	if err != nil {
		return fmt.Errorf("cannot read the file to apply: %w", err)
	}
	done, err := ops.Apply(ctx, name, file)
	if err != nil {
		return err
	}
	printApplied(os.Stdout, name, done)
	return nil
}

func printApplied(w io.Writer, name string, done manage.Applied) {
	for _, t := range done.Things {
		if t.Action == manifest.Unchanged {
			continue
		}
		owner := ""
		if t.Owner != "" {
			owner = " of " + t.Owner
		}
		fmt.Fprintf(w, "%-9s %s %s%s\n", t.Action, t.Kind, t.Key, owner)
	}
	fmt.Fprintf(w, "%s: %d created, %d changed, %d unchanged\n", name,
		done.Count(manifest.Created), done.Count(manifest.Changed), done.Count(manifest.Unchanged))
}

// operate opens the data directory, or finds the process that has it, for one
// command.
func operate(ctx context.Context, cfg app.Config, do func(app.Operations) error) (err error) {
	ops, done, err := app.Operate(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := done(); err == nil {
			err = closeErr
		}
	}()
	return do(ops)
}

func explainCommand() *ffcli.Command {
	set := flag.NewFlagSet("waypost explain", flag.ContinueOnError)
	var p processFlags
	p.register(set)
	asJSON := set.Bool("json", false, "print JSON")
	appName := set.String("app", "", "of explain install: the app's `NAME`, where several have such an installation: number, bundle id, package, store id or GUID")
	return &ffcli.Command{
		Name: "explain", ShortUsage: "waypost explain [flags] URL\n  waypost explain install [flags] ID", FlagSet: set, Options: options(set),
		ShortHelp: "what a link would do, for every platform, without counting a click; or why an installation is credited as it is",
		Subcommands: []*ffcli.Command{{
			// It shares the flags, so that they may stand before or behind its name.
			Name: "install", ShortUsage: "waypost explain install [flags] ID", FlagSet: set, Options: options(set),
			ShortHelp: "why an installation is credited as it is, or to nobody",
			Exec: func(ctx context.Context, args []string) error {
				if len(args) != 1 || args[0] == "" {
					return &usageError{"give the id of one installation to explain, after the flags"}
				}
				return operate(ctx, p.existing(), func(ops app.Operations) error {
					return explainInstall(ctx, ops, api.InstallRef{App: *appName, Install: args[0]}, *asJSON)
				})
			},
		}},
		Exec: func(ctx context.Context, args []string) error {
			if len(args) != 1 {
				return &usageError{"give one URL to explain"}
			}
			if *appName != "" {
				return &usageError{"--app is for waypost explain install; a URL needs none"}
			}
			return operate(ctx, p.existing(), func(ops app.Operations) error {
				e, err := ops.Explain(ctx, args[0])
				if err != nil {
					return err
				}
				if *asJSON {
					return printJSON(e)
				}
				printExplanation(os.Stdout, e)
				return nil
			})
		},
	}
}

func explainInstall(ctx context.Context, ops app.Operations, ref api.InstallRef, asJSON bool) error {
	e, err := ops.ExplainInstall(ctx, ref)
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(e)
	}
	_, err = fmt.Println(strings.Join(e.Text, "\n"))
	return err
}

func printJSON(v any) error {
	enc := json.NewEncoder(os.Stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

func printExplanation(w io.Writer, e route.LinkExplanation) {
	fmt.Fprintf(w, "%s\n  %s", e.URL, e.Dialect)
	if e.Template != "" {
		fmt.Fprintf(w, ", template %s", e.Template)
	}
	if e.Link != 0 {
		fmt.Fprintf(w, ", link %d", e.Link)
	}
	fmt.Fprintf(w, ", %s\n", e.State)
	if e.View {
		fmt.Fprintln(w, "  counts an impression and answers with a pixel; a click would go so:")
	}
	for _, v := range e.Visitors {
		fmt.Fprintf(w, "\n%s: %s (%s)\n", v.Visitor, v.Rule, v.Kind)
		for _, target := range []struct{ name, url string }{{"to", v.Location}, {"opens", v.Open}, {"then", v.Next}, {"inside", v.DeepLink}, {"tells", v.Reply}} {
			if target.url != "" {
				fmt.Fprintf(w, "  %-6s %s\n", target.name, target.url)
			}
		}
		if v.Tracker != 0 {
			fmt.Fprintf(w, "  counts for tracker %d\n", v.Tracker)
		}
		for _, store := range v.Stores {
			fmt.Fprintf(w, "  store  %s\n", store)
		}
		fmt.Fprintf(w, "  %s\n", v.Reason)
	}
	for _, note := range e.Ignored {
		fmt.Fprintf(w, "\nignored: %s\n", note)
	}
}

func verifyCommand() *ffcli.Command {
	set := flag.NewFlagSet("waypost verify", flag.ContinueOnError)
	var p processFlags
	p.register(set)
	asJSON := set.Bool("json", false, "print JSON")
	repair := set.Bool("repair", false, "make the counts anew from the ledger; with --decisions, what was decided, too, if it differs")
	decisions := set.Bool("decisions", false, "decide the whole ledger anew beside the store, by the settings of now, and compare every decision")
	return &ffcli.Command{
		Name: "verify", ShortUsage: "waypost verify [flags]", FlagSet: set, Options: options(set),
		ShortHelp: "recount the ledger, compare with the counts, list every difference",
		LongHelp:  "Ends with 0 when the counts, and the decisions if they were asked for, are what the ledger comes to, with 3 when they differ.",
		Exec: func(ctx context.Context, args []string) error {
			if err := noArguments(args); err != nil {
				return err
			}
			return operate(ctx, p.existing(), func(ops app.Operations) error {
				r, err := ops.Verify(ctx, app.VerifyOptions{Repair: *repair, Decisions: *decisions})
				if err != nil {
					return err
				}
				if *asJSON {
					err = printJSON(r)
				} else {
					printReport(os.Stdout, r)
				}
				if err == nil && r.Differs() {
					err = errDifferent
				}
				return err
			})
		},
	}
}

func printReport(w io.Writer, r app.Verified) {
	fmt.Fprintf(w, "recounted %d events of batches %d to %d, compared %d counts\n", r.Events, r.From, r.To, r.Cells)
	if r.Skipped > 0 {
		fmt.Fprintf(w, "%d lines of the ledger are no event that this version knows\n", r.Skipped)
	}
	for _, d := range r.Differences {
		k := d.Key
		fmt.Fprintf(w, "account %d template %s link %d %s %s %s %q %q: counted %d, the ledger has %d\n",
			k.Account, k.Template, k.Link, k.Metric, k.Route, k.Day, k.Platform, k.Country, d.Got, d.Want)
	}
	if r.More > 0 {
		fmt.Fprintf(w, "and %d more differences\n", r.More)
	}
	for _, gap := range r.Missing {
		fmt.Fprintf(w, "the ledger has lost batches %d to %d: what was counted of them cannot be proved\n", gap.From, gap.To)
	}
	switch {
	case r.Repaired && len(r.Missing) > 0:
		fmt.Fprintln(w, "the counts were made anew from the ledger; what was counted of lost batches was kept")
	case r.Repaired:
		fmt.Fprintln(w, "the counts were made anew from the ledger")
	case len(r.Differences) == 0:
		fmt.Fprintln(w, "no difference")
	}
	if r.Replay != nil {
		printReplay(w, r.Replay)
	}
	if r.Undecided > 0 {
		fmt.Fprintf(w, "attribution has %d batches of the ledger still to take\n", r.Undecided)
	} else {
		fmt.Fprintln(w, "attribution has caught up")
	}
}

func printReplay(w io.Writer, r *pipeline.Replay) {
	fmt.Fprintf(w, "decided the ledger anew, compared %d decisions\n", r.Decisions)
	said := func(text string) string { return cmp.Or(text, "nothing") }
	for _, d := range r.Differences {
		fmt.Fprintf(w, "app %d installation %q, %s: decided as %s; the ledger comes to %s\n", d.App, d.Install, d.Conversion, said(d.Got), said(d.Want))
	}
	if r.More > 0 {
		fmt.Fprintf(w, "and %d more differences\n", r.More)
	}
	switch {
	case r.Redecided:
		fmt.Fprintln(w, "everything was decided anew from the ledger; what was told before is not told again")
	case len(r.Differences) == 0:
		fmt.Fprintln(w, "every decision is what the ledger comes to")
	}
}

func printVersion(w io.Writer) error {
	revision := ""
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, s := range build.Settings {
			if s.Key == "vcs.revision" {
				revision = " " + s.Value[:min(len(s.Value), 12)]
			}
		}
	}
	_, err := fmt.Fprintf(w, "waypost %s%s %s %s/%s\n", version, revision, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

func demoCommand() *ffcli.Command {
	set := flag.NewFlagSet("waypost demo", flag.ContinueOnError)
	links := set.String("links", "127.0.0.1:8080", "`ADDR` of the public listener; a free port when it is taken")
	apis := set.String("api", "127.0.0.1:8081", "`ADDR` of the API listener; a free port when it is taken")
	return &ffcli.Command{
		Name: "demo", ShortUsage: "waypost demo [flags]", FlagSet: set, Options: []ff.Option{fromEnvironment},
		ShortHelp: "a throw-away instance with a sample account and links",
		Exec: func(ctx context.Context, args []string) error {
			if err := noArguments(args); err != nil {
				return err
			}
			return app.Demo(ctx, app.DemoConfig{LinksAddr: *links, APIAddr: *apis, Out: os.Stdout})
		},
	}
}
