package selftest

import (
	"errors"
	"fmt"
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/terminal"
	"github.com/queuedtracking/queuedtracking/queue"
)

// nearlyFull is the share of maxmemory from which on it is time to do something.
const nearlyFull = 0.8

const (
	fullMeans  = "Matomo answers tracking requests with status 500 and loses them"
	adviceFull = "raise maxmemory, or empty the queues: queuedtracking process works in a full Redis, too, " +
		"and monitor shows what is in it; queuedtracking serve --spool keeps requests on disk while Redis is full"
	adviceNoEviction = "set maxmemory-policy to noeviction: what is queued then stays, " +
		"and only new requests are lost while the memory is full (Matomo answers them with status 500)"
)

// memory looks at what is left of the server's memory, and at what it does when there is none.
func (r *Report) memory(info queue.Info) {
	const name = "memory limit"
	policy := info.EvictionPolicy
	switch {
	case policy == "":
		r.Notice(name, "the server does not tell its eviction policy", "make sure that maxmemory-policy is noeviction")
	case info.MemoryLimit == 0:
		r.OK(name, "none (maxmemory 0), policy "+policy)
	case strings.HasPrefix(policy, "volatile-"):
		err := fmt.Errorf("%s; when it is full policy %s throws locks away: two workers may then take the same queue",
			memoryUse(info), policy)
		r.Fail(name, err, adviceNoEviction)
	case policy != "noeviction":
		r.throwsQueuesAway(name, info)
	case info.MemoryShare >= 1:
		r.Fail(name, fmt.Errorf("%s; it is full: %s", memoryUse(info), fullMeans), adviceFull)
	case info.MemoryShare >= nearlyFull:
		r.Notice(name, fmt.Sprintf("%s; when it is full %s", memoryUse(info), fullMeans), adviceFull)
	default:
		r.OK(name, memoryUse(info)+", policy noeviction")
	}
}

// throwsQueuesAway is about policies that delete any key. The plugin recommends one of them; it is an error when it
// is about to happen.
func (r *Report) throwsQueuesAway(name string, info queue.Info) {
	what := fmt.Sprintf("%s; when it is full policy %s throws whole queues away, with all requests in them",
		memoryUse(info), info.EvictionPolicy)
	if info.MemoryShare >= nearlyFull {
		r.Fail(name, errors.New(what), adviceNoEviction)
		return
	}
	r.Notice(name, what, adviceNoEviction)
}

// memoryUse tells how much of the memory is used, of the fullest server in a cluster.
func memoryUse(info queue.Info) string {
	limit := "maxmemory " + terminal.Bytes(info.MemoryLimit)
	switch {
	case info.MemoryUsed == queue.Unknown:
		return limit
	case info.Fullest != "":
		return fmt.Sprintf("%s in all, %.0f %% used of %s", limit, 100*info.MemoryShare, info.Fullest)
	}
	return fmt.Sprintf("%s, %.0f %% used", limit, 100*info.MemoryShare)
}
