package faults

import (
	"context"
	"errors"
	"flag"
	"math/rand/v2"
	"regexp"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jmoiron/sqlx"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/queue"
)

var galeraEvents = flag.Int("faults.galera", 3,
	"how often a node of a Galera cluster is killed, cut off, frozen or slowed down")

// galera is a site on a cluster, whose nodes leave and come back while workers track.
type galera struct {
	*site
	cluster  *testserver.GaleraCluster
	balancer *balancer
}

// Nodes are killed, some of them right after they were sent a COMMIT, cut off, frozen and slowed down. The workers'
// connections are spread over all nodes, and another client changes the rows that they change on another node, so that
// COMMIT is refused.
func TestGalera(t *testing.T) {
	cluster := testserver.Galera(t)
	t.Run("a node that is behind", func(t *testing.T) { readBehind(t, cluster) })
	t.Run("a transaction is whole", func(t *testing.T) { wholeOrNothing(t, cluster) })
	t.Run("a proxy that changes nodes", func(t *testing.T) { changeNodes(t, cluster) })
	for _, kind := range []struct {
		name       string
		inDatabase bool
		share      float64
	}{
		{"queues in Redis", false, 1},
		{"queues in the database", true, 0.25},
	} {
		t.Run(kind.name, func(t *testing.T) {
			events := int(float64(*galeraEvents) * kind.share)
			if events == 0 {
				t.Skip("with -faults.galera 4 or more")
			}
			g := &galera{cluster: cluster, balancer: newBalancer(t, cluster.Nodes)}
			if kind.inDatabase {
				g.site = newSiteWith(t, &cluster.Nodes[0].MariaDBServer, inDatabase())
				g.balanceQueue(t)
			} else {
				redis, number := testserver.RedisDatabase(t)
				g.site = newSiteOn(t, &cluster.Nodes[0].MariaDBServer, redis, number)
			}
			g.run(t, events)
		})
	}
}

// serverErrors finds the numbers of the servers' errors in a log.
var serverErrors = regexp.MustCompile(`Error (\d{4}) \(`)

func (g *galera) run(t *testing.T, events int) {
	const perEvent = 600
	requests := perEvent * (events + 1)
	pieces := parts(corpus(t, requests), 2*events+1)
	next := func() {
		g.add(t, pieces[0])
		pieces = pieces[1:]
	}
	var fleet []*child
	for range 4 {
		fleet = append(fleet, g.start(t, func(j *job) {
			j.Forever, j.Batch, j.LockTTL = true, 3, 5*time.Second
			j.DBHost, j.DBPort = g.balancer.host, g.balancer.port
		}))
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var rival sync.WaitGroup
	rival.Go(func() { g.rival(ctx) })
	kinds := []func(*testing.T, func()){g.killAtCommit, g.isolate, g.lag, g.kill, g.freeze}
	for i := range events {
		next()
		g.balancer.spread()
		g.awaitProgress(t)
		began := time.Now()
		kinds[i%len(kinds)](t, next)
		t.Logf("event %d of %d took %s, %d entries wait", i+1, events, time.Since(began).Round(time.Millisecond), g.left())
	}
	next()
	testserver.Eventually(t, "the queues are empty", func() bool { return g.left() == 0 })
	cancel()
	rival.Wait()
	counts := map[string]int{}
	for _, c := range fleet {
		c.signal(syscall.SIGTERM)
		for what, n := range c.done() {
			counts[what] += n
		}
		for _, number := range serverErrors.FindAllStringSubmatch(c.stderr.String(), -1) {
			made.add("errors "+number[1]+" of Galera nodes", 1)
		}
	}
	t.Logf("%v", counts)
	want := undisturbed(t, requests)
	for _, n := range g.cluster.Nodes {
		node := *g.site
		node.db = sqlx.MustOpen("mysql", n.DSN(g.name))
		equal(t, node.read(t), want)
		_ = node.db.Close()
	}
}

// balanceQueue lets the test reach queues in the database on any node, but not on several at once: the order of entries
// is that of their ids, which nodes give on their own.
func (g *galera) balanceQueue(t *testing.T) {
	t.Helper()
	d := matomo.Database{
		Host: g.balancer.host, Port: g.balancer.port, Username: "root", Name: g.name, Prefix: "matomo_", Charset: "utf8mb4",
	}
	db, err := d.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(1)
	if g.backend, err = queue.New(inDatabase(), queue.OpenOptions{DB: db, Database: d}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.backend.Close() })
}

// add appends entries. A rival's change, or a node that has only just come back, is no reason to fail.
func (g *galera) add(t *testing.T, entries []entry) {
	t.Helper()
	for _, e := range entries {
		testserver.Eventually(t, "an entry is added", func() bool {
			return g.backend.Append(context.Background(), queue.Key(e.queue), e.bytes) == nil
		})
	}
}

// left is the number of entries in all queues, 1 when nobody answers.
func (g *galera) left() int64 {
	lens, err := g.backend.Lens(context.Background(), queue.Keys(0, queues)...)
	if err != nil {
		return 1
	}
	return total(lens)
}

// awaitProgress waits until workers have tracked something, or have nothing to do.
func (g *galera) awaitProgress(t *testing.T) {
	t.Helper()
	before := g.left()
	testserver.Eventually(t, "workers are at work", func() bool {
		left := g.left()
		return left == 0 || left < before
	})
}

// kill ends a node while workers use it.
func (g *galera) kill(t *testing.T, next func()) {
	n := g.cluster.Nodes[rand.IntN(len(g.cluster.Nodes))]
	n.Kill(t)
	g.comeBack(t, n, next)
	made.add("Galera nodes killed", 1)
}

// killAtCommit ends a node right after a worker has sent it a COMMIT.
func (g *galera) killAtCommit(t *testing.T, next func()) {
	killed := make(chan int, 1)
	f := func(node int) {
		time.Sleep(rand.N(2 * time.Millisecond)) // before or after it has told the others
		g.cluster.Nodes[node].Kill(t)
		killed <- node
	}
	g.balancer.commit.Store(&f)
	select {
	case node := <-killed:
		g.comeBack(t, g.cluster.Nodes[node], next)
		made.add("Galera nodes killed at a COMMIT", 1)
	case <-time.After(testserver.Patience):
		t.Fatal("nobody commits")
	}
}

// comeBack starts a node that was killed, once the others have gone on without it.
func (g *galera) comeBack(t *testing.T, n *testserver.GaleraNode, next func()) {
	t.Helper()
	next()
	g.cluster.WaitUntilGone(t, n)
	g.awaitProgress(t)
	n.Start(t)
	g.cluster.WaitUntilWhole(t)
}

// isolate cuts a node off from the others. Its workers are refused for a while, then the balancer knows, too.
func (g *galera) isolate(t *testing.T, next func()) {
	i := rand.IntN(len(g.cluster.Nodes))
	n := g.cluster.Nodes[i]
	n.Isolate(t)
	testserver.Eventually(t, "the node knows that it is alone", func() bool { return !n.Ready() })
	g.balancer.take(i)
	next()
	g.cluster.WaitUntilGone(t, n)
	g.awaitProgress(t)
	n.Join(t)
	g.cluster.WaitUntilWhole(t)
	g.balancer.give(i)
	made.add("Galera nodes cut off", 1)
}

// freeze stops a node for longer than the others wait for it. It goes on with what it was doing, COMMIT among it.
func (g *galera) freeze(t *testing.T, next func()) {
	i := rand.IntN(len(g.cluster.Nodes))
	n := g.cluster.Nodes[i]
	n.Freeze(t)
	g.balancer.take(i)
	next()
	g.cluster.WaitUntilGone(t, n)
	g.awaitProgress(t)
	n.Thaw(t)
	g.cluster.WaitUntilWhole(t)
	g.balancer.give(i)
	made.add("Galera nodes frozen", 1)
}

// lag lets a node fall behind the others: it answers, and shows what was.
func (g *galera) lag(t *testing.T, next func()) {
	n := g.cluster.Nodes[rand.IntN(len(g.cluster.Nodes))]
	db := sqlx.MustOpen("mysql", n.DSN(""))
	defer db.Close()
	for range 5 {
		conn, err := db.Connx(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		testserver.Eventually(t, "the node stands still", func() bool {
			_, err := conn.ExecContext(t.Context(), "FLUSH TABLES WITH READ LOCK")
			return err == nil
		})
		time.Sleep(300 * time.Millisecond)
		if _, err := conn.ExecContext(t.Context(), "UNLOCK TABLES"); err != nil {
			t.Fatal(err)
		}
		_ = conn.Close()
		g.awaitProgress(t)
	}
	next()
	made.add("Galera nodes slowed down", 1)
}

// rival changes checkpoints and visits, and takes that back, in one transaction on some node: those of workers on other
// nodes that change the same rows meanwhile are refused at COMMIT.
func (g *galera) rival(ctx context.Context) {
	var dbs []*sqlx.DB
	for _, n := range g.cluster.Nodes {
		db := sqlx.MustOpen("mysql", n.DSN(g.name))
		defer db.Close()
		dbs = append(dbs, db)
	}
	for ctx.Err() == nil {
		err := g.rivalOnce(ctx, dbs[rand.IntN(len(dbs))])
		var refused *mysql.MySQLError
		switch {
		case err == nil:
			made.add("changes of the same rows on another node", 1)
		case errors.As(err, &refused) && refused.Number == 1213:
			made.add("changes of the same rows on another node that were refused", 1)
		}
		time.Sleep(rand.N(40 * time.Millisecond))
	}
}

func (g *galera) rivalOnce(ctx context.Context, db *sqlx.DB) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	tx, err := db.BeginTxx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // after a commit it does nothing
	var visits []int64
	err = tx.SelectContext(ctx, &visits, "SELECT idvisit FROM matomo_log_visit ORDER BY idvisit DESC LIMIT 4")
	if err != nil {
		return err
	}
	for _, by := range []int{1, -1} {
		option := "QueuedTracking.replayed." + queue.Key(rand.IntN(queues))
		_, err := tx.ExecContext(ctx, "UPDATE matomo_option SET autoload = 1 - autoload WHERE option_name = ?", option)
		if err != nil {
			return err
		}
		for _, id := range visits {
			_, err := tx.ExecContext(ctx,
				"UPDATE matomo_log_visit SET visit_total_time = visit_total_time + ? WHERE idvisit = ?", by, id)
			if err != nil {
				return err
			}
		}
	}
	return tx.Commit()
}
