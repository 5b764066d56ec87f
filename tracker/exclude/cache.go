package exclude

import (
	"sync"
	"sync/atomic"
)

// maxCached bounds what a cache remembers; a full one begins anew.
const maxCached = 4096

// cache remembers the first value for each key. The zero cache is ready to use.
type cache[K comparable, V any] struct {
	mu     sync.RWMutex
	values map[K]V
}

// get returns the value for key, made when there is none yet.
func (c *cache[K, V]) get(key K, newValue func() V) V {
	c.mu.RLock()
	v, ok := c.values[key]
	c.mu.RUnlock()
	if ok {
		return v
	}
	v = newValue()
	c.mu.Lock()
	defer c.mu.Unlock()
	if first, ok := c.values[key]; ok {
		return first
	}
	if c.values == nil || len(c.values) >= maxCached {
		c.values = make(map[K]V)
	}
	c.values[key] = v
	return v
}

// lastOf remembers the value for the key that was asked for last. The zero lastOf is ready to use.
type lastOf[K comparable, V any] struct{ last atomic.Pointer[pair[K, V]] }

type pair[K comparable, V any] struct {
	key   K
	value V
}

func (l *lastOf[K, V]) get(key K, newValue func() V) V {
	if p := l.last.Load(); p != nil && p.key == key {
		return p.value
	}
	p := &pair[K, V]{key, newValue()}
	l.last.Store(p)
	return p.value
}
