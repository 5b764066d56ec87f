package selftest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/jmoiron/sqlx"
	_ "modernc.org/sqlite"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/queue"
)

func newBackend(t *testing.T) (*miniredis.Miniredis, queue.Backend) {
	t.Helper()
	server := miniredis.RunT(t)
	addr := server.Server().Addr()
	backend, err := queue.NewRedis(queue.RedisOptions{Host: addr.IP.String(), Port: addr.Port})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = backend.Close() })
	return server, backend
}

// status finds the outcome of a check.
func (r *Report) status(name string) Status {
	for _, c := range r.Checks {
		if c.Name == name {
			return c.Status
		}
	}
	return ""
}

func TestHealthyBackendPassesAndKeepsNothing(t *testing.T) {
	server, backend := newBackend(t)
	var r Report
	r.Group("Queue")
	if !r.Queue(context.Background(), backend, QueueOptions{Prefix: "p", SkipEviction: true}) || !r.Works() {
		t.Errorf("%+v", r.Checks)
	}
	if keys := server.Keys(); len(keys) != 0 {
		t.Errorf("keys left: %v", keys)
	}
	if r.Checks[0].Group != "Queue" {
		t.Errorf("group %q", r.Checks[0].Group)
	}
}

func TestWhatCannotBeDeletedIsTold(t *testing.T) {
	_, backend := newBackend(t)
	var r Report
	r.Queue(context.Background(), &faulty{backend, "delete denied"}, QueueOptions{Prefix: "p", SkipEviction: true})
	if !r.Works() || r.status("delete what was tried with") != Notice {
		t.Errorf("%+v", r.Checks)
	}
}

// faulty is a backend one of whose primitives does not do what it should.
type faulty struct {
	queue.Backend
	fault string
}

func (f *faulty) has(fault string) bool { return f.fault == fault }

func (f *faulty) SetIfNotExists(ctx context.Context, key, value string, ttl time.Duration) (bool, error) {
	switch {
	case f.has("set denied"):
		return false, errors.New("NOPERM")
	case f.has("set twice"):
		return true, nil
	case f.has("set never"):
		return false, nil
	case f.has("no expiry"):
		ttl = time.Hour
	}
	return f.Backend.SetIfNotExists(ctx, key, value, ttl)
}

func (f *faulty) Delete(ctx context.Context, key string) (bool, error) {
	if f.has("delete denied") {
		return false, errors.New("NOPERM")
	}
	return f.Backend.Delete(ctx, key)
}

func (f *faulty) ExpireIfValue(ctx context.Context, key, value string, ttl time.Duration) (bool, error) {
	switch {
	case f.has("expire never"):
		return false, nil
	case f.has("expire always"):
		return true, nil
	}
	return f.Backend.ExpireIfValue(ctx, key, value, ttl)
}

func (f *faulty) DeleteIfValue(ctx context.Context, key, value string) (bool, error) {
	switch {
	case f.has("delete never"):
		return false, nil
	case f.has("delete always"):
		return true, nil
	}
	return f.Backend.DeleteIfValue(ctx, key, value)
}

func (f *faulty) Get(ctx context.Context, key string) (string, bool, error) {
	if f.has("get other") {
		return "other", true, nil
	}
	return f.Backend.Get(ctx, key)
}

func (f *faulty) Append(ctx context.Context, list string, elements ...[]byte) error {
	switch {
	case f.has("append denied"), f.has("dead letter denied") && list == queue.FailedKey("p:list"):
		return errors.New("NOPERM")
	case f.has("append less"):
		elements = elements[1:]
	}
	return f.Backend.Append(ctx, list, elements...)
}

func (f *faulty) AddTally(ctx context.Context, key, total string, ttl time.Duration, tally queue.Tally) error {
	if f.has("statistics denied") {
		return errors.New("NOPERM")
	}
	return f.Backend.AddTally(ctx, key, total, ttl, tally)
}

func (f *faulty) Tally(ctx context.Context, key string) (map[string]string, error) {
	if f.has("statistics lost") {
		return nil, nil
	}
	return f.Backend.Tally(ctx, key)
}

func (f *faulty) Head(ctx context.Context, list string, n int) (queue.Batch, error) {
	if f.has("no scripts") {
		return queue.Batch{}, errors.New("ERR unknown command 'EVALSHA'")
	}
	return f.Backend.Head(ctx, list, n)
}

func (f *faulty) RemoveFirst(ctx context.Context, list string, batch queue.Batch) (bool, error) {
	switch {
	case f.has("remove never"):
		return false, nil
	case f.has("remove always"):
		return true, nil
	}
	return f.Backend.RemoveFirst(ctx, list, batch)
}

func (f *faulty) Info(ctx context.Context) (queue.Info, error) {
	info := queue.Info{Server: "redis", Version: "7", EvictionPolicy: "noeviction"}
	switch f.fault {
	case "down":
		return info, errors.New("connection refused")
	case "replica":
		info.Role = "replica"
	case "notes":
		info.Notes = []string{"INFO: forbidden"}
	case "mismatch":
		info.Mismatch = "the server is a node of a cluster"
	case "policy unknown":
		info.EvictionPolicy = ""
	case "limit":
		info.MemoryLimit = 1 << 20
	case "volatile":
		info.MemoryLimit, info.EvictionPolicy = 1<<20, "volatile-ttl"
	case "allkeys":
		info.MemoryLimit, info.EvictionPolicy = 1<<20, "allkeys-lru"
	}
	return info, nil
}

func TestEachFaultIsFound(t *testing.T) {
	for _, test := range []struct {
		fault, check string
		want         Status
	}{
		{"", "memory limit", OK},
		{"down", "connection", NotOK},
		{"replica", "role", NotOK},
		{"notes", "information", Notice},
		{"set denied", "set a lock (SET NX EX)", NotOK},
		{"set never", "set a lock (SET NX EX)", NotOK},
		{"set twice", "a lock keeps others out", NotOK},
		{"no expiry", "a lock runs out", NotOK},
		{"get other", "read a key", NotOK},
		{"expire always", "nobody else extends a lock (Lua)", NotOK},
		{"expire never", "extend a lock (Lua)", NotOK},
		{"expire never", "an extended lock runs out later", NotOK},
		{"delete always", "nobody else releases a lock (Lua)", NotOK},
		{"delete never", "release a lock (Lua)", NotOK},
		{"append denied", "append to a list", NotOK},
		{"append less", "read a list", NotOK},
		{"append less", "length of a list", NotOK},
		{"no scripts", "read a batch with its position (Lua)", NotOK},
		{"remove never", "remove a batch (Lua)", NotOK},
		{"remove always", "a batch is removed once", NotOK},
		{"remove always", "count what was removed", NotOK},
		{"dead letter denied", "put a dead letter aside", NotOK},
		{"", "keep statistics", OK},
		{"statistics denied", "keep statistics", Notice},
		{"statistics lost", "keep statistics", Notice},
		{"mismatch", "type of Redis", Notice},
		{"policy unknown", "memory limit", Notice},
		{"limit", "memory limit", OK},
		{"volatile", "memory limit", NotOK},
		{"allkeys", "memory limit", Notice},
	} {
		_, backend := newBackend(t)
		var r Report
		r.Queue(context.Background(), &faulty{backend, test.fault}, QueueOptions{Prefix: "p"})
		if got := r.status(test.check); got != test.want {
			t.Errorf("%s: check %q is %q, want %q", test.fault, test.check, got, test.want)
		}
		if r.Works() != (test.want != NotOK) {
			t.Errorf("%s: works %v", test.fault, r.Works())
		}
	}
}

// What a MySQL server has and SQLite has not is reported as not working; the command's tests cover real servers.
func TestDatabaseChecksReportErrors(t *testing.T) {
	db := sqlx.MustConnect("sqlite", ":memory:")
	defer db.Close()
	db.SetMaxOpenConns(1)
	db.MustExec("CREATE TABLE m_goal (idsite int)")
	db.MustExec("CREATE TABLE m_log_bot_request (idsite int)")
	var r Report
	r.Database(context.Background(), db, "m_", matomo.Found{Version: matomo.Version{Major: 6}, BotRequestTable: true})
	for check, want := range map[string]Status{
		"table m_log_bot_request": OK, "table m_site_setting": NotOK, "table m_log_page_view_time": "",
		"server": NotOK, "table m_goal": OK, "table m_log_visit": NotOK, "transactions": NotOK, "sql_mode": NotOK,
	} {
		if got := r.status(check); got != want {
			t.Errorf("check %q is %q, want %q", check, got, want)
		}
	}
	_ = db.Close()
	if err := inTransaction(context.Background(), db, "SELECT 1"); err == nil {
		t.Error("no error on a closed database")
	}
}

func TestSkippedChecksDoNotCount(t *testing.T) {
	var r Report
	r.Skip("all", "no settings")
	if !r.Works() || r.Checks[0].Status != Skipped {
		t.Errorf("%+v", r.Checks)
	}
}
