package faults

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jmoiron/sqlx"

	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/queue"
)

// Another client locks the rows that workers need, in an order that ends in deadlocks, and sits on them until waiting
// times out.
func TestDeadlocksAndLockTimeouts(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"5.1", "6.0"} {
		t.Run("Matomo "+version, func(t *testing.T) {
			t.Parallel()
			redis, number := testserver.RedisDatabase(t)
			s := newSiteOn(t, testserver.MariaDB(t, testserver.WithFlags("--innodb-lock-wait-timeout=1")), redis, number)
			if version == "6.0" {
				s.upgrade(t)
			}
			lockOut(t, s)
		})
	}
}

func lockOut(t *testing.T, s *site) {
	const requests = 6000
	lasting := time.Duration(float64(time.Minute) * min(*budget, 10))
	ctx, cancel := context.WithTimeout(context.Background(), lasting)
	defer cancel()
	var clients sync.WaitGroup
	for range 2 {
		clients.Go(func() { s.obstruct(ctx) })
	}
	pieces := parts(s.corpus(t, requests), 60)
	for i, part := range pieces {
		s.push(t, part)
		started := time.Now()
		s.start(t, func(j *job) { j.Workers = 2 }).done()
		if rest := lasting/time.Duration(len(pieces)) - time.Since(started); ctx.Err() == nil && i < len(pieces)-1 {
			time.Sleep(rest)
		}
	}
	cancel()
	clients.Wait()
	s.drain(t)
	equal(t, s.read(t), s.undisturbed(t, requests))
}

// obstruct locks checkpoints, and visits that were written last, in ever other orders.
func (s *site) obstruct(ctx context.Context) {
	for ctx.Err() == nil {
		err := s.obstructOnce(ctx)
		var refused *mysql.MySQLError
		if errors.As(err, &refused) && refused.Number == 1213 {
			made.add("deadlocks that the other client lost", 1)
		}
	}
}

func (s *site) obstructOnce(ctx context.Context) error {
	tx, err := s.db.BeginTxx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // it changes nothing
	var visits []int64
	err = sqlx.SelectContext(ctx, s.db, &visits, "SELECT idvisit FROM matomo_log_visit ORDER BY idvisit DESC LIMIT 60")
	if err != nil {
		return err
	}
	rand.Shuffle(len(visits), func(i, j int) { visits[i], visits[j] = visits[j], visits[i] })
	for i, id := range visits {
		if i == len(visits)/2 {
			option := "QueuedTracking.replayed." + queue.Key(rand.IntN(queues))
			if _, err := tx.ExecContext(ctx, "SELECT option_value FROM matomo_option WHERE option_name = ? FOR UPDATE", option); err != nil {
				return err
			}
		}
		if s.six {
			if _, err := tx.ExecContext(ctx, "UPDATE matomo_log_page_view_time SET time_spent = time_spent + 1 WHERE idvisit "+
				"= ?", id); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, "UPDATE matomo_log_visit SET visit_total_time = visit_total_time + 1 WHERE "+
			"idvisit = ?", id); err != nil {
			return err
		}
	}
	if rand.IntN(50) == 0 {
		made.add("rows locked until waiting timed out", 1)
		select {
		case <-ctx.Done():
		case <-time.After(1200 * time.Millisecond):
		}
	}
	return nil
}
