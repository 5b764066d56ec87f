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
// Nothing is locked. Of visits with equal times the server returns the first of the index that it is made to use: by fingerprint the one
// with the greatest idvisit (index_idsite_config_datetime, read backwards), by visitor the one with the smallest when the index's time is
// descending (Schema.VisitorIndexDescending), else the one with the greatest.
func (tx *Tx) FindVisits(ctx context.Context, queries []VisitQuery) ([]*Visit, error) {
	answers := make(map[VisitQuery]*Visit, len(queries))
	distinct := make([]VisitQuery, 0, len(queries))
	for _, query := range queries {
		if _, listed := answers[query]; !listed {
			answers[query] = nil
			distinct = append(distinct, query)
		}
	}
	byID := make(map[int64]*Visit)
	for len(distinct) > 0 {
		n := tx.s.queriesPerStatement(distinct)
		if err := tx.findVisits(ctx, distinct[:n], answers, byID); err != nil {
			return nil, err
		}
		distinct = distinct[n:]
	}
	found := make([]*Visit, len(queries))
	for i, query := range queries {
		found[i] = answers[query]
	}
	return found, nil
}

// queriesPerStatement is how many of the queries fit into one statement, at least one.
func (s *Store) queriesPerStatement(queries []VisitQuery) int {
	const bytesPerQuery = 160 // but for the user id, every byte of which may be escaped
	size := 0
	for n, query := range queries {
		size += bytesPerQuery + 2*len(query.UserID.V)
		if n == maxRows || n > 0 && size > s.server.maxStatement {
			return n
		}
	}
	return len(queries)
}

// lookUp is a kind of VisitQuery. Its parameters are n (the number of the query), s (site), k (visitor or fingerprint), a and b (the
// window), u (user id).
type lookUp uint8

const (
	byVisitor lookUp = iota
	byConfig
	byConfigAndUser
	lookUps
)

func (query *VisitQuery) lookUp() lookUp {
	switch {
	case query.ByVisitor:
		return byVisitor
	case query.UserID.Valid:
		return byConfigAndUser
	default:
		return byConfig
	}
}

// findVisits answers queries with one statement: for each kind a list of parameters with one subquery that is run for each of them. A
// subquery for each query would take the server seven times as long.
func (tx *Tx) findVisits(ctx context.Context, queries []VisitQuery, answers map[VisitQuery]*Visit, byID map[int64]*Visit) error {
	var n, id int64
	r := newReader(&tx.s.visits, &n, &id)
	q := tx.begin("SELECT f.n, v.`idvisit`")
	r.list(q, "v.")
	q.add(" FROM (")
	glue := ""
	for kind := range lookUps {
		if tx.askAll(kind, queries, glue) {
			glue = " UNION ALL "
		}
	}
	join := ") AS f STRAIGHT_JOIN "
	if tx.s.sqlite {
		join = ") AS f CROSS JOIN "
	}
	q.add(join, tx.s.visits.sqlName, " AS v ON v.`idvisit` = f.id")
	return tx.query(ctx, func(rows *sqlx.Rows) error {
		v := tx.s.newVisit()
		if err := r.scan(rows, v); err != nil {
			return err
		}
		if _, known := byID[id]; !known {
			v.ID = id
			byID[id] = v
		}
		answers[queries[n]] = byID[id]
		return nil
	})
}

// askAll adds the look-ups of one kind, and reports whether there are any.
func (tx *Tx) askAll(kind lookUp, queries []VisitQuery, glue string) (asked bool) {
	q := &tx.q
	for i := range queries {
		if queries[i].lookUp() != kind {
			continue
		}
		if asked {
			q.add(" UNION ALL ")
		} else {
			q.add(glue, "SELECT q.n, (", tx.s.finders[kind], ") AS id FROM (")
		}
		tx.lookUpParameters(i, &queries[i], !asked)
		asked = true
	}
	if asked {
		q.add(") AS q")
	}
	return asked
}

// lookUpParameters adds a row of parameters; the first one names the columns.
func (tx *Tx) lookUpParameters(n int, query *VisitQuery, first bool) {
	q := &tx.q
	as := func(name string) {
		if first {
			q.add(" AS ", name)
		}
	}
	moment := func(unix int64) {
		if q.add(", "); !tx.s.sqlite {
			q.add("TIMESTAMP")
		}
		q.moment(unix)
	}
	q.add("SELECT ").int(int64(n))
	as("n")
	q.add(", ").int(query.SiteID)
	as("s")
	key := query.ConfigID
	if query.ByVisitor {
		key = query.Visitor
	}
	q.add(", ").blob(key[:])
	as("k")
	moment(query.To)
	as("b")
	if query.ByVisitor {
		return
	}
	moment(query.From)
	as("a")
	if query.UserID.Valid {
		q.add(", ").text(query.UserID.V)
		as("u")
	}
}

// The indexes that answer look-ups: Matomo forces the first one (§3.2), the other one is the server's natural choice.
const (
	visitorIndex = "index_idsite_idvisitor_time"
	configIndex  = "index_idsite_config_datetime"
)

// finder is the subquery that finds the idvisit for the parameters of one query; user is its parameter u, comparable with user_id. Where
// an index is missing the server chooses.
func (s *Store) finder(kind lookUp, hasConfigIndex bool, user string) string {
	var q statement
	force := func(index string, exists bool) {
		if exists && !s.sqlite {
			q.add(" FORCE INDEX (", name(index), ")")
		}
	}
	q.add("SELECT w.`idvisit` FROM ", s.table("log_visit"), " AS w")
	order := " ORDER BY w.`visit_last_action_time` DESC"
	if kind == byVisitor {
		force(visitorIndex, s.schema.HasVisitorIndex)
		q.add(" WHERE w.`idsite` = q.s AND w.`idvisitor` = q.k AND w.`visit_last_action_time` <= q.b", order)
	} else {
		force(configIndex, hasConfigIndex)
		q.add(" WHERE w.`idsite` = q.s AND w.`config_id` = q.k AND w.`visit_last_action_time` <= q.b AND w.`visit_last_action_time` >= q.a")
	}
	if kind == byConfigAndUser {
		q.add(" AND (w.`user_id` IS NULL OR w.`user_id` = ", user, ")")
	}
	if kind != byVisitor {
		q.add(order)
	}
	if s.sqlite { // which has no opinion of its own about equal times
		q.add(", w.`idvisit`")
		if kind != byVisitor {
			q.add(" DESC")
		}
	}
	return string(q.add(" LIMIT 1").sql)
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
