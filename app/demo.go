package app

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
)

// DemoConfig says where the demo listens and prints.
type DemoConfig struct {
	LinksAddr, APIAddr string // a free port is taken where these are in use
	Out                io.Writer
}

//go:embed demo.yaml
var demoFile []byte

// demoToken is the secret in demo.yaml.
const demoToken = "demo-token"

// Demo serves a throw-away instance until ctx ends: everything is in a
// temporary directory, which is removed at the end.
func Demo(ctx context.Context, cfg DemoConfig) (err error) {
	dir, err := os.MkdirTemp("", "waypost-demo-")
	if err != nil {
		return fmt.Errorf("cannot make a directory for the demo: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	links, apis := freeAddr(cfg.LinksAddr), freeAddr(cfg.APIAddr)
	_, port, err := net.SplitHostPort(links)
	if err != nil {
		return fmt.Errorf("--links %s: %w", links, err)
	}
	file := filepath.Join(dir, "demo.yaml")
	if err := os.WriteFile(file, bytes.ReplaceAll(demoFile, []byte("LINKS_PORT"), []byte(port)), 0o600); err != nil {
		return fmt.Errorf("cannot write the demo's file: %w", err)
	}
	ctx, end := context.WithCancel(ctx)
	defer end()
	failed := make(chan error, 1)
	err = Run(ctx, Config{
		Data: filepath.Join(dir, "data"), LinksAddr: links, APIAddr: apis, Apply: []string{file},
		Logger: slog.New(slog.NewTextHandler(cfg.Out, &slog.HandlerOptions{Level: slog.LevelWarn})),
		Listening: func(_, api string) {
			go func() {
				// Without its links a demo shows nothing.
				if err := introduce(ctx, cfg.Out, local(api)); err != nil && ctx.Err() == nil {
					failed <- err
					end()
				}
			}()
		},
	})
	select {
	case demoErr := <-failed:
		return errors.Join(err, demoErr)
	default:
		return err
	}
}

// freeAddr returns addr, or the same host with a free port when it is taken.
func freeAddr(addr string) string {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		host, _, splitErr := net.SplitHostPort(addr)
		if splitErr != nil {
			return addr
		}
		if l, err = net.Listen("tcp", net.JoinHostPort(host, "0")); err != nil {
			return addr
		}
	}
	defer l.Close()
	return l.Addr().String()
}

// local is how a person on this machine writes the address.
func local(addr string) string {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	return "localhost:" + port
}
