package queue

import (
	"crypto/sha1"
	"encoding/hex"
)

// script is a Lua script that Redis runs as one step. The keys of each are in one hash slot.
type script struct {
	name   string
	keys   int
	source string
	hash   string // by which EVALSHA knows it
}

func newScript(name string, keys int, source string) *script {
	hash := sha1.Sum([]byte(source))
	return &script{name, keys, source, hex.EncodeToString(hash[:])}
}

// headScript reads the beginning of a list.
//
//	KEYS[1]  list
//	KEYS[2]  its offset counter
//	ARGV[1]  position of the last element wanted, from 0
//	returns  elements, offset counter as text, length
var headScript = newScript("head", 2, `
return {
  redis.call('LRANGE', KEYS[1], 0, ARGV[1]),
  redis.call('GET', KEYS[2]) or '0',
  redis.call('LLEN', KEYS[1])
}`)

// nextScript reads a list from a position on.
//
//	KEYS[1]  list
//	KEYS[2]  its offset counter
//	ARGV[1]  position of the first element wanted, counted from the first one ever
//	ARGV[2]  number of elements wanted
//	returns  elements, none when the list begins behind the position; length from there on
var nextScript = newScript("next", 2, `
local first = tonumber(ARGV[1]) - tonumber(redis.call('GET', KEYS[2]) or '0')
if first < 0 then return {{}, 0} end
return {
  redis.call('LRANGE', KEYS[1], first, first + tonumber(ARGV[2]) - 1),
  redis.call('LLEN', KEYS[1]) - first
}`)

// removeScript removes a batch that was read before, unless somebody else has.
//
//	KEYS[1]  list: its first element is compared, ARGV[1] elements are removed
//	KEYS[2]  its offset counter: compared, then raised by ARGV[1]
//	ARGV[1]  number of elements
//	ARGV[2]  offset counter when the batch was read, as text
//	ARGV[3]  first element of the batch
//	returns  1 when removed, 0 when the list begins with something else
var removeScript = newScript("remove", 2, `
if (redis.call('GET', KEYS[2]) or '0') ~= ARGV[2] then return 0 end
if redis.call('LINDEX', KEYS[1], 0) ~= ARGV[3] then return 0 end
redis.call('LTRIM', KEYS[1], ARGV[1], -1)
redis.call('INCRBY', KEYS[2], ARGV[1])
return 1`)

// appendMarkedScript appends to a list and sets a mark.
//
//	KEYS[1]  list
//	KEYS[2]  mark
//	ARGV[1]  value of the mark
//	ARGV[2]  its time to live in ms
//	ARGV[3]  1: also when the memory is full, see setScript
//	ARGV[4…] elements
//	returns  nothing of interest
var appendMarkedScript = newScript("append-marked", 2, `
if ARGV[3] == '1' then redis.call('DEL', KEYS[2]) end
for i = 4, #ARGV, 1000 do redis.call('RPUSH', KEYS[1], unpack(ARGV, i, math.min(i + 999, #ARGV))) end
return redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])`)

// moveScript takes an element out of one list and appends another to a second list.
//
//	KEYS[1]  list to take from
//	KEYS[2]  list to append to
//	ARGV[1]  element to take, the first one equal to it
//	ARGV[2]  element to append
//	returns  1 when moved, 0 when there is no such element
var moveScript = newScript("move", 2, `
if redis.call('LREM', KEYS[1], 1, ARGV[1]) == 0 then return 0 end
redis.call('RPUSH', KEYS[2], ARGV[2])
return 1`)

// expireScript sets the time to live of a key that has a certain value.
//
//	KEYS[1]  key
//	ARGV[1]  value it must have
//	ARGV[2]  time to live in ms
//	returns  1 when it has, 0 otherwise
var expireScript = newScript("expire-if-value", 1, `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`)

// deleteScript deletes a key that has a certain value.
//
//	KEYS[1]  key
//	ARGV[1]  value it must have
//	returns  1 when it had, 0 otherwise
var deleteScript = newScript("delete-if-value", 1, `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`)

// setScript is SET NX for a server whose memory is full. From Redis 5 to 8, and in Valkey, commands that take memory
// are refused only as long as a script has written nothing: the DEL, of a key that is not there, is a write that is
// always allowed.
//
//	KEYS[1]  key
//	ARGV[1]  value
//	ARGV[2]  time to live in ms
//	returns  OK when the key was free, nil otherwise
var setScript = newScript("set-when-full", 1, `
if redis.call('GET', KEYS[1]) then return false end
redis.call('DEL', KEYS[1])
return redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])`)
