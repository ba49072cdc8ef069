// Command waypost runs the platform and its tools. This file reads flags,
// environment and configuration file; package app does the work.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/peterbourgon/ff/v3/ffcli"
)

// version is set by the linker in releases.
var version = "dev"

// gcPercent trades a little processor time for memory: most of the heap is the
// cache of compiled links, which hardly changes. GOGC in the environment
// overrides it.
const gcPercent = 75

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := parseAndRun(ctx, newRoot(), os.Args[1:])
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp) && helpWanted(os.Args[1:]):
		return
	case errors.Is(err, flag.ErrHelp): // the usage is printed
	default:
		fmt.Fprintln(os.Stderr, "waypost:", err)
	}
	stop()
	os.Exit(exitCode(err))
}

// parseAndRun runs what the arguments, the environment and the configuration
// file ask for; what is wrong with these is a usageError.
func parseAndRun(ctx context.Context, root *ffcli.Command, args []string) error {
	err := root.Parse(args)
	switch {
	case err == nil:
		return root.Run(ctx)
	case errors.Is(err, flag.ErrHelp):
		return err
	}
	return &usageError{err.Error()}
}

// helpWanted tells "waypost help" and -h, which succeed, from a missing command.
func helpWanted(args []string) bool {
	for _, a := range args {
		if a == "help" || a == "-h" || a == "-help" || a == "--help" {
			return true
		}
	}
	return false
}

// errDifferent is verify's verdict: the work was done, and the news is bad.
var errDifferent = errors.New("the counts differ from the ledger")

// exitCode: 1 for failures, 2 for wrong usage, 3 for a verify that found differences.
func exitCode(err error) int {
	var usage *usageError
	switch {
	case errors.Is(err, errDifferent):
		return 3
	case errors.As(err, &usage), errors.Is(err, flag.ErrHelp):
		return 2
	}
	return 1
}

// usageError is a wrong command line.
type usageError struct{ message string }

func (e *usageError) Error() string { return e.message }

func newRoot() *ffcli.Command {
	set := flag.NewFlagSet("waypost", flag.ContinueOnError)
	root := &ffcli.Command{
		Name: "waypost", ShortUsage: "waypost COMMAND [flags]", FlagSet: set,
		LongHelp: "Waypost is a self-hosted mobile link and attribution platform.\n" +
			"Every flag is also WAYPOST_… in the environment and a key of the file named by --config.",
		Exec: func(_ context.Context, args []string) error {
			if len(args) > 0 {
				return &usageError{fmt.Sprintf("unknown command %q; see waypost help", args[0])}
			}
			return flag.ErrHelp
		},
	}
	root.Subcommands = []*ffcli.Command{
		serveCommand(), applyCommand(), demoCommand(), explainCommand(), verifyCommand(), simulateCommand(),
		{
			Name: "version", ShortUsage: "waypost version", ShortHelp: "print the version",
			Exec: func(context.Context, []string) error { return printVersion(os.Stdout) },
		},
		{
			Name: "help", ShortUsage: "waypost help [COMMAND]", ShortHelp: "describe the commands",
			Exec: func(_ context.Context, args []string) error { return help(root, args) },
		},
	}
	return root
}

func help(root *ffcli.Command, args []string) error {
	target := root
	if len(args) > 0 {
		target = nil
		for _, c := range root.Subcommands {
			if c.Name == args[0] {
				target = c
			}
		}
		if target == nil {
			return &usageError{fmt.Sprintf("unknown command %q; see waypost help", args[0])}
		}
	}
	if target.FlagSet == nil {
		target.FlagSet = flag.NewFlagSet(target.Name, flag.ContinueOnError)
	}
	fmt.Println(ffcli.DefaultUsageFunc(target))
	return nil
}
