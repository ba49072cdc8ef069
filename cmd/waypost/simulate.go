package main

import (
	"context"
	"flag"
	"fmt"

	"github.com/peterbourgon/ff/v3"
	"github.com/peterbourgon/ff/v3/ffcli"

	"waypost/attribution"
	"waypost/attribution/simulate"
)

// Bounds of a simulation: a day of a million people takes three gigabytes.
const (
	mostSimulatedDays   = 1000
	mostSimulatedPeople = 1_000_000
)

func simulateCommand() *ffcli.Command {
	set := flag.NewFlagSet("waypost simulate", flag.ContinueOnError)
	seed := set.Uint64("seed", 1, "`NUMBER` of the first day; the next days have the next ones. The same seed gives the same report everywhere")
	days := set.Int("days", 4, "`NUMBER` of days")
	people := set.Int("people", 60_000, "`NUMBER` of people in each day")
	return &ffcli.Command{
		Name: "simulate", ShortUsage: "waypost simulate [flags]", FlagSet: set, Options: []ff.Option{fromEnvironment},
		ShortHelp: "make days of traffic whose truth is known, and count how often attribution is right",
		LongHelp:  "Prints tables of precision and recall by method, as docs/attribution.md has them. Reads and writes no data directory.",
		Exec: func(ctx context.Context, args []string) error {
			if err := noArguments(args); err != nil {
				return err
			}
			if *days < 1 || *days > mostSimulatedDays {
				return &usageError{fmt.Sprintf("--days %d: must be 1 to %d", *days, mostSimulatedDays)}
			}
			if *people < 1 || *people > mostSimulatedPeople {
				return &usageError{fmt.Sprintf("--people %d: must be 1 to %d", *people, mostSimulatedPeople)}
			}
			sum, err := simulateDays(ctx, *seed, *days, *people)
			if err != nil {
				return err
			}
			_, err = fmt.Print(sum.String())
			return err
		},
	}
}

// simulateDays decides so many days and adds them up. It looks for the end of
// ctx between days.
func simulateDays(ctx context.Context, seed uint64, days, people int) (sum simulate.Report, err error) {
	policy := attribution.DefaultPolicy()
	for day := range uint64(days) {
		if err := ctx.Err(); err != nil {
			return sum, err
		}
		sum.Add(simulate.Day(seed+day, people).Run(&policy))
	}
	return sum, nil
}
