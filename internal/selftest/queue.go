package selftest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/queuedtracking/queuedtracking/queue"
)

// QueueOptions say how the queue server is checked.
type QueueOptions struct {
	// Prefix begins the names of all keys that are made. It has to be random: nobody else may have such keys.
	Prefix       string
	SkipEviction bool // do not look at the memory limit and what happens beyond it
}

// Queue checks a backend with keys of its own, which are deleted at the end. It reports whether the server could be
// reached.
func (r *Report) Queue(ctx context.Context, backend queue.Backend, o QueueOptions) (reached bool) {
	q := queueCheck{
		Report: r, ctx: ctx, backend: backend, prefix: o.Prefix, key: o.Prefix + ":key",
		list: o.Prefix + ":list", other: o.Prefix + ":other",
	}
	info, err := backend.Info(ctx)
	if !r.Check("connection", err, server(info), "see what redisHost, redisPort, redisPassword and redisDatabase are "+
		"set to, and whether the server runs") {
		return false
	}
	for _, node := range info.Nodes {
		r.OK("server of the queues", node)
	}
	if info.Mismatch != "" {
		r.Notice("type of Redis", info.Mismatch, "as it is set, only a cluster of a single node works")
	}
	for _, note := range info.Notes {
		r.Notice("information", note, "the server forbids this; the program does without")
	}
	if info.Role == "replica" {
		r.Fail("role", errors.New("the server is a replica"), "set redisHost and redisPort to the master")
	}
	q.inDatabase = info.Mode == "database"
	defer q.clean()
	q.locks()
	q.lists()
	q.statistics()
	if !o.SkipEviction && !q.inDatabase {
		r.memory(info)
	}
	return true
}

func server(info queue.Info) string {
	parts := []string{strings.TrimSpace(info.Server + " " + info.Version)}
	for _, part := range []string{info.Mode, info.Role} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ", ")
}

type queueCheck struct {
	*Report
	ctx              context.Context
	backend          queue.Backend
	prefix           string
	key, list, other string
	inDatabase       bool
}

// check is Check for a primitive of the queues. In a database it has the name without the commands of Redis in
// brackets.
func (q *queueCheck) check(name string, err error, advice string) bool {
	if q.inDatabase {
		name, _, _ = strings.Cut(name, " (")
		advice = adviceDatabase
	}
	if errors.Is(err, queue.ErrFull) {
		advice = adviceFull
	}
	return q.Check(name, err, "", advice)
}

// clean deletes what the checks may have left, also when they were interrupted.
func (q *queueCheck) clean() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(q.ctx), 5*time.Second)
	defer cancel()
	var left error
	keys := []string{q.key, q.list, q.other, queue.OffsetKey(q.list), queue.FailedKey(q.list)}
	for _, key := range append(keys, q.talliesToDelete()...) {
		if _, err := q.backend.Delete(ctx, key); err != nil {
			left = err
		}
	}
	if left == nil {
		return
	}
	advice := "delete the keys that begin with " + q.prefix
	if q.inDatabase {
		advice = "the database user needs DROP for this test alone; drop the tables whose names hold queuedtracking:test:"
	}
	q.Notice("delete what was tried with", left.Error(), advice)
}

const (
	adviceCommands = "the Redis user needs the commands GET, SET, DEL, PTTL, PEXPIRE, EVAL, EVALSHA, LLEN, LINDEX, " +
		"LRANGE, LREM, LTRIM, RPUSH, INCRBY on its keys"
	adviceLua      = "the server has to run Lua scripts (EVAL, EVALSHA), which Redis does from 2.6 on"
	adviceDatabase = "the database user needs SELECT, INSERT, UPDATE, DELETE, CREATE and DROP for the tables of the queues"
)

const firstTTL, laterTTL = 20 * time.Second, 90 * time.Second

// locks tries what locks are made of.
func (q *queueCheck) locks() {
	set, err := q.backend.SetIfNotExists(q.ctx, q.key, "mine", firstTTL)
	if !q.check("set a lock (SET NX EX)", orElse(err, set, "a key that cannot exist was said to exist"), adviceCommands) {
		return
	}
	again, err := q.backend.SetIfNotExists(q.ctx, q.key, "other", firstTTL)
	q.check("a lock keeps others out", orElse(err, !again, "a second lock was granted"), adviceCommands)
	value, _, err := q.backend.Get(q.ctx, q.key)
	q.check("read a key", orElse(err, value == "mine", fmt.Sprintf("it reads %q", value)), adviceCommands)
	q.ttl("a lock runs out", firstTTL)

	denied, err := q.backend.ExpireIfValue(q.ctx, q.key, "other", laterTTL)
	q.check("nobody else extends a lock (Lua)", orElse(err, !denied, "somebody else's lock was extended"), adviceLua)
	extended, err := q.backend.ExpireIfValue(q.ctx, q.key, "mine", laterTTL)
	q.check("extend a lock (Lua)", orElse(err, extended, "the lock was not extended"), adviceLua)
	q.ttl("an extended lock runs out later", laterTTL)
	denied, err = q.backend.DeleteIfValue(q.ctx, q.key, "other")
	q.check("nobody else releases a lock (Lua)", orElse(err, !denied, "somebody else's lock was released"), adviceLua)
	deleted, err := q.backend.DeleteIfValue(q.ctx, q.key, "mine")
	q.check("release a lock (Lua)", orElse(err, deleted, "the lock was not released"), adviceLua)
}

// ttl checks that the key has about this much time left.
func (q *queueCheck) ttl(name string, want time.Duration) {
	left, err := q.backend.TTLs(q.ctx, q.key)
	fine := err == nil && len(left) == 1 && left[0] > want-10*time.Second && left[0] <= want
	q.check(name, orElse(err, fine, fmt.Sprintf("%v left instead of %s", left, want)), adviceCommands)
}

// lists tries what queues are made of.
func (q *queueCheck) lists() {
	first, second, third := []byte("\x00\xff 1"), []byte("2"), []byte("3")
	err := q.backend.Append(q.ctx, q.list, first, second, third)
	if !q.check("append to a list", err, adviceCommands) {
		return
	}
	elements, err := q.backend.Range(q.ctx, q.list, 0, 2)
	fine := len(elements) == 2 && bytes.Equal(elements[0], first) && bytes.Equal(elements[1], second)
	q.check("read a list", orElse(err, fine, "other elements came back than were appended"), adviceCommands)
	n, err := q.backend.Len(q.ctx, q.list)
	q.check("length of a list", orElse(err, n == 3, fmt.Sprintf("%d instead of 3", n)), adviceCommands)

	head, err := q.backend.Head(q.ctx, q.list, 2)
	if !q.check("read a batch with its position (Lua)", orElse(err, len(head.Elements) == 2 && head.Offset == 0, "wrong batch"), adviceLua) {
		return
	}
	removed, err := q.backend.RemoveFirst(q.ctx, q.list, head)
	q.check("remove a batch (Lua)", orElse(err, removed, "it was not removed"), adviceLua)
	again, err := q.backend.RemoveFirst(q.ctx, q.list, head)
	q.check("a batch is removed once", orElse(err, !again, "it was removed twice"), adviceLua)
	offset, err := q.backend.Offset(q.ctx, q.list)
	q.check("count what was removed", orElse(err, offset == 2, fmt.Sprintf("%d instead of 2", offset)), adviceCommands)
	err = q.backend.Append(q.ctx, queue.FailedKey(q.list), third)
	q.check("put a dead letter aside", err, "the Redis user needs rights on keys queuedtracking:*")
}

// orElse is err, or what is wrong when a check was not fine.
func orElse(err error, fine bool, wrong string) error {
	if err == nil && !fine {
		return errors.New(wrong)
	}
	return err
}
