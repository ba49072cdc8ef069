package postback

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"waypost/attribution/history"
	"waypost/link"
)

// Outbox makes every delivery of what happened, in the directory's order. It
// fills the telling's App and Partner.
func Outbox(d *link.Directory, t Telling) []history.Delivery {
	if t.Decided == nil && t.Click == nil && t.Platform == nil {
		return nil
	}
	postbacks := d.Postbacks(t.account())
	if len(postbacks) == 0 {
		return nil
	}
	switch {
	case t.Decided != nil:
		t.App = d.App(t.Decided.App)
	case t.Platform != nil:
		t.App = d.App(t.Platform.App)
	}
	t.Partner = d.Partner(t.account(), t.source().Partner)
	var made []history.Delivery
	for _, p := range postbacks {
		if delivery, ok := Make(p, t); ok {
			made = append(made, delivery)
		}
	}
	return made
}

// Make makes the delivery that the postback owes for what happened; it is not
// ok where it owes none. Equal input gives an equal delivery. One whose URL
// cannot be filled is made all the same, given up and with the reason, so that
// it is seen.
func Make(p *link.Postback, t Telling) (history.Delivery, bool) {
	kind := t.kindFor(p)
	if kind == "" {
		return history.Delivery{}, false
	}
	v := newView(p, &t, kind)
	d := history.Delivery{
		Key: v.key, Account: p.Account, Postback: p.Key, Kind: kind, Method: http.MethodGet,
		MadeAt: t.madeAt(), DueAt: t.madeAt(), Status: history.Waiting,
	}
	if p.Method == http.MethodPost {
		d.Method, d.Body = http.MethodPost, v.message()
	}
	url, err := v.fill(p.URL)
	if err != nil {
		d.URL, d.Status, d.Answer, d.DueAt = p.URL, history.GivenUp, err.Error(), time.Time{}
		return d, true
	}
	d.URL = url
	return d, true
}

// key names the delivery for ever: one for each conversion, postback and kind.
// An update is one for each touch that a conversion moves to.
func (t *Telling) key(p *link.Postback, kind string) string {
	h := sha256.New()
	write := func(s string) { fmt.Fprintf(h, "%d:%s,", len(s), s) }
	number := func(n int64) { write(strconv.FormatInt(n, 10)) }
	number(int64(p.Account))
	write(string(p.Key))
	write(kind)
	switch {
	case t.Decided != nil:
		number(int64(t.Decided.App))
		write(t.Decided.Install)
		write(string(t.Decided.Conversion))
	case t.Platform != nil:
		number(int64(t.Platform.App))
		write(string(t.Platform.Framework))
		write(t.Platform.Key)
	default:
		write(t.Click.ID.String())
	}
	if kind == KindUpdate {
		touch, _ := TouchToTell(&t.Decided.Decision)
		write(touch.String())
	}
	return hex.EncodeToString(h.Sum(nil)[:keyBytes])
}

// keyBytes make two equal keys as unlikely as two equal UUIDs.
const keyBytes = 16
