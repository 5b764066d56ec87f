// Package pattern compiles the regular expressions that users wrote for goals and custom dimensions (spec §A.14), each
// one once.
package pattern

import (
	"sync"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// maxCompiled bounds a Cache. Installations have fewer patterns; one that has more compiles some again now and then.
const maxCompiled = 4096

// Cache remembers compiled patterns. What it gives depends on nothing but the pattern. It is safe for concurrent use.
type Cache struct {
	format func(source string) string

	mu       sync.RWMutex
	compiled map[key]*php.Regexp // nil for a pattern that PHP refuses
}

type key struct {
	source        string
	caseSensitive bool
}

// NewCache returns an empty Cache. format turns what a user entered into what stands between the delimiters "/".
func NewCache(format func(source string) string) *Cache {
	return &Cache{format: format, compiled: make(map[key]*php.Regexp)}
}

// Compile returns the expression for what a user entered, nil when PHP would refuse it: then nothing matches.
func (c *Cache) Compile(source string, caseSensitive bool) *php.Regexp {
	k := key{source, caseSensitive}
	c.mu.RLock()
	re, known := c.compiled[k]
	c.mu.RUnlock()
	if known {
		return re
	}
	re, err := php.CompileLiteral(c.literal(k))
	if err != nil {
		re = nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.compiled) >= maxCompiled {
		clear(c.compiled)
	}
	c.compiled[k] = re
	return re
}

func (c *Cache) literal(k key) string {
	literal := "/" + c.format(k.source) + "/"
	if !k.caseSensitive {
		literal += "i"
	}
	return literal
}
