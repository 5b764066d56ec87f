package queue

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/gomodule/redigo/redis"
)

// tallyScript adds to two hashes, also when the memory is full: it begins with a write that is allowed then, see
// setScript.
//
//	KEYS[1]  hash that expires
//	KEYS[2]  hash that stays
//	ARGV[1]  time to live of the first one in ms
//	ARGV[2]  number of fields that are numbers
//	ARGV[3…] their names and what is added to each, then names and texts of the others
//	returns  nothing of interest
var tallyScript = newScript("tally", 2, `
redis.call('PEXPIRE', KEYS[1], ARGV[1])
for k = 1, 2 do
  for i = 3, #ARGV, 2 do
    if i < 3 + 2 * ARGV[2] then
      redis.call('HINCRBY', KEYS[k], ARGV[i], ARGV[i + 1])
    else
      redis.call('HSET', KEYS[k], ARGV[i], ARGV[i + 1])
    end
  end
end
return redis.call('PEXPIRE', KEYS[1], ARGV[1])`)

// AddTally implements Backend.
func (r *Redis) AddTally(ctx context.Context, key, total string, ttl time.Duration, tally Tally) error {
	args := []any{total, milliseconds(ttl), len(tally.Numbers)}
	for _, name := range slices.Sorted(maps.Keys(tally.Numbers)) {
		args = append(args, name, tally.Numbers[name])
	}
	for _, name := range slices.Sorted(maps.Keys(tally.Texts)) {
		args = append(args, name, tally.Texts[name])
	}
	_, err := r.eval(ctx, tallyScript, key, args...)
	return err
}

// Tally implements Backend.
func (r *Redis) Tally(ctx context.Context, key string) (map[string]string, error) {
	return redis.StringMap(r.do(ctx, "HGETALL", key))
}
