package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// completed is a transaction of a convoy that writes families and moves the checkpoint by one.
func completed(t *testing.T, c *Convoy, from int64, families []family) *Tx {
	t.Helper()
	tx, err := c.Begin()
	if err != nil {
		t.Fatal(err)
	}
	err = writeFamilies(t.Context(), tx, families)
	err = errors.Join(err, tx.MoveCheckpoint(t.Context(), testList, Checkpoint{from, "d"}, Checkpoint{from + 1, "d"}))
	if err != nil {
		t.Fatal(err)
	}
	c.Complete(tx)
	return tx
}

// convoySite is a store with a checkpoint of 1.
func convoySite(t *testing.T) *Store {
	t.Helper()
	s := openStore(t, mariaDB(t))
	inTx(t, s, func(ctx context.Context, tx *Tx) error {
		_, err := tx.Checkpoint(ctx, testList)
		return errors.Join(err, tx.SaveCheckpoint(ctx, testList, Checkpoint{1, "d"}))
	})
	return s
}

// reached is the checkpoint as it is now.
func reached(t *testing.T, s *Store) (c Checkpoint) {
	t.Helper()
	inTx(t, s, func(ctx context.Context, tx *Tx) (err error) {
		c, err = tx.Checkpoint(ctx, testList)
		return err
	})
	return c
}

// Transactions change rows of those in front, which have no numbers yet, in the same message and in the next one.
func TestTransactionsOfAConvoyReferToThoseInFront(t *testing.T) {
	s := convoySite(t)
	c := s.Convoy(time.Minute)
	var all []family
	var txs []*Tx
	for i := range 4 {
		families := []family{newFamily(2 * i), newFamily(2*i + 1)}
		txs, all = append(txs, completed(t, c, int64(i+1), families)), append(all, families...)
	}
	last := all[7].visit.ID
	if !Deferred(last) || last >= all[0].visit.ID {
		t.Errorf("references %d … %d", all[0].visit.ID, last)
	}
	if err := c.Send(t.Context(), txs[:3]); err != nil {
		t.Fatal(err)
	}
	tx, err := c.Begin() // of a row that has a number by now, and of one that does not travel yet
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []family{all[0], all[7]} {
		after := *f.visit
		after.TotalTime = 77
		if err := tx.UpdateVisits(t.Context(), []VisitChange{{f.visit, &after}}); err != nil {
			t.Fatal(err)
		}
	}
	c.Complete(tx)
	for _, tx := range txs[:3] {
		tx.Settle()
	}
	if err := c.Send(t.Context(), []*Tx{txs[3], tx}); err != nil {
		t.Fatal(err)
	}
	txs[3].Settle()
	tx.Settle()
	c.Close(false)
	for _, f := range all {
		var n int
		err := s.db.Get(&n, "SELECT COUNT(*) FROM m_log_visit v JOIN m_log_link_visit_action l ON l.idvisit = v.idvisit "+
			"AND l.idlink_va = v.last_idlink_va JOIN m_log_conversion c ON c.idvisit = v.idvisit AND c.idlink_va = l.idlink_va "+
			"WHERE v.visitor_count_visits = ? AND v.idvisit = ? AND l.idlink_va = ? AND v.visit_total_actions = 2",
			f.visit.CountVisits, f.visit.ID, f.links[1].ID)
		if err != nil || n != 1 {
			t.Errorf("visit %d with action %d: found %d times, %v", f.visit.ID, f.links[1].ID, n, err)
		}
	}
	var changed []int64
	if err := s.db.Select(&changed, "SELECT idvisit FROM m_log_visit WHERE visit_total_time = 77 ORDER BY idvisit"); err != nil {
		t.Fatal(err)
	}
	if want := []int64{all[0].visit.ID, all[7].visit.ID}; fmt.Sprint(changed) != fmt.Sprint(want) {
		t.Errorf("changed %v, want %v", changed, want)
	}
	if got := reached(t, s); got.Offset != 5 {
		t.Errorf("checkpoint %+v", got)
	}
	if pool := s.db.Stats(); pool.InUse != 0 {
		t.Errorf("%+v", pool)
	}
}

// What fails keeps what is behind it from happening; what is in front of it is committed.
func TestNothingOfAConvoyIsCommittedBehindAFailure(t *testing.T) {
	for about, test := range map[string]struct {
		within time.Duration
		spoil  func(s *Store, families []family) // of the second transaction
		want   int64                             // checkpoint
	}{
		"refused value": {time.Minute, func(_ *Store, families []family) {
			families[0].links[0].PageviewID = Text(strings.Repeat("x", 300))
		}, 2},
		"too late": {-1, func(*Store, []family) {}, 1},
		"checkpoint moved": {time.Minute, func(s *Store, _ []family) {
			s.db.MustExec("UPDATE m_option SET option_value = '9 d' WHERE option_name LIKE 'QueuedTracking.replayed%'")
		}, 9},
	} {
		s := convoySite(t)
		c := s.Convoy(test.within)
		var txs []*Tx
		undone := 0
		for i := range 3 {
			families := []family{newFamily(i)}
			if i == 1 {
				test.spoil(s, families)
			}
			tx := completed(t, c, int64(i+1), families)
			tx.OnRollback(func() { undone++ })
			txs = append(txs, tx)
		}
		err := c.Send(t.Context(), txs)
		for _, tx := range txs {
			_ = tx.Rollback()
		}
		c.Close(true)
		rows := map[int64]int{1: 0, 2: 4, 9: 0}[test.want]
		if n, got := countRows(t, s), reached(t, s); err == nil || n != rows || got.Offset != test.want || undone != 3 {
			t.Errorf("%s: %v, %d rows, want %d, checkpoint %d, want %d, %d undone",
				about, err, n, rows, got.Offset, test.want, undone)
		}
	}
}

// A reference of an earlier convoy must not be taken for a row of this one.
func TestReferenceOfAnotherConvoyFails(t *testing.T) {
	s := convoySite(t)
	old, c := s.Convoy(time.Minute), s.Convoy(time.Minute)
	lost := newFamily(0)
	completed(t, old, 1, []family{lost})
	own := completed(t, c, 1, []family{newFamily(1)})
	tx, err := c.Begin()
	if err != nil {
		t.Fatal(err)
	}
	after := *lost.visit
	after.TotalTime = 77
	if err := tx.UpdateVisits(t.Context(), []VisitChange{{lost.visit, &after}}); err != nil {
		t.Fatal(err)
	}
	c.Complete(tx)
	err = c.Send(t.Context(), []*Tx{own, tx})
	c.Close(true)
	if got := reached(t, s); err == nil || got.Offset != 2 {
		t.Errorf("%v, checkpoint %+v", err, got)
	}
}

// A transaction of a convoy only writes.
func TestTransactionOfAConvoyDoesNotAsk(t *testing.T) {
	s := convoySite(t)
	c := s.Convoy(time.Minute)
	tx, err := c.Begin()
	if err != nil {
		t.Fatal(err)
	}
	_, asked := tx.FindVisits(t.Context(), []VisitQuery{{ByVisitor: true}})
	for what, err := range map[string]error{
		"FindVisits": asked, "Flush": tx.Flush(t.Context()), "Commit": tx.Commit(t.Context()),
	} {
		if !errors.Is(err, errConvoy) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// Messages are as long as the server takes them; a transaction that is longer does not travel.
func TestConvoyKeepsToTheServersMessages(t *testing.T) {
	s := convoySite(t)
	s.server.maxPacket = 20_000
	c := s.Convoy(time.Minute)
	var txs []*Tx
	for i := range 20 {
		txs = append(txs, completed(t, c, int64(i+1), []family{newFamily(i)}))
	}
	if n := c.Fits(txs); n < 2 || n > 15 {
		t.Errorf("%d fit", n)
	}
	tx, err := c.Begin()
	if err != nil {
		t.Fatal(err)
	}
	var many []family
	for i := range 100 {
		many = append(many, newFamily(i))
	}
	if err := writeFamilies(t.Context(), tx, many); !errors.Is(err, errConvoy) {
		t.Errorf("%v", err)
	}
}
