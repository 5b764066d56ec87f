package store

import (
	"cmp"
	"context"
	"slices"

	"github.com/jmoiron/sqlx"
)

// PageViewTime is a row of log_page_view_time (spec §V2.3.1).
type PageViewTime struct {
	Visit      *Visit // nil in rows that were read
	SiteID     int64
	Link       LinkID
	PageviewID NullText // idpageview
	URL, Name  ActionID
	ServerTime int64
	TimeSpent  int64 // seconds
}

// pageViewColumns lists the columns of log_page_view_time. Those that are read are what later requests ask for.
func pageViewColumns() []column[PageViewTime] {
	type c = column[PageViewTime]
	return []c{
		{name: "idsite", value: func(p *PageViewTime) any { return &p.SiteID }},
		{name: "idvisit", value: func(p *PageViewTime) any { return visitID(p.Visit) }},
		{name: "idlink_va", value: func(p *PageViewTime) any { return &p.Link }, read: true},
		{name: "idpageview", value: func(p *PageViewTime) any { return &p.PageviewID }, read: true},
		{name: "idaction_url", value: func(p *PageViewTime) any { return &p.URL }},
		{name: "idaction_name", value: func(p *PageViewTime) any { return &p.Name }},
		{name: "server_time", value: func(p *PageViewTime) any { return &p.ServerTime }, read: true},
		{name: "time_spent", value: func(p *PageViewTime) any { return &p.TimeSpent }, read: true},
	}
}

// PageViews are rows of one visit in the order of their times, equal times as they were inserted: the newest ones, or
// all of them.
type PageViews struct {
	Rows []PageViewTime
	All  bool
}

// newestPageViews is how many rows of a visit are read unless all are asked for: most requests come after all of them,
// some in the second of the last.
const newestPageViews = 3

// ConformPageViewTime brings the values of a row to what log_page_view_time would store, or returns a *DataError.
func (s *Store) ConformPageViewTime(p *PageViewTime) error {
	return conform(&s.pageViews, p, s.converter(false), false)
}

// FindPageViewTimes returns the newest rows of each visit, or all of them. Nothing is locked.
func (tx *Tx) FindPageViewTimes(ctx context.Context, visits []int64, all bool) (map[int64]PageViews, error) {
	return tx.s.findPageViewTimes(&tx.q, visits, all,
		func(row func(rows *sqlx.Rows) error) error { return tx.query(ctx, row) })
}

// FindPageViewTimes is Tx.FindPageViewTimes outside of a transaction: it sees what is committed.
func (s *Store) FindPageViewTimes(ctx context.Context, visits []int64, all bool) (map[int64]PageViews, error) {
	q := new(statement)
	return s.findPageViewTimes(q, visits, all,
		func(row func(rows *sqlx.Rows) error) error { return queryRows(ctx, s.db, q, row) })
}

func (s *Store) findPageViewTimes(q *statement, visits []int64, all bool, ask ask) (map[int64]PageViews, error) {
	type numbered struct {
		id  int64
		row PageViewTime
	}
	rows := make(map[int64][]numbered, len(visits))
	var visit, id int64
	r := newReader(&s.pageViews, &visit, &id)
	for part := range slices.Chunk(visits, maxRows) {
		q.reset()
		if all {
			q.add("SELECT p.`idvisit`, p.`idpageviewtime`")
			r.list(q, "p.")
			q.add(" FROM ", s.pageViews.sqlName, " AS p", s.hints[pageViewTime], " WHERE p.`idvisit` IN (")
			for n, id := range part {
				q.add(separator(n)).int(id)
			}
			q.add(")")
		} else {
			s.newestPageViewsOf(q, r, part)
		}
		err := ask(func(result *sqlx.Rows) error {
			var row PageViewTime
			if err := r.scan(result, &row); err != nil {
				return err
			}
			rows[visit] = append(rows[visit], numbered{id, row})
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	found := make(map[int64]PageViews, len(visits))
	for _, visit := range visits {
		list := rows[visit]
		slices.SortFunc(list, func(a, b numbered) int {
			return cmp.Or(cmp.Compare(a.row.ServerTime, b.row.ServerTime), cmp.Compare(a.id, b.id))
		})
		views := PageViews{Rows: make([]PageViewTime, len(list)), All: all || len(list) < newestPageViews}
		for i := range list {
			views.Rows[i] = list[i].row
		}
		found[visit] = views
	}
	return found, nil
}

// newestPageViewsOf asks for the newest rows of visits: a subquery for each place, run for each visit.
func (s *Store) newestPageViewsOf(q *statement, r *reader[PageViewTime], visits []int64) {
	q.add("SELECT p.`idvisit`, p.`idpageviewtime`")
	r.list(q, "p.")
	q.add(" FROM (")
	for place := range newestPageViews {
		if place > 0 {
			q.add(" UNION ALL ")
		}
		q.add("SELECT (SELECT w.`idpageviewtime` FROM ", s.pageViews.sqlName, " AS w", s.hints[pageViewTime],
			" WHERE w.`idvisit` = q.v ")
		q.add("ORDER BY w.`server_time` DESC, w.`idpageviewtime` DESC LIMIT 1 OFFSET ").int(int64(place)).add(") AS id FROM (")
		for n, visit := range visits {
			if n > 0 {
				q.add(" UNION ALL ")
			}
			q.add("SELECT ").int(visit)
			if n == 0 {
				q.add(" AS v")
			}
		}
		q.add(") AS q")
	}
	q.add(") AS f", s.dialect.join, s.pageViews.sqlName, " AS p ON p.`idpageviewtime` = f.id")
}

// PageViewsAhead reports whether there are rows of visits that are yet to come: of the tables some were emptied, or
// began to count anew.
func (tx *Tx) PageViewsAhead(ctx context.Context) (ahead bool, err error) {
	tx.begin("SELECT 1 FROM ", tx.s.pageViews.sqlName, " WHERE `idvisit` > COALESCE((SELECT MAX(`idvisit`) FROM ",
		tx.s.visits.sqlName, "), 0) LIMIT 1")
	err = tx.query(ctx, func(*sqlx.Rows) error {
		ahead = true
		return nil
	})
	return ahead, err
}

// InsertPageViewTimes adds rows in this order. Their visits and actions must have been inserted. No row may be there:
// ErrPageViewThere refuses the transaction, after there was called. With renew a row that is there gets the actions,
// as with Matomo, and keeps the rest.
func (tx *Tx) InsertPageViewTimes(ctx context.Context, rows []*PageViewTime, renew bool, there func()) error {
	how := insertion[PageViewTime]{verb: tx.s.dialect.insertIgnore, all: func() error {
		there()
		return ErrPageViewThere
	}}
	if renew {
		how = insertion[PageViewTime]{
			verb: insertInto,
			tail: tx.s.dialect.onDuplicate("`idvisit`, `idlink_va`", "`idaction_url`",
				"`idaction_name`"),
		}
	}
	return insertRows(ctx, tx, &tx.s.pageViews, how, rows)
}

// UpdatePageViewTimes writes time_spent of rows that are in the database. They are found by visit and action, so that
// no other row is locked; a row that is gone is left out.
func (tx *Tx) UpdatePageViewTimes(ctx context.Context, rows []*PageViewTime) error {
	slices.SortFunc(rows, func(a, b *PageViewTime) int {
		return cmp.Or(cmp.Compare(a.Visit.ID, b.Visit.ID), cmp.Compare(a.Link.Number(), b.Link.Number()))
	})
	t := &tx.s.pageViews
	for part := range slices.Chunk(rows, maxChanged) {
		q := tx.begin("UPDATE ", t.sqlName, tx.s.hints[pageViewKey], " SET `time_spent` = CASE `idlink_va`")
		for _, row := range part {
			q.add(" WHEN ").id(row.Link.Number()).add(" THEN ").int(row.TimeSpent)
		}
		q.add(" ELSE `time_spent` END WHERE ")
		for n, row := range part {
			if n > 0 {
				q.add(" OR ")
			}
			q.add("`idvisit` = ").id(row.Visit.ID).add(" AND `idlink_va` = ").id(row.Link.Number())
		}
		if _, err := tx.write(ctx, nil); err != nil {
			return err
		}
	}
	return nil
}

// The indexes that find rows of log_page_view_time.
const (
	pageViewKey  = "unique_idvisit_idlink_va"
	pageViewTime = "index_idvisit_server_time"
)
