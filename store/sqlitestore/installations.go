package sqlitestore

import (
	"context"
	"slices"
	"time"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/link"
)

const installationColumns = "app, install, deep_link, link_until, attributes"

func scanInstallation(r row) (i history.Installation, err error) {
	i.App, i.ID, i.DeepLink, i.LinkUntil = link.AppID(r.int(0)), r.text(1), r.text(2), attributeInstant(r.int(3))
	body, err := decode[installationRow](r, 4, "an installation")
	body.fill(&i)
	return i, err
}

// installationKey is a row of installation_keys, without the installation.
type installationKey struct{ key, at int64 }

// keysOf returns where an installation stands in installation_keys.
func keysOf(i *history.Installation) (keys []installationKey) {
	add := func(k installationKey) {
		if !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	for _, k := range i.Identity {
		add(installationKey{hashKey(k), i.At.UnixMilli()})
	}
	for _, k := range i.Address {
		add(installationKey{hashKey(k), i.LastActiveAt.Truncate(time.Hour).UnixMilli()})
	}
	return keys
}

// saveInstallation makes an installation or replaces what is known of it.
func saveInstallation(c *conn, i *history.Installation, body string) error {
	var id int64
	var before []installationKey
	err := c.each("SELECT "+installationColumns+", id FROM installations WHERE app = ? AND install = ?", func(r row) error {
		id = r.int(5)
		old, err := scanInstallation(r)
		before = keysOf(&old)
		return err
	}, int64(i.App), i.ID)
	if err != nil {
		return err
	}
	if id == 0 {
		_, err = c.run("INSERT INTO installations (app, install, deep_link, link_until, attributes) VALUES (?, ?, ?, ?, ?)",
			int64(i.App), i.ID, i.DeepLink, attributeMillis(i.LinkUntil), body)
		id = c.db.LastInsertRowID()
	} else {
		_, err = c.run("UPDATE installations SET deep_link = ?, link_until = ?, attributes = ? WHERE id = ?", i.DeepLink, attributeMillis(i.LinkUntil), body, id)
	}
	if err != nil {
		return err
	}
	return moveKeys(c, id, before, keysOf(i))
}

func moveKeys(c *conn, id int64, before, after []installationKey) error {
	for _, k := range before {
		if slices.Contains(after, k) {
			continue
		}
		if _, err := c.run("DELETE FROM installation_keys WHERE key = ? AND at = ? AND installation = ?", k.key, k.at, id); err != nil {
			return err
		}
	}
	for _, k := range after {
		if slices.Contains(before, k) {
			continue
		}
		if _, err := c.run("INSERT INTO installation_keys (key, at, installation) VALUES (?, ?, ?)", k.key, k.at, id); err != nil {
			return err
		}
	}
	return nil
}

// ReadInstallation returns an installation; not ok when it is not known.
func (s *Store) ReadInstallation(ctx context.Context, app link.AppID, install string) (i history.Installation, ok bool, err error) {
	err = s.read(ctx, "read an installation", func(c *conn) error {
		ok = false
		return c.each("SELECT "+installationColumns+" FROM installations WHERE app = ? AND install = ?", func(r row) error {
			ok = true
			i, err = scanInstallation(r)
			return err
		}, int64(app), install)
	})
	return i, ok, err
}

// FindInstallations returns for each key the installations under it: for a
// device's key those whose first start is not before since, for an address
// those whose last sign of life is in the hour of since or later. The newest
// come first, most at most.
func (s *Store) FindInstallations(ctx context.Context, keys []attribution.Key, since time.Time, most int) (found [][]history.Installation, err error) {
	if len(keys) == 0 {
		return nil, nil
	}
	err = s.readAtOnce(ctx, "find installations", func(c *conn) error {
		found = make([][]history.Installation, len(keys))
		read := map[int64]history.Installation{} // several keys may lead to one
		for i, k := range keys {
			ids, err := findInstallationIDs(c, k, since, most)
			if err != nil {
				return err
			}
			for _, id := range ids {
				known, ok := read[id]
				if !ok {
					if known, err = readInstallation(c, id); err != nil {
						return err
					}
					read[id] = known
				}
				found[i] = append(found[i], known)
			}
		}
		return nil
	})
	return found, err
}

func findInstallationIDs(c *conn, k attribution.Key, since time.Time, most int) (ids []int64, err error) {
	if k.Kind == attribution.AddressKey {
		since = since.Truncate(time.Hour)
	}
	err = c.each("SELECT installation FROM installation_keys WHERE key = ? AND at >= ? ORDER BY at DESC, installation DESC LIMIT ?", func(r row) error {
		ids = append(ids, r.int(0))
		return nil
	}, hashKey(k), since.UnixMilli(), int64(most))
	return ids, err
}

func readInstallation(c *conn, id int64) (i history.Installation, err error) {
	err = c.each("SELECT "+installationColumns+" FROM installations WHERE id = ?", func(r row) error {
		i, err = scanInstallation(r)
		return err
	}, id)
	return i, err
}

// TakeDeepLink hands out an installation's deferred deep link, to the first
// that asks, and again to who has the same key, unless that is empty; not ok
// when there is none, its time is over, or another has it.
func (s *Store) TakeDeepLink(ctx context.Context, app link.AppID, install, key string, now time.Time) (deepLink string, ok bool, err error) {
	err = s.write(ctx, "hand out a deep link", 1, func(c *conn) error {
		deepLink, ok = "", false
		var until int64
		_, err := c.first("SELECT deep_link, link_until FROM installations WHERE app = ? AND install = ?", func(r row) {
			deepLink, until = r.text(0), r.int(1)
		}, int64(app), install)
		if err != nil || deepLink == "" || now.UnixMilli() > until {
			deepLink = ""
			return err
		}
		changed, err := c.run("INSERT OR IGNORE INTO handed_links (app, install, key, at) VALUES (?, ?, ?, ?)", int64(app), install, key, now.UnixMilli())
		if ok = changed > 0; !ok && err == nil && key != "" {
			_, err = c.first("SELECT key FROM handed_links WHERE app = ? AND install = ?", func(r row) { ok = r.text(0) == key }, int64(app), install)
		}
		if !ok {
			deepLink = ""
		}
		return err
	})
	return deepLink, ok, err
}

// ReadHandedLink returns when an installation's deferred deep link was first
// handed out; not ok when it was not.
func (s *Store) ReadHandedLink(ctx context.Context, app link.AppID, install string) (at time.Time, ok bool, err error) {
	err = s.read(ctx, "read when a deep link was handed out", func(c *conn) error {
		at, ok = time.Time{}, false
		_, err := c.first("SELECT at FROM handed_links WHERE app = ? AND install = ?", func(r row) {
			at, ok = time.UnixMilli(r.int(0)).UTC(), true
		}, int64(app), install)
		return err
	})
	return at, ok, err
}
