package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/pprof"
	"net/url"
	"os"
	"time"

	"waypost/api"
	"waypost/manage"
	"waypost/manage/manifest"
	"waypost/route"
)

// Operations are what an operator does from the command line, against a data
// directory that this process has opened or through the process that has.
type Operations interface {
	Apply(ctx context.Context, name string, file []byte) (manage.Applied, error)
	Verify(ctx context.Context, o VerifyOptions) (Verified, error)
	Explain(ctx context.Context, rawURL string) (route.LinkExplanation, error)
	ExplainInstall(ctx context.Context, ref api.InstallRef) (api.Install, error)
}

// Operate opens the data directory for a command. When a running process owns
// it, the command is carried out there, over a socket in the directory that
// only its owner can open. Call done when finished.
func Operate(ctx context.Context, cfg Config) (ops Operations, done func() error, err error) {
	cfg = cfg.withDefaults()
	if err := cfg.check(); err != nil {
		return nil, nil, err
	}
	a, err := open(ctx, cfg)
	if err == nil {
		return a, a.Close, nil
	}
	if !errors.Is(err, ErrInUse) {
		return nil, nil, err
	}
	c := newControlClient(cfg.controlPath())
	if pingErr := c.ping(ctx); pingErr != nil {
		return nil, nil, fmt.Errorf("%w (and it does not answer on %s: %v)", err, cfg.controlPath(), pingErr)
	}
	return c, func() error { return nil }, nil
}

// serveControl answers commands on the control socket until the listener closes.
func (a *App) serveControl() (*http.Server, error) {
	path := a.cfg.controlPath()
	_ = os.Remove(path) // left by a killed process; the lock says that nobody listens on it
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on the control socket: %w; the path of --data may be too long", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		l.Close()
		return nil, fmt.Errorf("cannot protect the control socket: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ping", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("POST /apply", func(w http.ResponseWriter, r *http.Request) {
		file, err := io.ReadAll(io.LimitReader(r.Body, manifest.MaxSize+1)) // one more byte is too many, as Parse says
		if err != nil {
			writeControl(w, nil, fmt.Errorf("read the file to apply: %w", err))
			return
		}
		result, err := a.Apply(r.Context(), r.URL.Query().Get("name"), file)
		writeControl(w, result, err)
	})
	mux.HandleFunc("POST /verify", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		result, err := a.Verify(r.Context(), VerifyOptions{Repair: q.Get("repair") == "true", Decisions: q.Get("decisions") == "true"})
		writeControl(w, result, err)
	})
	mux.HandleFunc("GET /explain", func(w http.ResponseWriter, r *http.Request) {
		result, err := a.Explain(r.Context(), r.URL.Query().Get("url"))
		writeControl(w, result, err)
	})
	mux.HandleFunc("GET /explain-install", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		result, err := a.ExplainInstall(r.Context(), api.InstallRef{App: q.Get("app"), Install: q.Get("install")})
		writeControl(w, result, err)
	})
	// Profiles are for whoever owns the data directory, so they are here and
	// not on a listener.
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(l) }()
	return server, nil
}

// controlReply is what the socket answers: a result, or why there is none.
type controlReply struct {
	Result json.RawMessage `json:"result,omitempty"`
	Error  string          `json:"error,omitempty"`
}

func writeControl(w http.ResponseWriter, result any, err error) {
	var reply controlReply
	if err == nil {
		reply.Result, err = json.Marshal(result)
	}
	if err != nil {
		reply = controlReply{Error: err.Error()}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(reply)
}

type controlClient struct{ http http.Client }

func newControlClient(path string) *controlClient {
	return &controlClient{http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", path)
		},
	}}}
}

func (c *controlClient) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://waypost/ping", nil)
	if err != nil {
		return err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

func (c *controlClient) call(ctx context.Context, method, pathQuery string, body []byte, result any) error {
	req, err := http.NewRequestWithContext(ctx, method, "http://waypost"+pathQuery, bytes.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("ask the running process: %w", err)
	}
	defer resp.Body.Close()
	var reply controlReply
	if err := json.NewDecoder(resp.Body).Decode(&reply); err != nil {
		return fmt.Errorf("read the running process's answer (status %d): %w", resp.StatusCode, err)
	}
	if reply.Error != "" {
		return errors.New(reply.Error)
	}
	return json.Unmarshal(reply.Result, result)
}

// Apply implements Operations.
func (c *controlClient) Apply(ctx context.Context, name string, file []byte) (result manage.Applied, err error) {
	err = c.call(ctx, http.MethodPost, "/apply?name="+url.QueryEscape(name), file, &result)
	return result, err
}

// Verify implements Operations.
func (c *controlClient) Verify(ctx context.Context, o VerifyOptions) (result Verified, err error) {
	err = c.call(ctx, http.MethodPost, fmt.Sprintf("/verify?repair=%t&decisions=%t", o.Repair, o.Decisions), nil, &result)
	return result, err
}

// Explain implements Operations.
func (c *controlClient) Explain(ctx context.Context, rawURL string) (result route.LinkExplanation, err error) {
	err = c.call(ctx, http.MethodGet, "/explain?url="+url.QueryEscape(rawURL), nil, &result)
	return result, err
}

// ExplainInstall implements Operations.
func (c *controlClient) ExplainInstall(ctx context.Context, ref api.InstallRef) (result api.Install, err error) {
	query := url.Values{"app": {ref.App}, "install": {ref.Install}}
	err = c.call(ctx, http.MethodGet, "/explain-install?"+query.Encode(), nil, &result)
	return result, err
}
