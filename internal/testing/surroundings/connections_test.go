package surroundings

import (
	"fmt"
	"testing"

	"github.com/jmoiron/sqlx"

	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
)

// limited gives the program's user a site with so many connections.
func limited(t *testing.T, connections int) *site {
	t.Helper()
	s := newSite(t, testserver.MariaDB(t, testserver.Private()))
	s.db.MustExec(fmt.Sprintf("ALTER USER %s WITH MAX_USER_CONNECTIONS %d", user, connections))
	return s
}

// With few connections a worker waits for itself, and tracks everything.
func TestRowsWithFewConnections(t *testing.T) {
	for _, connections := range []int{2, 3} {
		t.Run(fmt.Sprint(connections), func(t *testing.T) {
			s := limited(t, connections)
			s.tracksAll(t)
			s.run(t, "test").wants(t, 0,
				fmt.Sprintf("%d at once (max_user_connections), a worker of process uses up to 5; it waits", connections))
		})
	}
}

// Others of the same account have all connections but one, until the worker has said that it waits.
func TestWorkerWaitsForAConnection(t *testing.T) {
	s := limited(t, 4)
	s.push(t, corpus(t)...)
	s.run(t, "test").wants(t, 0)
	others := s.others(t, 3)
	p := s.start(t, "process", "--force-num-requests-process-at-once", "1")
	p.until(t, "database has no connection left, trying again")
	for _, other := range others {
		_ = other.Close()
	}
	_ = p.Wait()
	p.result().wants(t, 0, "has exceeded the 'max_user_connections' resource")
	s.equal(t, undisturbed(t))
}

// others are connections of the program's account.
func (s *site) others(t *testing.T, n int) (all []*sqlx.DB) {
	t.Helper()
	c := s.maria.Config(s.name)
	c.User, c.Passwd, c.Net, c.Addr = user, password, "tcp", s.maria.Addr
	for range n {
		db, err := sqlx.Connect("mysql", c.FormatDSN())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		all = append(all, db)
	}
	return all
}

func TestNoConnectionAtAll(t *testing.T) {
	s := limited(t, 1)
	s.run(t, "test").wants(t, 1, "it needs 2", "raise max_user_connections")
	s.others(t, 1)
	s.run(t, "process").wants(t, 1, "has exceeded the 'max_user_connections' resource",
		"a worker of process has up to 5 connections")
}
