package store

import (
	"bytes"
	"context"
	"encoding/hex"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func id(n byte) BinaryID { return BinaryID{n} }

func TestVisitorIDsAreSpread(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *Store) {
		v, w, x := insertVisit(t, s, 1), insertVisit(t, s, 2), insertVisit(t, s, 3)
		var links []*LinkAction
		for _, row := range []struct {
			visit *Visit
			id    byte
		}{{v, 1}, {v, 2}, {v, 9}, {w, 1}, {w, 2}, {x, 1}} {
			l := pageview(row.visit, "", NoAction, NoAction)
			l.Visitor = id(row.id)
			links = append(links, l)
		}
		insertLinks(t, s, links...)
		for i, visit := range []*Visit{v, w, x} {
			c, item := newTestConversion(visit, 1), Item{
				Visit: visit, SiteID: 1, Visitor: id(1), OrderID: "0",
				ServerTime: testTime,
			}
			c.Visitor = id(byte(1 + i%2))
			s.ConformConversion(c)
			inTx(t, s, func(ctx context.Context, tx *Tx) error {
				if err := tx.InsertConversions(ctx, []*Conversion{c}, func(int) {}); err != nil {
					return err
				}
				return tx.ApplyItems(ctx, nil, []Item{item})
			})
		}
		v.GoalBuyer, w.GoalBuyer = Int(1), Int(2) // have items
		inTx(t, s, func(ctx context.Context, tx *Tx) error {
			return tx.SpreadVisitorIDs(ctx, []VisitorChange{{v, []BinaryID{id(1), id(2)}, id(5)}, {w, []BinaryID{id(2)}, id(1)}})
		})
		read := func(table, order string) (ids []string) {
			var rows [][]byte
			if err := s.db.Select(&rows, "SELECT idvisitor FROM m_"+table+" ORDER BY "+order); err != nil {
				t.Fatal(err)
			}
			for _, row := range rows {
				ids = append(ids, hex.EncodeToString(row[:1]))
			}
			return ids
		}
		for _, test := range []struct {
			table, order string
			want         []string
		}{
			{"log_link_visit_action", "idlink_va", []string{"05", "05", "09", "01", "01", "01"}},
			{"log_conversion", "idvisit", []string{"05", "01", "01"}},
			{"log_conversion_item", "idvisit", []string{"05", "01", "01"}},
		} {
			if diff := cmp.Diff(test.want, read(test.table, test.order)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.table, diff)
			}
		}
	})
}

// Other visits' rows are not read, and so not locked.
func TestSpreadingVisitorIDsUsesIndexes(t *testing.T) {
	s := openStore(t, mariaDB(t))
	visits := manyVisits(t, s)
	for _, n := range []int{1, 2, maxChanged} {
		tx, err := s.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Rollback() // nothing is sent
		tx.script.reset()
		var changes []VisitorChange
		for _, v := range visits[:n] {
			v.GoalBuyer = Int(1)
			changes = append(changes, VisitorChange{v, []BinaryID{v.Visitor, id(7)}, id(5)})
		}
		if err := tx.SpreadVisitorIDs(t.Context(), changes); err != nil {
			t.Fatal(err)
		}
		if len(tx.script.steps) != 3 {
			t.Errorf("%d visits: %d statements, want 3", n, len(tx.script.steps))
		}
		for i, key := range []string{linkVisit, primary, primary} {
			q := new(statement)
			q.sql = bytes.Split(tx.script.sql, []byte(";"))[i]
			if plan := explain(t, s.db, q); len(plan) != 1 || plan[0].access != "range" || plan[0].key != key {
				t.Errorf("%d visits, statement %d: %+v, want a range of %s", n, i, plan, key)
			}
		}
	}
}
