package onelink_test

import (
	"testing"

	"waypost/compat/compattest"
	"waypost/compat/onelink"
)

// server starts the API alone, over the management rules and a store in memory.
// Cases about clicks lie in a folder of their own and need the whole program.
type server struct{}

func (server) Start(t *testing.T, given compattest.Given) compattest.Target {
	rules, _ := givenRules(t, given)
	return compattest.Target{API: serve(t, onelink.Config{Rules: rules})}
}

func serve(t testing.TB, c onelink.Config) (base string) {
	t.Helper()
	return compattest.Serve(t, onelink.NewAPI(c))
}

func TestExemplary(t *testing.T) {
	t.Parallel()
	compattest.Run(t, "testdata/exemplary", server{})
}

func TestSupplemental(t *testing.T) {
	t.Parallel()
	compattest.Run(t, "testdata/supplemental", server{})
}

// Cases about clicks are played by the whole program (e2e); that they can be
// read is checked here.
func TestClickCasesLoad(t *testing.T) {
	t.Parallel()
	cases, err := compattest.Load("testdata/exemplary/clicks")
	if err != nil {
		t.Fatal(err)
	}
	if len(cases) < 6 {
		t.Errorf("got %d cases, want at least those of vectors 23 to 28", len(cases))
	}
}
