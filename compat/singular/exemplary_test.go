package singular_test

import (
	"testing"

	"waypost/compat/compattest"
	"waypost/compat/singular"
)

// server starts the APIs alone, over the management rules, a store and a ledger in memory.
type server struct{}

func (server) Start(t *testing.T, c compattest.Given) compattest.Target {
	return compattest.Target{API: newIntake(t, caseRules(t, c)).serve(t)}
}

func serve(t testing.TB, c singular.Config) (base string) {
	t.Helper()
	return compattest.Serve(t, singular.NewAPI(c))
}

func TestExemplary(t *testing.T) {
	t.Parallel()
	compattest.Run(t, "testdata/exemplary", server{})
}

func TestSupplemental(t *testing.T) {
	t.Parallel()
	compattest.Run(t, "testdata/supplemental", server{})
}
