package pattern

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

func TestPatternsAreCompiledOnceAndBounded(t *testing.T) {
	formatted := 0
	c := NewCache(func(source string) string {
		formatted++
		return strings.ToLower(source)
	})
	first := c.Compile("A+", true)
	if again := c.Compile("A+", true); again != first || formatted != 1 {
		t.Errorf("formatted %d times", formatted)
	}
	for n := range maxCompiled + 10 {
		c.Compile(fmt.Sprint(n), true)
	}
	if len(c.compiled) > maxCompiled {
		t.Errorf("%d patterns", len(c.compiled))
	}
}

func TestCaseCountsOnRequest(t *testing.T) {
	c := NewCache(func(source string) string { return source })
	if c.Compile("ab", true).Match("AB") || !c.Compile("ab", false).Match("AB") {
		t.Error("wrong case")
	}
}

func TestBrokenPatternIsNil(t *testing.T) {
	c := NewCache(func(source string) string { return source })
	for _, source := range []string{"([broken", "a/b", `a\/b/z`} {
		for range 2 {
			if c.Compile(source, true) != nil {
				t.Errorf("%s was compiled", source)
			}
		}
	}
}

func TestCacheIsSharedByGoroutines(t *testing.T) {
	c := NewCache(func(source string) string { return source })
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for n := range 100 {
				if !c.Compile(fmt.Sprint(n), false).Match(fmt.Sprint(n)) {
					t.Error(n)
				}
			}
		})
	}
	wg.Wait()
}
