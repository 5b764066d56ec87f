package queue

import (
	"fmt"

	"github.com/gomodule/redigo/redis"
)

// fullError is a server's refusal to take more, with what it says of its memory.
type fullError struct {
	error
	memory memory
}

func (e fullError) Unwrap() error { return e.error }

// memory is that of one server, in bytes.
type memory struct{ used, limit int64 } // 0: not told

// withMemory adds the size of the memory to a server's answer that it is full, as far as it tells.
func withMemory(conn redis.Conn, err error) error {
	if !hasCode(err, "OOM") {
		return err
	}
	var info Info
	if text, e := redis.String(conn.Do("INFO", "memory")); e == nil {
		info.read(infoFields(text))
	} else if config, e := redis.Int64Map(conn.Do("CONFIG", "GET", "maxmemory")); e == nil {
		info.MemoryLimit = config["maxmemory"]
	}
	return fullError{err, memory{info.MemoryUsed, info.MemoryLimit}}
}

// String says that the memory is full, and what to do.
func (m memory) String() string {
	text := "its memory is full"
	switch {
	case m.used > 0 && m.limit > 0:
		text += fmt.Sprintf(" (used_memory %s, maxmemory %s)", mebibytes(m.used), mebibytes(m.limit))
	case m.limit > 0:
		text += fmt.Sprintf(" (maxmemory %s)", mebibytes(m.limit))
	}
	return text + `: raise maxmemory, empty the queues with "queuedtracking process", or delete what else is in it`
}

func mebibytes(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }
