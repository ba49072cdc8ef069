package sqlitestore

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"waypost/internal/fault"
	"waypost/link"
	"waypost/report"
)

// hold keeps the writer inside a write until release is called.
func hold(t *testing.T, s *Store) (release func()) {
	t.Helper()
	inside, leave, left := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		left <- s.write(context.Background(), "hold", 1, func(*conn) error {
			close(inside)
			<-leave
			return nil
		})
	}()
	<-inside
	return func() {
		close(leave)
		if err := <-left; err != nil {
			t.Error(err)
		}
	}
}

// queued waits until n writes stand in a queue.
func queued(queue chan *write, n int) {
	for len(queue) < n {
		runtime.Gosched()
	}
}

func TestWithdraw(t *testing.T) {
	t.Parallel()
	s := open(t)
	defer s.Close()
	release := hold(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error)
	go func() {
		result <- s.write(ctx, "withdrawn", 1, func(*conn) error {
			t.Error("a withdrawn write has run")
			return nil
		})
	}()
	queued(s.writer.small, 1)
	cancel()
	if err := <-result; !errors.Is(err, context.Canceled) { // while the writer is still held
		t.Errorf("got %v", err)
	}
	release()
}

// TestCloseFinishes: writes that were queued before Close are committed or told
// that the store is closed, and none hangs.
func TestCloseFinishes(t *testing.T) {
	t.Parallel()
	s := open(t)
	release := hold(t, s)
	links := benchLinks(20)
	errs := make([]error, len(links))
	var wg sync.WaitGroup
	for i, l := range links {
		wg.Go(func() { _, errs[i] = s.CreateLinks(context.Background(), []*link.Link{l}, benchNow) })
	}
	queued(s.writer.small, len(links))
	closed := make(chan error)
	go func() { closed <- s.Close() }()
	release()
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	again, err := Open(t.Context(), Config{Path: s.path})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	for i, l := range links {
		_, err := again.ReadLink(t.Context(), l.Path)
		if (errs[i] == nil) != (err == nil) {
			t.Errorf("link %d: acknowledged with %v, read with %v", i, errs[i], err)
		}
	}
}

// TestGroupFailure: a write that fails after its first change takes back its
// own changes only, also when it shares a transaction.
func TestGroupFailure(t *testing.T) {
	t.Parallel()
	s := open(t)
	defer s.Close()
	release := hold(t, s)
	wrong := errors.New("wrong")
	var wg sync.WaitGroup
	for i := range 9 {
		wg.Go(func() {
			err := s.write(context.Background(), "test", 1, func(c *conn) error {
				if _, err := c.run("INSERT INTO target_hosts (account, host) VALUES (?, 'h')", int64(i)); err != nil {
					return err
				}
				if i%3 == 0 {
					return wrong
				}
				return nil
			})
			if (i%3 == 0) != errors.Is(err, wrong) {
				t.Errorf("write %d: %v", i, err)
			}
		})
	}
	queued(s.writer.small, 9)
	release()
	wg.Wait()
	for i := range 9 {
		known, err := s.KnowsTargetHost(t.Context(), link.AccountID(i), "h")
		if err != nil || known != (i%3 != 0) {
			t.Errorf("write %d: known %t, %v", i, known, err)
		}
	}
}

// TestDiskFull: a full disk is Unavailable in the operator's words, nothing of
// the refused writes stays, and when there is room again writes work again.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	s := open(t)
	defer s.Close()
	limit := func(pages string) {
		t.Helper()
		err := s.write(t.Context(), "limit", 1, func(c *conn) error {
			_, err := c.integer("PRAGMA max_page_count = " + pages)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	limit("1") // SQLite raises it to the present size
	failed := fillUp(t, s)
	if _, err := s.CommitStep(t.Context(), report.Step{Projection: "p", To: 1}); err != nil {
		t.Errorf("a write that needs no room: %v", err)
	}
	limit("1000000")
	recovered(t, s, failed)
}

// fillUp creates links until that has failed for lack of room, alone and in
// groups, and returns links that could not be stored.
func fillUp(t *testing.T, s *Store) (failed []*link.Link) {
	t.Helper()
	for i := 0; len(failed) < 500; i++ {
		if i == 1000 {
			t.Fatal("the database never became full")
		}
		links := benchLinks(100)
		if _, err := s.CreateLinks(t.Context(), links, benchNow); err != nil {
			if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "disk that holds the database is full") || !strings.Contains(err.Error(), s.path) {
				t.Fatalf("got %v", err)
			}
			failed = append(failed, links...)
		}
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := s.CreateLinks(t.Context(), benchLinks(400), benchNow); !fault.Is(err, fault.Unavailable) {
				t.Errorf("in a group: %v", err)
			}
		})
	}
	wg.Wait()
	return failed
}

// recovered checks that nothing of the failed writes has stayed and that they work now.
func recovered(t *testing.T, s *Store, failed []*link.Link) {
	t.Helper()
	taken, err := s.CreateLinks(t.Context(), failed, benchNow)
	if err != nil {
		t.Fatal(err)
	}
	for i, l := range failed {
		if taken[i] != link.Free {
			t.Fatal("a link of a failed write has stayed")
		}
		if _, err := s.ReadLink(t.Context(), l.Path); err != nil {
			t.Fatal(err)
		}
	}
}

// TestBoundedMemory: what the store remembers of hosts and series is bounded,
// and forgetting changes no answer.
func TestBoundedMemory(t *testing.T) {
	t.Parallel()
	var hosts hostMemory
	for i := range 3 * mostHosts {
		hosts.stored(&link.Link{Account: link.AccountID(i), TargetHosts: []string{"h"}})
	}
	if n := len(hosts.known); n == 0 || n > mostHosts {
		t.Errorf("%d hosts", n)
	}
	var series seriesMemory
	for i := range 3 {
		ids := map[words]int64{}
		for j := range mostSeries / 2 {
			ids[words{country: string(rune(i*mostSeries + j))}] = 1
		}
		series.add(ids)
	}
	if n := len(series.ids); n == 0 || n > mostSeries {
		t.Errorf("%d series", n)
	}
}

// TestPlans: the queries whose tables grow use an index.
func TestPlans(t *testing.T) {
	t.Parallel()
	s := open(t)
	defer s.Close()
	id := link.LinkID(7)
	sum := func(q report.Query) string {
		text, _, err := buildSum(&q)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	for _, c := range []struct{ sql, uses string }{
		{sum(report.Query{Account: 1, From: 1, To: 2, GroupBy: report.Dimensions()}), "SEARCH counts USING PRIMARY KEY (account=? AND day>? AND day<?)"},
		{sum(report.Query{Account: 1, From: 1, Template: "A1b3"}), "SEARCH history_counts USING PRIMARY KEY (account=? AND day>?)"},
		{sum(report.Query{Account: 1, From: 1, Metric: report.Clicks}), "SEARCH counts USING PRIMARY KEY (account=? AND day>?)"},
		{sum(report.Query{Account: 1, Link: &id, From: 1, To: 2}), "SEARCH counts USING INDEX counts_link (link=? AND account=? AND day>? AND day<?)"},
		{sum(report.Query{Account: 1, Link: &id, Metric: report.Installs, From: 1, To: 2}), "SEARCH history_counts USING INDEX history_counts_link (link=? AND account=? AND day>? AND day<?)"},
		{"SELECT touch FROM touch_keys WHERE bucket = ? AND key = ? AND at >= ? AND at <= ? ORDER BY at DESC, touch DESC LIMIT ?", "PRIMARY KEY (bucket=? AND key=? AND at>? AND at<?)"},
		{"SELECT installation FROM installation_keys WHERE key = ? AND at >= ? ORDER BY at DESC, installation DESC LIMIT ?", "PRIMARY KEY (key=? AND at>?)"},
		{"SELECT conversion, attributes FROM decisions WHERE app = ? AND install = ? AND conversion = ?", "INDEX decisions_conversion (app=? AND install=? AND conversion=?)"},
		{nextHost, "INDEX deliveries_host (host>?)"},
		{dueOf, "INDEX deliveries_host (host=? AND due_at>? AND due_at<?)"},
		{"SELECT id FROM deliveries WHERE account = ? AND status = ? ORDER BY id DESC LIMIT ?", "INDEX deliveries_status (account=? AND status=?)"},
		{"SELECT n FROM touches WHERE n < ? ORDER BY n LIMIT ?", "PRIMARY KEY (rowid<?)"},
		{sum(report.Query{Account: 1, Links: []link.LinkID{7, 8}, Metric: report.Clicks, GroupBy: []report.Dimension{report.ByLink, report.ByTracker}}), "SEARCH counts USING INDEX counts_link (link=? AND account=? AND day>?)"},
		{selectByID, "SEARCH i USING INTEGER PRIMARY KEY (rowid=?)"},
		{"SELECT link FROM listings WHERE identity = ? AND archived = 0 AND identity <> '' AND link <> ?", "INDEX listings_identity (identity=?)"},
		{"SELECT id FROM campaigns WHERE app_group = ? AND name_key = ? AND deleted = 0", "INDEX campaigns_name (app_group=? AND name_key=?)"},
		{"SELECT sum(links) FROM shelves WHERE app_group = ? AND dialect = ? AND archived = 0", "INDEX shelves_group (app_group=? AND dialect=? AND archived=?)"},
		{"SELECT id, path FROM links WHERE expires_at < ? ORDER BY expires_at, id LIMIT ?", "INDEX links_expiry (expires_at<?)"},
		{"SELECT sum(calls) FROM usage WHERE account = ? AND name = ? AND day BETWEEN ? AND ?", "PRIMARY KEY (account=? AND name=? AND day>? AND day<?)"},
		{"SELECT id, coalesce(expires_at <= ?2, 0) FROM links WHERE path = ?1", "INDEX links_path (path=?)"},
	} {
		var plan []string
		err := s.read(t.Context(), "plan", func(cn *conn) error {
			return cn.each("EXPLAIN QUERY PLAN "+c.sql, func(r row) error {
				plan = append(plan, r.text(3))
				return nil
			})
		})
		plan = slices.DeleteFunc(plan, func(step string) bool { return step == "SCAN c" }) // of what a part has found
		text := strings.Join(plan, "\n")
		if err != nil || !strings.Contains(text, c.uses) || strings.Contains(text, "SCAN") {
			t.Errorf("%s\n%v\n%s\nwant %s", c.sql, err, text, c.uses)
		}
	}
}
