package e2e_test

import (
	"strings"
	"testing"

	"waypost/compat/compattest"
)

// decidedBefore are cases that need installations of a day in the past. They
// are played beside the dialect; TestAppsFlyerDeepLink asks the same of
// installations that the program has decided itself.
var decidedBefore = map[string]bool{"07-deep-link-found": true, "08-conversion": true}

// TestReportConformance plays the cases about what apps and servers tell. Those
// of Singular stand among its others.
func TestReportConformance(t *testing.T) {
	t.Parallel()
	played := 0
	for _, dir := range []string{"onelink/testdata/exemplary/reports", "smartlinks/testdata/exemplary/reports", "smartlinks/testdata/supplemental/reports"} {
		dialect, _, _ := strings.Cut(dir, "/")
		server := program{testdata: "../compat/" + dialect + "/testdata"}
		cases, err := compattest.Load("../compat/" + dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range cases {
			if decidedBefore[c.Name] {
				continue
			}
			played++
			t.Run(dir+"/"+c.Name, func(t *testing.T) {
				t.Parallel()
				if err := compattest.Play(c, server.Start(t, c.Given)); err != nil {
					t.Error(err)
				}
			})
		}
	}
	if played < 12 {
		t.Errorf("only %d cases are played", played)
	}
}
