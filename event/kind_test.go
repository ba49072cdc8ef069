package event

import "testing"

func TestKindOf(t *testing.T) {
	t.Parallel()
	f := func(line string, want Kind, told bool) {
		t.Helper()
		got := KindOf([]byte(line))
		if got != want || got.IsTold() != told {
			t.Errorf("KindOf(%s) = %q, told %v; want %q, %v", line, got, got.IsTold(), want, told)
		}
	}
	click := fullClick()
	f(string(click.AppendJSON(nil)), ClickKind, false)
	open := Told{Kind: OpenKind, ID: 1, At: 1, ReceivedAt: 1, Account: 1, App: 1, Install: "i", Key: "k"}
	line, err := open.Line()
	if err != nil {
		t.Fatal(err)
	}
	f(string(line), OpenKind, true)
	f(`{"type":"event","v":1}`, InAppKind, true)
	f(`{ "v": 1, "type": "consent" }`, ConsentKind, true)
	f(`{"v":1,"type":"\u006fpen"}`, OpenKind, true)
	f(`{"v":1,"type":"identify"}`, IdentifyKind, true)
	f(`{"v":2,"type":"open"}`, "", false)
	f(`{"v":1,"type":"future"}`, "future", false)
	f(`{"v":1`, "", false)
	f(`{}`, "", false)
}
