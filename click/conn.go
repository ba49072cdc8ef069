package click

import (
	"net"
	"runtime"
	"time"
)

// Listen wraps the public listener for Door.Server.
func Listen(l net.Listener) net.Listener { return slackListener{l} }

type slackListener struct{ net.Listener }

func (l slackListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &slackConn{Conn: c}, nil
}

// slack is by how much a deadline may come late.
const slack = 10 * time.Second

// slackConn saves work that each request would cost. It moves its deadlines only
// when they would otherwise come too early, and then by slack more than asked:
// the server sets three for each request, and none has to be exact, because they
// are there to get rid of connections that are dead or dawdle. It is used by one
// goroutine at a time, as the server does.
type slackConn struct {
	net.Conn
	read, write time.Time // as set on Conn
	answered    bool      // since the last Read
}

// Read lets other connections go first after an answer: on a busy server the
// next request is there then, and is read at once. Without that it would be looked for in
// vain, and again when it has come.
func (c *slackConn) Read(b []byte) (int, error) {
	if c.answered {
		c.answered = false
		runtime.Gosched()
	}
	return c.Conn.Read(b)
}

func (c *slackConn) Write(b []byte) (int, error) {
	c.answered = true
	return c.Conn.Write(b)
}

func (c *slackConn) SetReadDeadline(t time.Time) error {
	if inTime(c.read, t) {
		return nil
	}
	c.read = later(t)
	return c.Conn.SetReadDeadline(c.read)
}

func (c *slackConn) SetWriteDeadline(t time.Time) error {
	if inTime(c.write, t) {
		return nil
	}
	c.write = later(t)
	return c.Conn.SetWriteDeadline(c.write)
}

func (c *slackConn) SetDeadline(t time.Time) error {
	c.read, c.write = t, t
	return c.Conn.SetDeadline(t)
}

// inTime reports whether a deadline that is set does for the one that is
// wanted: it comes no earlier, and late by slack at most.
func inTime(set, wanted time.Time) bool {
	if wanted.IsZero() || set.IsZero() {
		return set.IsZero() && wanted.IsZero()
	}
	late := set.Sub(wanted)
	return late >= 0 && late <= slack
}

func later(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.Add(slack)
}
