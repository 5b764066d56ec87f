package store

import (
	"context"

	"github.com/jmoiron/sqlx"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
)

// VisitQuery asks for the visit of a site with the newest last action: by visitor id, up to moment To; if that finds
// none, by fingerprint, in the window From … To; or by one of them only. Moments are unix seconds, both ends included
// (spec §3.2).
type VisitQuery struct {
	SiteID    int64
	ByVisitor bool
	Visitor   BinaryID // for ByVisitor
	ByConfig  bool
	ConfigID  BinaryID // for ByConfig, as are From and UserID
	From, To  int64
	// with a value: only visits without a user id or with this one, compared as the column's collation does
	UserID NullText
}

// Found is the answer to a VisitQuery.
type Found struct {
	Visit     *Visit // nil: none
	ByVisitor bool   // it was found by visitor id
}

// FindVisits returns for each query the visit that it finds; the same row is the same *Visit. Queries that are equal
// but for their moments cost little more than one.
//
// Nothing is locked. Of visits with equal times the server returns the first of the index that it is made to use: by
// fingerprint the one with the greatest idvisit (index_idsite_config_datetime, read backwards), by visitor the one with
// the smallest when the index's time is descending (Schema.VisitorIndexDescending), else the one with the greatest.
func (tx *Tx) FindVisits(ctx context.Context, queries []VisitQuery) ([]Found, error) {
	return tx.s.findVisits(&tx.q, queries, func(row func(rows *sqlx.Rows) error) error { return tx.query(ctx, row) })
}

// FindVisits is Tx.FindVisits outside of a transaction: it sees what is committed.
func (s *Store) FindVisits(ctx context.Context, queries []VisitQuery) ([]Found, error) {
	q := new(statement)
	return s.findVisits(q, queries, func(row func(rows *sqlx.Rows) error) error { return queryRows(ctx, s.db, q, row) })
}

// ask sends the statement under construction and calls row for each row of its result.
type ask func(row func(rows *sqlx.Rows) error) error

func (s *Store) findVisits(q *statement, queries []VisitQuery, ask ask) ([]Found, error) {
	f := &finding{s: s, q: q, ask: ask, answers: make(map[VisitQuery]Found, len(queries)), byID: make(map[int64]*Visit)}
	rest, err := f.run(widen(queries))
	if err == nil && len(rest) > 0 {
		_, err = f.run(rest)
	}
	if err != nil {
		return nil, err
	}
	found := make([]Found, len(queries))
	for i, query := range queries {
		found[i] = f.answers[query]
	}
	return found, nil
}

// widened is a query with the window of several that are equal but for their windows.
type widened struct {
	VisitQuery
	members []VisitQuery
}

// widen groups queries. What the widest window finds answers all of them, unless it is outside of the window of one.
func widen(queries []VisitQuery) []widened {
	groups := make([]widened, 0, len(queries))
	known := make(map[VisitQuery]int, len(queries))
	for _, query := range queries {
		key := query
		key.From, key.To = 0, 0
		i, ok := known[key]
		if !ok {
			i = len(groups)
			known[key] = i
			groups = append(groups, widened{VisitQuery: query})
		}
		g := &groups[i]
		g.From, g.To = min(g.From, query.From), max(g.To, query.To)
		g.members = append(g.members, query)
	}
	return groups
}

// holds reports whether what was found is in the query's window.
func (query *VisitQuery) holds(f Found) bool {
	return f.Visit == nil || f.Visit.LastActionTime <= query.To && (f.ByVisitor || f.Visit.LastActionTime >= query.From)
}

// finding is a run of FindVisits.
type finding struct {
	s       *Store
	q       *statement
	ask     ask
	answers map[VisitQuery]Found
	byID    map[int64]*Visit
}

// run asks the queries and returns those that the answers leave open.
func (f *finding) run(queries []widened) (open []widened, err error) {
	for len(queries) > 0 {
		n := f.s.queriesPerStatement(queries)
		found, err := f.find(queries[:n])
		if err != nil {
			return nil, err
		}
		for i := range queries[:n] {
			for _, member := range queries[i].members {
				if member.holds(found[i]) {
					f.answers[member] = found[i]
				} else if _, listed := f.answers[member]; !listed {
					f.answers[member] = Found{}
					open = append(open, widened{member, []VisitQuery{member}})
				}
			}
		}
		queries = queries[n:]
	}
	return open, nil
}

// queriesPerStatement is how many of the queries fit into one statement, at least one.
func (s *Store) queriesPerStatement(queries []widened) int {
	const bytesPerQuery = 160 // but for the user id, every byte of which may be escaped
	size := 0
	for n := range queries {
		size += bytesPerQuery + 2*len(queries[n].UserID.V)
		if n == maxRows || n > 0 && size > s.server.maxStatement {
			return n
		}
	}
	return len(queries)
}

// lookUp is a kind of VisitQuery. Its parameters are n (the number of the query), s (site), k (visitor), c
// (fingerprint), a and b (the window), u (user id).
type lookUp uint8

const (
	byVisitor lookUp = iota
	byConfig
	byConfigAndUser
	byVisitorOrConfig
	byVisitorOrConfigAndUser
	lookUps
)

func (query *VisitQuery) lookUp() lookUp {
	switch {
	case query.ByVisitor && !query.ByConfig:
		return byVisitor
	case query.ByVisitor && query.UserID.Valid:
		return byVisitorOrConfigAndUser
	case query.ByVisitor:
		return byVisitorOrConfig
	case query.UserID.Valid:
		return byConfigAndUser
	default:
		return byConfig
	}
}

// find answers queries with one statement: for each kind a list of parameters with one subquery that is run for each of
// them. A subquery for each query would take the server several times as long.
func (f *finding) find(queries []widened) ([]Found, error) {
	var n, id int64
	r := newReader(&f.s.visits, &n, &id)
	q := f.q
	q.reset()
	q.add("SELECT f.n, v.`idvisit`")
	r.list(q, "v.")
	q.add(" FROM (")
	glue := ""
	for kind := range lookUps {
		if f.s.askAll(q, kind, queries, glue) {
			glue = " UNION ALL "
		}
	}
	q.add(") AS f", f.s.dialect.join, f.s.visits.sqlName, " AS v ON v.`idvisit` = f.id")
	found := make([]Found, len(queries))
	err := f.ask(func(rows *sqlx.Rows) error {
		v := f.s.newVisit()
		if err := r.scan(rows, v); err != nil {
			return err
		}
		if known, ok := f.byID[id]; ok {
			v = known
		}
		v.ID = id
		f.byID[id] = v
		// Of a fingerprint's visits none has the visitor id: the first look-up would have found it.
		found[n] = Found{v, queries[n].ByVisitor && v.Visitor == queries[n].Visitor}
		return nil
	})
	return found, err
}

// askAll adds the look-ups of one kind, and reports whether there are any.
func (s *Store) askAll(q *statement, kind lookUp, queries []widened, glue string) (asked bool) {
	for i := range queries {
		if queries[i].lookUp() != kind {
			continue
		}
		if asked {
			q.add(" UNION ALL ")
		} else {
			q.add(glue, "SELECT q.n, ", s.finders[kind], " AS id FROM (")
		}
		s.lookUpParameters(q, i, &queries[i].VisitQuery, !asked)
		asked = true
	}
	if asked {
		q.add(") AS q")
	}
	return asked
}

// lookUpParameters adds a row of parameters; the first one names the columns.
func (s *Store) lookUpParameters(q *statement, n int, query *VisitQuery, first bool) {
	as := func(name string) {
		if first {
			q.add(" AS ", name)
		}
	}
	moment := func(unix int64) { q.add(", ", s.dialect.moment).moment(unix) }
	q.add("SELECT ").int(int64(n))
	as("n")
	q.add(", ").int(query.SiteID)
	as("s")
	moment(query.To)
	as("b")
	if query.ByVisitor {
		q.add(", ").blob(query.Visitor[:])
		as("k")
	}
	if !query.ByConfig {
		return
	}
	q.add(", ").blob(query.ConfigID[:])
	as("c")
	moment(query.From)
	as("a")
	if query.UserID.Valid {
		q.add(", ").text(query.UserID.V)
		as("u")
	}
}

// The indexes that answer look-ups: Matomo forces the first one (spec §3.2), the other one is the server's natural
// choice.
const (
	visitorIndex = "index_idsite_idvisitor_time"
	configIndex  = "index_idsite_config_datetime"
)

// prepareFinders makes the expressions that find the idvisit for the parameters of one query; user is its parameter u,
// comparable with user_id. Where an index is missing the server chooses.
func (s *Store) prepareFinders(user string) {
	visitor := s.finder(visitorIndex, "", "w.`idvisitor` = q.k", "")
	config := s.finder(configIndex, " DESC", "w.`config_id` = q.c AND w.`visit_last_action_time` >= q.a", "")
	configAndUser := s.finder(configIndex, " DESC", "w.`config_id` = q.c AND w.`visit_last_action_time` >= q.a",
		" AND (w.`user_id` IS NULL OR w.`user_id` = "+user+")")
	s.finders = [lookUps]string{
		byVisitor:                visitor,
		byConfig:                 config,
		byConfigAndUser:          configAndUser,
		byVisitorOrConfig:        "COALESCE(" + visitor + ", " + config + ")",
		byVisitorOrConfigAndUser: "COALESCE(" + visitor + ", " + configAndUser + ")",
	}
}

// finder is the subquery of one look-up. Where the index has no opinion about equal times they are in this direction.
func (s *Store) finder(index, direction, key, more string) string {
	var q statement
	q.add("(SELECT w.`idvisit` FROM ", s.table("log_visit"), " AS w", s.hints[index],
		" WHERE w.`idsite` = q.s AND ", key, " AND w.`visit_last_action_time` <= q.b", more,
		" ORDER BY w.`visit_last_action_time` DESC")
	if s.dialect.sameTime != "" {
		q.add(s.dialect.sameTime, direction)
	}
	return string(q.add(" LIMIT 1)").sql)
}

// newVisit returns a visit that can take all dimensions and variables, and a campaign.
func (s *Store) newVisit() *Visit {
	v := new(Visit)
	if s.schema.Campaign != [matomo.CampaignFields]bool{} {
		v.Campaign = make([]NullText, matomo.CampaignFields)
	}
	if n := len(s.schema.VisitDimensions); n > 0 {
		v.CustomDimensions = make([]NullText, n)
	}
	if n := s.schema.CustomVars; n > 0 {
		v.CustomVars = make([]CustomVar, n)
	}
	return v
}
