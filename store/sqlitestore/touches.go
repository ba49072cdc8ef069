package sqlitestore

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"time"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/internal/uid"
)

// Touches are filed in buckets of time. Their numbers grow within a bucket, so
// that new ones are appended, and a bucket's keys are few enough to stay in
// memory while they are written, in random order, during its four days.
const (
	bucketMillis = 4 * 24 * 60 * 60 * 1000
	bucketShift  = 40
)

func bucketOf(unixMilli int64) int64 { return max(unixMilli, 0) / bucketMillis }

// hashKey is the number under which a key stands. The id of a click is one
// already, whatever the app.
func hashKey(k attribution.Key) int64 {
	if k.Kind == attribution.ClickKey {
		if id, ok := uid.ParseClick(k.Value); ok {
			return int64(id)
		}
	}
	sum := sha256.Sum256([]byte(k.String()))
	return int64(binary.BigEndian.Uint64(sum[:8]))
}

// encodedTouch is a touch as it is written.
type encodedTouch struct {
	at   int64
	keys []int64
	body string
}

func encodeTouch(t *history.Touch) (e encodedTouch, err error) {
	e.at = t.At.UnixMilli()
	e.keys = append(e.keys, int64(t.ID))
	for _, k := range t.Keys() {
		if h := hashKey(k); !slices.Contains(e.keys, h) {
			e.keys = append(e.keys, h)
		}
	}
	e.body, err = encode(rowOfTouch(t))
	return e, err
}

// touchKey is a row of touch_keys.
type touchKey struct{ bucket, key, at, touch int64 }

func fileTouches(c *conn, touches []encodedTouch) error {
	next := map[int64]int64{} // number of the next touch, by bucket
	keys := make([]touchKey, 0, 3*len(touches))
	for i := range touches {
		breathe(i)
		t := &touches[i]
		bucket := bucketOf(t.at)
		n, known := next[bucket]
		if !known {
			last, err := c.integer("SELECT max(n) FROM touches WHERE n >= ? AND n < ?", bucket<<bucketShift, (bucket+1)<<bucketShift)
			if err != nil {
				return err
			}
			n = max(last+1, bucket<<bucketShift+1)
		}
		if _, err := c.run("INSERT INTO touches (n, body) VALUES (?, ?)", n, t.body); err != nil {
			return err
		}
		for _, k := range t.keys {
			keys = append(keys, touchKey{bucket, k, t.at, n})
		}
		next[bucket] = n + 1
	}
	slices.SortFunc(keys, func(a, b touchKey) int {
		return cmp.Or(cmp.Compare(a.bucket, b.bucket), cmp.Compare(a.key, b.key), cmp.Compare(a.at, b.at), cmp.Compare(a.touch, b.touch))
	})
	for i, k := range keys {
		breathe(i)
		if _, err := c.run("INSERT INTO touch_keys (bucket, key, at, touch) VALUES (?, ?, ?, ?)", k.bucket, k.key, k.at, k.touch); err != nil {
			return err
		}
	}
	return nil
}

// FindTouches returns for each lookup the touches under its key within its
// span, the newest first, of equal age the one that came later into the ledger,
// and of those the first attribution.MaxPerKey.
func (s *Store) FindTouches(ctx context.Context, asked []attribution.Lookup) (found [][]history.Touch, err error) {
	if len(asked) == 0 {
		return nil, nil
	}
	err = s.readAtOnce(ctx, "find touches", func(c *conn) error {
		found = make([][]history.Touch, len(asked))
		read := map[int64]history.Touch{} // several keys may lead to one touch
		for i, l := range asked {
			numbers, err := findNumbers(c, &l)
			if err != nil {
				return err
			}
			for _, n := range numbers {
				t, known := read[n]
				if !known {
					if t, err = readTouch(c, n); err != nil {
						return err
					}
					read[n] = t
				}
				found[i] = append(found[i], t)
			}
		}
		return nil
	})
	return found, err
}

// findNumbers goes from the newest bucket back.
func findNumbers(c *conn, l *attribution.Lookup) (numbers []int64, err error) {
	since, until, key := l.Since.UnixMilli(), l.Until.UnixMilli(), hashKey(l.Key)
	for bucket := bucketOf(until); bucket >= bucketOf(since) && len(numbers) < attribution.MaxPerKey; bucket-- {
		err := c.each("SELECT touch FROM touch_keys WHERE bucket = ? AND key = ? AND at >= ? AND at <= ? ORDER BY at DESC, touch DESC LIMIT ?", func(r row) error {
			numbers = append(numbers, r.int(0))
			return nil
		}, bucket, key, since, until, int64(attribution.MaxPerKey-len(numbers)))
		if err != nil {
			return nil, err
		}
	}
	return numbers, nil
}

func readTouch(c *conn, n int64) (t history.Touch, err error) {
	err = c.each("SELECT body FROM touches WHERE n = ?", func(r row) error {
		t, err = decodeTouch(r)
		return err
	}, n)
	if err != nil {
		return t, err
	}
	used, err := c.text("SELECT conversion FROM earned_touches WHERE id = ?", int64(t.ID))
	t.UsedBy = attribution.ConversionID(used)
	return t, err
}

func decodeTouch(r row) (history.Touch, error) {
	body, err := decode[touchRow](r, 0, "a touch")
	return body.touch(), err
}

// ReadTouch returns the touch of a click that was at an instant; not ok when
// there is none or it is forgotten. Touches that have earned something never are.
func (s *Store) ReadTouch(ctx context.Context, id uid.Click, at time.Time) (t history.Touch, ok bool, err error) {
	err = s.readAtOnce(ctx, "read a touch", func(c *conn) error {
		t, ok = history.Touch{}, false
		err := c.each("SELECT body, conversion FROM earned_touches WHERE id = ?", func(r row) error {
			t, err = decodeTouch(r)
			ok, t.UsedBy = true, attribution.ConversionID(r.text(1))
			return err
		}, int64(id))
		if err != nil || ok {
			return err
		}
		n, err := c.integer("SELECT touch FROM touch_keys WHERE bucket = ? AND key = ? AND at = ? ORDER BY touch LIMIT 1", bucketOf(at.UnixMilli()), int64(id), at.UnixMilli())
		if err != nil || n == 0 {
			return err
		}
		ok = true
		t, err = readTouch(c, n)
		return err
	})
	return t, ok, err
}
