package eventlogtest_test

import (
	"context"
	"net"
	"os"
	"strconv"
	"testing"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"waypost/eventlog"
	"waypost/eventlog/eventlogtest"
	"waypost/internal/fault"
	"waypost/internal/uid"
)

func TestEmbedded(t *testing.T) {
	t.Parallel()
	for name, always := range map[string]bool{"interval": false, "always": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eventlogtest.Run(t, func(t *testing.T) eventlog.Config {
				return eventlog.Config{Dir: t.TempDir(), SyncAlways: always}
			})
		})
	}
}

// TestExternal runs the suite against WAYPOST_TEST_NATS (nats://127.0.0.1:4222),
// or against a server of its own.
func TestExternal(t *testing.T) {
	t.Parallel()
	url := os.Getenv("WAYPOST_TEST_NATS")
	if url == "" {
		url = startServer(t, natsserver.RANDOM_PORT, t.TempDir()).ClientURL()
	}
	eventlogtest.Run(t, func(t *testing.T) eventlog.Config {
		name := "TEST_" + uid.Code(8)
		t.Cleanup(func() { deleteStream(t, url, name) })
		return eventlog.Config{URL: url, Stream: name, Subject: "test." + name}
	})
}

// startServer runs a server on a loopback port for the test's time.
func startServer(t *testing.T, port int, dir string) *natsserver.Server {
	t.Helper()
	free(t, port)
	srv, err := natsserver.NewServer(&natsserver.Options{Host: "127.0.0.1", Port: port,
		NoSigs: true, NoLog: true, JetStream: true, StoreDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	srv.Start()
	t.Cleanup(func() { stop(srv) })
	if !srv.ReadyForConnections(2 * time.Minute) {
		t.Fatal("the external server does not start")
	}
	return srv
}

// free waits until nobody has the port: a connection of another test may have
// been given it for a moment.
func free(t *testing.T, port int) {
	t.Helper()
	if port == natsserver.RANDOM_PORT {
		return
	}
	for late := time.After(2 * time.Minute); ; {
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			l.Close()
			return
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-late:
			t.Fatal(err)
		}
	}
}

func stop(srv *natsserver.Server) {
	srv.Shutdown()
	srv.WaitForShutdown()
}

// TestExternalRestart proves that Append is bounded while the external server
// is away, that the ledger comes back with it, and that a reader reads on.
func TestExternalRestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	srv := startServer(t, natsserver.RANDOM_PORT, dir)
	port := srv.Addr().(*net.TCPAddr).Port
	l := eventlogtest.OpenWith(t, eventlog.Config{URL: srv.ClientURL(), MaxWait: 400 * time.Millisecond})
	eventlogtest.Lines(t, l, "before")
	r, err := l.Read(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	next := func(want string) {
		t.Helper()
		b, err := r.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for line := range b.Lines() {
			if string(line) != want {
				t.Fatalf("got %s, want %s", line, want)
			}
		}
	}
	next("before")
	stop(srv)
	for range 10 {
		began := time.Now()
		if err := l.Append([]byte("away")); !fault.Is(err, fault.Unavailable) {
			t.Fatalf("got %v", err)
		}
		if took := time.Since(began); took > time.Minute {
			t.Fatalf("an Append without a server waited %v", took)
		}
	}
	startServer(t, port, dir)
	for l.Append([]byte("after")) != nil {
		select {
		case <-time.After(10 * time.Millisecond):
		case <-t.Context().Done():
			t.Fatal("the ledger stays down")
		}
	}
	next("after")
}

func deleteStream(t *testing.T, url, name string) {
	nc, err := nats.Connect(url)
	if err != nil {
		t.Error(err)
		return
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Error(err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute) // t.Context is over in a cleanup
	defer cancel()
	if err := js.DeleteStream(ctx, name); err != nil {
		t.Error(err)
	}
}
