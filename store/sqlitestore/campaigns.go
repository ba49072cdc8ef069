package sqlitestore

import (
	"context"
	"strings"

	"waypost/internal/fault"
	"waypost/link"
)

// SaveCampaign inserts a campaign whose ID is zero, and sets it, or replaces
// the one with its ID; NotFound when there is none, Conflict when the app group
// has another live campaign of that name.
func (s *Store) SaveCampaign(ctx context.Context, campaign *link.Campaign) error {
	var id link.CampaignID
	err := s.write(ctx, "save campaign", 1, func(c *conn) (err error) {
		id, err = saveCampaign(c, campaign)
		return err
	})
	if err == nil {
		campaign.ID = id
	}
	return err
}

func saveCampaign(c *conn, campaign *link.Campaign) (link.CampaignID, error) {
	if campaign.ID != 0 {
		found, err := c.first("SELECT 1 FROM campaigns WHERE id = ?", func(row) {}, int64(campaign.ID))
		if err != nil {
			return 0, err
		}
		if !found {
			return 0, fault.New(fault.NotFound, "there is no such campaign")
		}
	}
	if !campaign.Deleted {
		other, err := liveCampaign(c, campaign)
		if err != nil {
			return 0, err
		}
		if other != 0 && other != campaign.ID {
			return 0, nameTaken("the app group has a campaign of this name")
		}
	}
	args := []any{int64(campaign.Account), int64(campaign.AppGroup), campaign.Name, fold(campaign.Name), campaign.Deleted,
		campaign.CreatedAt.UnixMilli(), campaign.UpdatedAt.UnixMilli()}
	if campaign.ID != 0 {
		_, err := c.run(`UPDATE campaigns SET account = ?, app_group = ?, name = ?, name_key = ?, deleted = ?, created_at = ?, updated_at = ?
			WHERE id = ?`, append(args, int64(campaign.ID))...)
		return campaign.ID, err
	}
	_, err := c.run(`INSERT INTO campaigns (account, app_group, name, name_key, deleted, created_at, updated_at)
		VALUES (?, ?, ?, ?, ?, ?, ?)`, args...)
	return link.CampaignID(c.db.LastInsertRowID()), err
}

// liveCampaign returns the app group's live campaign of a name, or zero.
func liveCampaign(c *conn, campaign *link.Campaign) (link.CampaignID, error) {
	id, err := c.integer("SELECT id FROM campaigns WHERE app_group = ? AND name_key = ? AND deleted = 0",
		int64(campaign.AppGroup), fold(campaign.Name))
	return link.CampaignID(id), err
}

// settleCampaign returns the campaign of a link: the one that it refers to, or
// the live one of the name that it gives, made if need be.
func settleCampaign(c *conn, l *link.Link, now int64) (link.CampaignID, error) {
	if l.Listing.Campaign != 0 || l.Listing.CampaignName == "" {
		return l.Listing.Campaign, nil
	}
	campaign := link.Campaign{
		Account: l.Account, AppGroup: l.Listing.AppGroup, Name: l.Listing.CampaignName, CreatedAt: instant(now), UpdatedAt: instant(now),
	}
	id, err := liveCampaign(c, &campaign)
	if err != nil || id != 0 {
		return id, err
	}
	return saveCampaign(c, &campaign)
}

// FindCampaigns returns the campaigns that the filter picks, newest first.
func (s *Store) FindCampaigns(ctx context.Context, f link.CampaignFilter) (list []link.Campaign, err error) {
	where, args := []string{"true"}, []any{}
	if f.AppGroup != 0 {
		where, args = append(where, "app_group = ?"), append(args, int64(f.AppGroup))
	}
	if len(f.IDs) > 0 {
		where = append(where, "id IN ("+numbers(f.IDs)+")")
	}
	if f.Name != "" {
		where, args = append(where, "name_key = ?"), append(args, fold(f.Name))
	}
	if f.Deleted != nil {
		where, args = append(where, "deleted = ?"), append(args, *f.Deleted)
	}
	err = s.read(ctx, "find campaigns", func(c *conn) error {
		stmt, _, err := c.db.Prepare("SELECT id, account, app_group, name, deleted, created_at, updated_at FROM campaigns WHERE " +
			strings.Join(where, " AND ") + " ORDER BY created_at DESC, id DESC")
		if err != nil {
			return err
		}
		defer stmt.Close()
		return scan(stmt, func(r row) error {
			list = append(list, link.Campaign{
				ID: link.CampaignID(r.int(0)), Account: link.AccountID(r.int(1)), AppGroup: link.AppGroupID(r.int(2)), Name: r.text(3),
				Deleted: r.int(4) != 0, CreatedAt: instant(r.int(5)), UpdatedAt: instant(r.int(6)),
			})
			return nil
		}, args)
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}
