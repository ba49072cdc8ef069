package app

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"waypost/link"
)

const nothingOfPostbacks = `accounts:
  - key: acme
    name: Acme renamed
`

// TestStoredPostbackThatCannotBeCalled: what was applied before a rule does
// not stop the server, nor what is applied beside it; what it would tell is
// given up with the reason, and a file that names it is refused.
func TestStoredPostbackThatCannotBeCalled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cfg := Config{Data: filepath.Join(dir, "data")}
	const never, refused = "http://0.0.0.0:9099/hook", "0.0.0.0 is never called"
	fill(t, cfg, never)
	beside, again := filepath.Join(dir, "beside.yaml"), filepath.Join(dir, "again.yaml")
	hook := fmt.Sprintf("    postbacks: [{key: hook, on: [install], url: %q}]\n", never)
	for path, text := range map[string]string{beside: nothingOfPostbacks, again: nothingOfPostbacks + hook} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg.Apply = []string{beside}
	i := run(t, cfg)
	tell(t, i, "told", "", "")
	body := until(t, "http://"+i.api+"/waypost/v1/deliveries", "acme-read-token", 200, `"status":"given_up"`)
	if !strings.Contains(body, refused) || !strings.Contains(body, `"attempts":1`) {
		t.Errorf("it is shown as %s", body)
	}
	ops, done, err := Operate(t.Context(), Config{Data: cfg.Data, MustExist: true})
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(again)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ops.Apply(t.Context(), "again.yaml", source); err == nil || !strings.Contains(err.Error(), "again.yaml:4: accounts[0].postbacks[0].url: "+refused) {
		t.Errorf("apply: %v", err)
	}
	if err := done(); err != nil {
		t.Error(err)
	}
	if err := i.stop(); err != nil {
		t.Error(err)
	}
}

// fill makes a data directory with acme.yaml and a webhook, of which no file
// has been checked.
func fill(t *testing.T, cfg Config, hook string) {
	t.Helper()
	a, err := open(t.Context(), cfg.withDefaults())
	if err != nil {
		t.Fatal(err)
	}
	err = a.applyFile(t.Context(), "../examples/acme.yaml")
	if err == nil {
		err = a.store.SaveCatalog(t.Context(), link.Catalog{Postbacks: []link.Postback{
			{Key: "hook", Account: 5899, On: []string{"install"}, Method: "GET", URL: hook},
		}})
	}
	if err != nil {
		t.Error(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
}
