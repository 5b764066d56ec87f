package queue

import "strings"

// What is wrong when the servers work together otherwise than the settings say, and what to set.
const (
	isCluster = "the server is a node of a cluster: set useWhatRedisBackendType to 3 (--redis-type cluster); " +
		"a cluster has only database 0 (redisDatabase, --redis-database)"
	isNoCluster = "the server is no node of a cluster: set useWhatRedisBackendType to 1 (--redis-type stand-alone)"
	isSentinel  = "the server is a Sentinel: set useWhatRedisBackendType to 2 (--redis-type sentinel) " +
		"and sentinelMasterName, or redisPort to that of the Redis server"
	isNoSentinel = "is no Sentinel: set redisHost and redisPort to the Sentinels, " +
		"or useWhatRedisBackendType to 1 (--redis-type stand-alone) or 3 (cluster)"
)

// mismatch tells from a server's error what it is, "" when it does not show.
func mismatch(reply string) string {
	code, _, _ := strings.Cut(reply, " ")
	switch lower := strings.ToLower(reply); {
	case code == "MOVED", code == "ASK", strings.Contains(lower, "select is not allowed in cluster mode"):
		return isCluster
	case reply == string(errNoCluster):
		return isNoCluster
	case strings.HasPrefix(lower, "err unknown command") && names(lower, "select", "llen", "lrange", "rpush"):
		return isSentinel
	}
	return ""
}

// names reports whether the first word in quotes is one of the commands.
func names(reply string, commands ...string) bool {
	_, quoted, _ := strings.Cut(strings.ReplaceAll(reply, "`", "'"), "'")
	command, _, _ := strings.Cut(quoted, "'")
	for _, c := range commands {
		if command == c {
			return true
		}
	}
	return false
}
