package faults

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/tables"
	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// openNode opens a database on a node, as the program does.
func openNode(t *testing.T, n *testserver.GaleraNode, name string) *sqlx.DB {
	t.Helper()
	db, err := matomo.Database{Socket: n.Socket, Username: "root", Name: name, Charset: "utf8mb4"}.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// A node that has not yet got what another one has committed shows what was. The program's connections wait instead:
// the first one, which has to find out that there is a cluster, and those after it.
func readBehind(t *testing.T, c *testserver.GaleraCluster) {
	name := c.Nodes[0].CreateDatabase(t)
	up := openNode(t, c.Nodes[0], name)
	up.MustExec("CREATE TABLE t (n INT PRIMARY KEY)")
	up.MustExec("INSERT INTO t VALUES (1)")
	asked := openNode(t, c.Nodes[1], name)
	for range 2 { // connections
		conn, err := asked.Connx(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		hurried := sqlx.MustConnect("mysql", c.Nodes[1].DSN(name))
		defer hurried.Close()
		count := func(q sqlx.QueryerContext) (n int) {
			if err := sqlx.GetContext(t.Context(), q, &n, "SELECT COUNT(*) FROM t"); err != nil {
				t.Error(err)
			}
			return n
		}
		before := count(conn)
		stop, err := hurried.Connx(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer stop.Close() // with it the lock goes
		if _, err := stop.ExecContext(t.Context(), "FLUSH TABLES WITH READ LOCK"); err != nil {
			t.Fatal(err)
		}
		up.MustExec("INSERT INTO t SELECT MAX(n) + 1 FROM t")
		if got := count(hurried); got != before {
			t.Errorf("the node is not behind: it has %d rows, want %d", got, before)
		}
		answer := make(chan int, 1)
		go func() { answer <- count(conn) }()
		select {
		case got := <-answer:
			t.Fatalf("%d rows, from a node that is behind", got)
		case <-time.After(100 * time.Millisecond): // what would be wrong comes at once
		}
		if _, err := stop.ExecContext(t.Context(), "UNLOCK TABLES"); err != nil {
			t.Fatal(err)
		}
		if got := <-answer; got != before+1 {
			t.Errorf("%d rows, want %d", got, before+1)
		}
	}
}

// A proxy goes on with each connection on another node, whenever no transaction is under way.
func changeNodes(t *testing.T, c *testserver.GaleraCluster) {
	const requests = 800
	redis, number := testserver.RedisDatabase(t)
	s := newSiteOn(t, &c.Nodes[0].MariaDBServer, redis, number)
	s.push(t, corpus(t, requests))
	pushed := s.waiting(t)
	var nodes []string
	for _, n := range c.Nodes {
		nodes = append(nodes, n.Addr)
	}
	forgetful := s.through(t, &multiplexer{always: true, forgets: true}, nodes...)
	status := forgetful.wait()
	if status != exitFailed || !strings.Contains(forgetful.stderr.String(), "wsrep_sync_wait") || s.waiting(t) != pushed {
		t.Errorf("the session is forgotten: exit status %d, %d of %d entries left:\n%s", status, s.waiting(t), pushed,
			forgetful.stderr.String())
	}
	m := &multiplexer{always: true}
	s.through(t, m, nodes...).done()
	made.add("connections that went on on another Galera node", int(m.switched.Load()))
	if n := s.waiting(t); n != 0 || m.switched.Load() < 20 {
		t.Errorf("%d entries are left, %d connections were changed", n, m.switched.Load())
	}
	equal(t, s.read(t), undisturbed(t, requests))
}

// Another node changes the row of the checkpoint all the time, so that this one takes transactions back, at any of
// their statements. None is committed by halves.
func wholeOrNothing(t *testing.T, c *testserver.GaleraCluster) {
	const transactions, statements = 600, 20
	name := c.Nodes[0].CreateDatabase(t)
	ours, theirs := openNode(t, c.Nodes[0], name), openNode(t, c.Nodes[1], name)
	if err := tables.Create(t.Context(), ours, "matomo_"); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), ours, store.Options{Prefix: "matomo_"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	list := queue.Key(0)
	checkpoint, err := store.CheckpointOption(list)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.CreateCheckpoint(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	var over atomic.Bool
	var rival sync.WaitGroup
	rival.Go(func() {
		for !over.Load() {
			_, _ = theirs.Exec("UPDATE matomo_option SET autoload = 1 - autoload WHERE option_name = ?", checkpoint)
			time.Sleep(2 * time.Millisecond)
		}
	})
	write := func(n int) error {
		tx, err := s.Begin(t.Context())
		if err != nil {
			return err
		}
		defer tx.Rollback() // after a commit it does nothing
		cp, err := tx.Checkpoint(t.Context(), list)
		if err != nil {
			return err
		}
		if err := tx.SaveCheckpoint(t.Context(), list, store.Checkpoint{Offset: cp.Offset + 1, Digest: "abcd"}); err != nil {
			return err
		}
		for i := range statements {
			if err := tx.CreateOptions(t.Context(), []string{fmt.Sprintf("row.%d.%d", n, i)}, strconv.Itoa(n)); err != nil {
				return err
			}
		}
		return tx.Commit(t.Context())
	}
	committed, takenBack := 0, 0
	for n := range transactions {
		switch err := write(n); {
		case err == nil:
			committed++
		case store.IsRetryable(err):
			takenBack++
		default:
			t.Fatal(err)
		}
	}
	over.Store(true)
	rival.Wait()
	var rows, whole, offset int
	err = ours.QueryRow("SELECT COALESCE(SUM(n), 0), COALESCE(SUM(n = ?), 0) FROM (SELECT COUNT(*) AS n "+
		"FROM matomo_option WHERE option_name LIKE 'row.%' GROUP BY option_value) AS t", statements).Scan(&rows, &whole)
	if err == nil {
		err = ours.Get(&offset, "SELECT 0 + option_value FROM matomo_option WHERE option_name = ?", checkpoint)
	}
	if err != nil {
		t.Fatal(err)
	}
	if rows != committed*statements || whole != committed || offset != committed || takenBack == 0 {
		t.Errorf("%d committed, %d taken back; %d rows of %d whole transactions, checkpoint %d", committed, takenBack,
			rows, whole, offset)
	}
	made.add("transactions that a Galera node took back", takenBack)
}
