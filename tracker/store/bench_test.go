package store

import (
	"context"
	"fmt"
	"testing"
)

func BenchmarkConformVisit(b *testing.B) {
	s := openStore(b, sqliteDB(b))
	v := fullVisit()
	b.ReportAllocs()
	for b.Loop() {
		if err := s.ConformVisit(v); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkBatch writes batches: half of the visits are new, half are found again and changed, each has an action.
func BenchmarkBatch(b *testing.B) {
	for _, size := range []int{25, 500} {
		b.Run(fmt.Sprintf("mariadb/%d", size), func(b *testing.B) { benchmarkBatch(b, openStore(b, mariaDB(b)), size) })
		b.Run(fmt.Sprintf("sqlite/%d", size), func(b *testing.B) { benchmarkBatch(b, openStore(b, sqliteDB(b)), size) })
	}
}

func benchmarkBatch(b *testing.B, s *Store, size int) {
	var old []VisitQuery
	for round := 0; b.Loop(); round++ {
		var visits []*Visit
		var links []*LinkAction
		var changes []VisitChange
		for i := range size / 2 {
			v := fullVisit()
			v.Visitor = BinaryID{byte(round), byte(round >> 8), byte(round >> 16), byte(i), byte(i >> 8)}
			visits = append(visits, v)
		}
		stats := inTx(b, s, func(ctx context.Context, tx *Tx) error {
			found, err := tx.FindVisits(ctx, old)
			if err != nil {
				return err
			}
			if err := tx.InsertVisits(ctx, visits); err != nil {
				return err
			}
			for _, f := range found {
				v := f.Visit
				after := *v
				after.LastActionTime++
				after.TotalTime++
				after.TotalActions.V++
				after.TotalInteractions.V++
				changes = append(changes, VisitChange{v, &after})
			}
			for _, c := range changes {
				links = append(links, pageview(c.After, "abcdef", NoAction, NoAction))
			}
			for _, v := range visits {
				links = append(links, pageview(v, "abcdef", NoAction, NoAction))
			}
			if err := tx.InsertLinkActions(ctx, links); err != nil {
				return err
			}
			return tx.UpdateVisits(ctx, changes)
		})
		old = old[:0]
		for _, v := range visits {
			old = append(old, byVisitorQuery(v))
		}
		b.ReportMetric(float64(stats.Statements), "statements/batch")
	}
	b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "requests/s")
}
