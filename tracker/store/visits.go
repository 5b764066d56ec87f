package store

import (
	"context"

	"github.com/jmoiron/sqlx"
)

// VisitQuery asks for the visit of a site with the newest last action: by visitor id, up to moment To; or by fingerprint, in the window
// From … To. Moments are unix seconds, both ends included (specification §3.2).
type VisitQuery struct {
	SiteID    int64
	ByVisitor bool
	Visitor   BinaryID // for ByVisitor
	ConfigID  BinaryID // otherwise
	From, To  int64    // From is for look-ups by fingerprint only
	UserID    NullText // with a value: only visits without a user id or with this one, compared as the column's collation does
}

// FindVisits returns for each query the visit that it finds, or nil; the same row is the same *Visit. Equal queries cost nothing.
//
// Nothing is locked. Of visits with equal times the server returns the first of the index that it uses: by fingerprint the one with the
// greatest idvisit (index_idsite_config_datetime, read backwards), by visitor the one with the smallest when the index's time is
// descending (Schema.VisitorIndexDescending), else the one with the greatest.
func (tx *Tx) FindVisits(ctx context.Context, queries []VisitQuery) ([]*Visit, error) {
	found := make([]*Visit, len(queries))
	position := make(map[VisitQuery]int, len(queries))
	distinct := make([]VisitQuery, 0, len(queries))
	for _, query := range queries {
		if _, listed := position[query]; !listed {
			position[query] = len(distinct)
			distinct = append(distinct, query)
		}
	}
	answers := make([]*Visit, 0, len(distinct))
	byID := make(map[int64]*Visit)
	for len(answers) < len(distinct) {
		part, err := tx.findVisits(ctx, distinct[len(answers):], byID)
		if err != nil {
			return nil, err
		}
		answers = append(answers, part...)
	}
	for i, query := range queries {
		found[i] = answers[position[query]]
	}
	return found, nil
}

// findVisits answers as many queries as fit into one statement.
func (tx *Tx) findVisits(ctx context.Context, queries []VisitQuery, byID map[int64]*Visit) ([]*Visit, error) {
	var n, id int64
	r := newReader(&tx.s.visits, &n, &id)
	q := tx.begin("SELECT f.n, v.`idvisit`")
	r.list(q, "v.")
	q.add(" FROM (")
	count := fill(tx, queries, func(n int) {
		if n > 0 {
			q.add(" UNION ALL ")
		}
		q.add("SELECT ").int(int64(n)).add(" AS n, (")
		tx.newest(&queries[n])
		q.add(") AS id")
	})
	join := " AS f STRAIGHT_JOIN "
	if tx.s.sqlite {
		join = " AS f CROSS JOIN "
	}
	q.add(")", join, tx.s.visits.sqlName, " AS v ON v.`idvisit` = f.id")

	answers := make([]*Visit, count)
	err := tx.query(ctx, func(rows *sqlx.Rows) error {
		v := tx.s.newVisit()
		if err := r.scan(rows, v); err != nil {
			return err
		}
		if known, ok := byID[id]; ok {
			v = known
		} else {
			v.ID = id
			byID[id] = v
		}
		answers[n] = v
		return nil
	})
	return answers, err
}

// newest adds the SELECT that finds the idvisit for one query.
func (tx *Tx) newest(query *VisitQuery) {
	q := &tx.q
	q.add("SELECT `idvisit` FROM ", tx.s.visits.sqlName)
	if query.ByVisitor {
		if tx.s.schema.HasVisitorIndex && !tx.s.sqlite {
			q.add(" FORCE INDEX (`", visitorIndex, "`)")
		}
		q.add(" WHERE `idsite` = ").int(query.SiteID).add(" AND `visit_last_action_time` <= ").moment(query.To)
		q.add(" AND `idvisitor` = ").blob(query.Visitor[:])
	} else {
		q.add(" WHERE `visit_last_action_time` >= ").moment(query.From).add(" AND `visit_last_action_time` <= ").moment(query.To)
		q.add(" AND `idsite` = ").int(query.SiteID).add(" AND `config_id` = ").blob(query.ConfigID[:])
	}
	if query.UserID.Valid {
		q.add(" AND (`user_id` IS NULL OR `user_id` = ").text(query.UserID.V).add(")")
	}
	q.add(" ORDER BY `visit_last_action_time` DESC")
	if tx.s.sqlite { // which has no opinion of its own about equal times
		if query.ByVisitor {
			q.add(", `idvisit`")
		} else {
			q.add(", `idvisit` DESC")
		}
	}
	q.add(" LIMIT 1")
}

// newVisit returns a visit that can take all dimensions and variables.
func (s *Store) newVisit() *Visit {
	v := new(Visit)
	if n := len(s.schema.VisitDimensions); n > 0 {
		v.CustomDimensions = make([]NullText, n)
	}
	if n := s.schema.CustomVars; n > 0 {
		v.CustomVars = make([]CustomVar, n)
	}
	return v
}
