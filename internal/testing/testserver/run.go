package testserver

import (
	"sync"
	"testing"
)

// shared holds the servers that all tests of the binary use together.
var shared struct {
	sync.Mutex
	redis *RedisServer
	maria *MariaDBServer
}

// Run runs the tests of a binary and then stops its shared servers. It returns the exit status for os.Exit.
func Run(m *testing.M) int {
	code := m.Run()
	shared.Lock()
	defer shared.Unlock()
	if shared.redis != nil {
		shared.redis.remove()
		shared.redis = nil
	}
	if shared.maria != nil {
		shared.maria.remove()
		shared.maria = nil
	}
	removeFolders()
	return code
}
