package storetest

import (
	"fmt"
	"testing"
	"time"

	"waypost/attribution/history"
	"waypost/link"
)

func testUnknown(tt *testing.T, s Store) {
	t := f{tt}
	one := func(account link.AccountID, kind history.UnknownKind, name string, reports int64, at time.Duration) history.Unknown {
		return history.Unknown{Account: account, Kind: kind, Name: name, Reports: reports, LastAt: now.Add(at)}
	}
	add := func(most int, more ...history.Unknown) {
		t.Helper()
		t.ok(s.AddUnknown(t.Context(), more, most))
	}
	listed := func(account link.AccountID, want string) {
		t.Helper()
		list, err := s.ListUnknown(t.Context(), account)
		t.ok(err)
		text := ""
		for _, u := range list {
			text += fmt.Sprintf("%s/%s=%d@%d ", u.Kind, u.Name, u.Reports, u.LastAt.Sub(now)/time.Second)
		}
		t.is(text, want, "unknown names of %d", account)
	}
	const app, key = history.UnknownApp, history.UnknownKey
	add(2)
	listed(1, "")
	add(2, one(1, app, "a", 1, 0), one(1, app, "b", 2, time.Second), one(1, key, "a", 3, 2*time.Second), one(2, app, "a", 9, 0))
	listed(1, "key/a=3@2 app/b=2@1 app/a=1@0 ")
	add(2, one(1, app, "a", 4, -time.Second), one(1, app, "b", 1, 3*time.Second)) // earlier ones are counted, too
	listed(1, "app/b=3@3 key/a=3@2 app/a=5@0 ")
	add(2, one(1, app, "new", 1, 4*time.Second)) // the oldest makes room, in its account and kind alone
	listed(1, "app/new=1@4 app/b=3@3 key/a=3@2 ")
	listed(2, "app/a=9@0 ")
	add(2, one(1, app, "late", 1, 0)) // older than what is kept
	listed(1, "app/new=1@4 app/b=3@3 key/a=3@2 ")
	var many []history.Unknown
	for i := range 1000 {
		many = append(many, one(1, app, fmt.Sprint("flood", i), 1, time.Minute+time.Duration(i)*time.Second))
	}
	add(2, many...)
	listed(1, "app/flood999=1@1059 app/flood998=1@1058 key/a=3@2 ")
	add(2, one(3, app, "a\x00 \u2028\"", 1, 0))
	list, err := s.ListUnknown(t.Context(), 3)
	t.ok(err)
	t.equal(list, []history.Unknown{one(3, app, "a\x00 \u2028\"", 1, 0)}, "whole")
}
