package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jmoiron/sqlx"
)

// planStep is a row of EXPLAIN.
type planStep struct{ table, access, key, extra string }

// explain asks MariaDB for the plan of the statement. NULL is "".
func explain(t testing.TB, db sqlx.QueryerContext, q *statement) (plan []planStep) {
	t.Helper()
	rows, err := db.QueryxContext(t.Context(), "EXPLAIN "+string(q.sql), q.args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		row := map[string]any{}
		if err := rows.MapScan(row); err != nil {
			t.Fatal(err)
		}
		text := func(column string) string {
			b, _ := row[column].([]byte)
			return string(b)
		}
		plan = append(plan, planStep{text("table"), text("type"), text("key"), text("Extra")})
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return plan
}

// manyVisits fills log_visit with rows that statistics can tell apart.
func manyVisits(t testing.TB, s *Store) []*Visit {
	t.Helper()
	var visits []*Visit
	for i := range 4000 {
		v := newTestVisit(1, byte(i), testTime+int64(i))
		v.Visitor[2], v.ConfigID[2] = byte(i>>8), byte(i>>8)
		visits = append(visits, v)
	}
	inTx(t, s, func(ctx context.Context, tx *Tx) error { return tx.InsertVisits(ctx, visits) })
	s.db.MustExec("ANALYZE TABLE m_log_visit")
	return visits
}

func TestFindVisitsUsesTheIndexes(t *testing.T) {
	s := openStore(t, mariaDB(t))
	visits := manyVisits(t, s)
	wants := [lookUps][]string{
		byVisitor:                {visitorIndex},
		byConfig:                 {configIndex},
		byConfigAndUser:          {configIndex},
		byVisitorOrConfig:        {visitorIndex, configIndex},
		byVisitorOrConfigAndUser: {visitorIndex, configIndex},
	}
	var all []widened
	check := func(about string, queries []widened, want []string) {
		t.Helper()
		q := new(statement)
		var plan []planStep
		f := &finding{s: s, q: q, ask: func(func(*sqlx.Rows) error) error {
			plan = explain(t, s.db, q)
			return nil
		}}
		if _, err := f.find(queries); err != nil {
			t.Fatal(err)
		}
		var keys []string
		for _, step := range plan {
			switch {
			case step.table == "w":
				keys = append(keys, step.key)
				fallthrough
			case step.table == "v":
				if step.access == "ALL" || step.access == "index" || strings.Contains(step.extra, "filesort") || step.table == "v" && (step.access != "eq_ref" || step.key != "PRIMARY") {
					t.Errorf("%s: %+v, want an index, v by its primary key, no sorting", about, step)
				}
			}
		}
		slices.Sort(keys)
		want = slices.Sorted(slices.Values(want))
		if !slices.Equal(keys, want) {
			t.Errorf("%s: indexes %v, want %v\n%+v", about, keys, want, plan)
		}
	}
	var indexes []string
	for kind := range lookUps {
		var queries []widened
		for i := range 100 {
			v := visits[7*i]
			queries = append(queries, widened{VisitQuery: VisitQuery{
				SiteID: 1, Visitor: v.Visitor, ConfigID: v.ConfigID, From: testTime, To: testTime + 4000,
				ByVisitor: kind != byConfig && kind != byConfigAndUser, ByConfig: kind != byVisitor,
				UserID: NullText{V: "u", Valid: kind == byConfigAndUser || kind == byVisitorOrConfigAndUser},
			}})
		}
		if queries[0].lookUp() != kind {
			t.Fatalf("kind %d is taken for %d", kind, queries[0].lookUp())
		}
		check(fmt.Sprintf("kind %d", kind), queries, wants[kind])
		all, indexes = append(all, queries...), append(indexes, wants[kind]...)
	}
	check("all kinds", all, indexes)
}

func TestUpdateVisitsUsesThePrimaryKey(t *testing.T) {
	s := openStore(t, mariaDB(t))
	visits := manyVisits(t, s)
	conn, err := s.db.Connx(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(t.Context(), "SET "+variableName(1)+" = LAST_INSERT_ID()"); err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{1, 2, maxChanged} {
		tx, err := s.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Rollback() // nothing is sent
		tx.script.reset()   // but the UPDATE
		var changes []VisitChange
		for i, v := range visits[:n] {
			after := *v
			after.TotalActions.V++
			after.TotalTime = int64(i % 2)
			changes = append(changes, VisitChange{v, &after})
		}
		for i := range changes[:len(changes)/2] {
			changes[i].After.ID = reference(1, int64(i)) // a visit that the script inserts
		}
		if err := tx.UpdateVisits(t.Context(), changes); err != nil {
			t.Fatal(err)
		}
		plan := explain(t, conn, &tx.script.statement)
		if len(tx.script.steps) != 1 || len(plan) != 1 || plan[0].access != "range" || plan[0].key != "PRIMARY" {
			t.Errorf("%d rows, %d statements: %+v, want one, a range of PRIMARY", n, len(tx.script.steps), plan)
		}
	}
}
