package store

import (
	"context"

	"github.com/jmoiron/sqlx"
)

// PageviewQuery asks for the page view of a visit that carried an id (pv_id).
type PageviewQuery struct {
	VisitID    int64
	PageviewID string
}

// The types of log_action that tell a page view from other actions.
const (
	typePageURL   = 1
	typePageTitle = 4
)

// FindPageviews returns for each query the idlink_va of the page view, 0 when there is none: the first of those with a
// page URL, else the first of those with a page title (spec §5.8).
func (tx *Tx) FindPageviews(ctx context.Context, queries []PageviewQuery) ([]int64, error) {
	found := make([]int64, 0, len(queries))
	for len(found) < len(queries) {
		part, err := tx.findPageviews(ctx, queries[len(found):])
		if err != nil {
			return nil, err
		}
		found = append(found, part...)
	}
	return found, nil
}

func (tx *Tx) findPageviews(ctx context.Context, queries []PageviewQuery) ([]int64, error) {
	q := tx.begin()
	// Two SELECTs for each query: half of what SQLite can join.
	queries = queries[:min(len(queries), maxRows/2)]
	count := fill(tx.s, &tx.q, queries, func(n int) {
		if n > 0 {
			q.add(" UNION ALL ")
		}
		tx.pageview(n, &queries[n], "idaction_url", typePageURL)
		q.add(" UNION ALL ")
		tx.pageview(n, &queries[n], "idaction_name", typePageTitle)
	})
	found := make([]int64, count)
	titled := make([]int64, count)
	err := tx.query(ctx, func(rows *sqlx.Rows) error {
		var n, kind int
		var id NullInt
		if err := rows.Scan(&n, &kind, &id); err != nil {
			return err
		}
		if kind == typePageURL {
			found[n] = id.V
		} else {
			titled[n] = id.V
		}
		return nil
	})
	for i, id := range found {
		if id == 0 {
			found[i] = titled[i]
		}
	}
	return found, err
}

func (tx *Tx) pageview(n int, query *PageviewQuery, column string, kind int64) {
	q := &tx.q
	q.add("SELECT ").int(int64(n)).add(", ").int(kind).add(", MIN(l.`idlink_va`) FROM ", tx.s.links.sqlName, " AS l JOIN ")
	q.add(tx.s.entries.sqlName, " AS a ON a.`idaction` = l.`", column, "` AND a.`type` = ").int(kind)
	q.add(" WHERE l.`idvisit` = ").int(query.VisitID).add(" AND l.`idpageview` = ").text(query.PageviewID)
}
