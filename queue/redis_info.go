package queue

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/gomodule/redigo/redis"
)

// Info implements Backend. A server that forbids INFO is described as far as ROLE and CONFIG tell; only a server that
// cannot be reached, or that refuses the connection, is an error.
func (r *Redis) Info(ctx context.Context) (Info, error) {
	info := Info{MemoryUsed: Unknown, MemoryPeak: Unknown, MemoryLimit: Unknown}
	_, err := r.ask(ctx, "PING")
	if _, unsent := errors.AsType[connecting](err); unsent || err != nil && !isForbidden(err) {
		return info, err
	}
	text, err := redis.String(r.ask(ctx, "INFO"))
	if err != nil {
		info.note("INFO", err)
	}
	info.read(infoFields(text))
	if info.Role == "" {
		r.askRole(ctx, &info)
	}
	if info.EvictionPolicy == "" {
		r.askMemory(ctx, &info)
	}
	if info.Mode == "sentinel" { // what the master of Sentinels says is standalone
		return info, &backendError{r.errs.server, isSentinel, ErrDenied, errors.New(isSentinel)}
	}
	return attempt(ctx, r, "", func() (Info, error) {
		described := info
		r.topology.describe(ctx, r, &described)
		return described, nil
	})
}

func (i *Info) note(command string, err error) {
	var be *backendError
	text := err.Error()
	if errors.As(err, &be) {
		text = be.text
	}
	i.Notes = append(i.Notes, command+": "+text)
}

// infoFields reads the lines name:value of INFO.
func infoFields(text string) map[string]string {
	fields := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			fields[name] = value
		}
	}
	return fields
}

func (i *Info) read(fields map[string]string) {
	i.Server = "redis"
	i.Version = fields["redis_version"]
	if v := fields["valkey_version"]; v != "" { // which also tells the Redis version it is compatible with
		i.Server, i.Version = "valkey", v
	}
	i.Role = roleName(fields["role"])
	i.Mode = fields["redis_mode"]
	if i.Mode == "" {
		i.Mode = fields["server_mode"]
	}
	i.EvictionPolicy = fields["maxmemory_policy"]
	for name, to := range map[string]*int64{
		"used_memory": &i.MemoryUsed, "used_memory_peak": &i.MemoryPeak, "maxmemory": &i.MemoryLimit,
	} {
		if n, err := strconv.ParseInt(fields[name], 10, 64); err == nil {
			*to = n
		}
	}
	if i.MemoryLimit > 0 {
		i.MemoryShare = float64(i.MemoryUsed) / float64(i.MemoryLimit)
	}
}

func roleName(role string) string {
	if role == "slave" {
		return "replica"
	}
	return role
}

func (r *Redis) askRole(ctx context.Context, info *Info) {
	reply, err := redis.Values(r.ask(ctx, "ROLE"))
	if err != nil || len(reply) == 0 {
		if err != nil {
			info.note("ROLE", err)
		}
		return
	}
	if role, err := redis.String(reply[0], nil); err == nil {
		info.Role = roleName(role)
	}
}

// askMemory is for servers that forbid INFO.
func (r *Redis) askMemory(ctx context.Context, info *Info) {
	const names = "maxmemory*"
	config, err := redis.StringMap(r.ask(ctx, "CONFIG", "GET", names))
	if err != nil {
		info.note("CONFIG GET "+names, err)
		return
	}
	info.EvictionPolicy = config["maxmemory-policy"]
	if n, err := strconv.ParseInt(config["maxmemory"], 10, 64); err == nil {
		info.MemoryLimit = n
	}
}
