package pcre

import (
	"errors"
	"sync"
	"sync/atomic"
	"unsafe"

	"go.elara.ws/pcre/lib"
	"modernc.org/libc"
)

// matcher is what the C code needs to compile and to match, for one goroutine at a time. Addresses are those of memory
// that Go's collector neither moves nor frees.
type matcher struct {
	tls            *libc.TLS
	compileContext uintptr
	matchContext   uintptr
	matchData      uintptr // with room for pairs
	pairs          uint32
	text           uintptr // a pattern or subject, with room for size bytes
	size           int
	answers        uintptr // room for two answers of a function
}

const (
	firstPairs = 16       // more than most patterns need
	firstSize  = 1024     // more than most texts have
	idleSize   = 64 << 10 // the most that a matcher keeps while nobody uses it
	wordSize   = unsafe.Sizeof(lib.Tsize_t(0))
)

// idle are the matchers that nobody uses. There are as many as there have been matches at the same time.
var idle struct {
	sync.Mutex
	matchers []*matcher
}

// compiled is the number of patterns in memory.
var compiled atomic.Int64

func borrow() *matcher {
	idle.Lock()
	defer idle.Unlock()
	last := len(idle.matchers) - 1
	if last < 0 {
		return newMatcher()
	}
	m := idle.matchers[last]
	idle.matchers = idle.matchers[:last]
	return m
}

// giveBack leaves m to others.
func (m *matcher) giveBack() {
	if m.size > idleSize {
		m.resizeText(firstSize)
	}
	idle.Lock()
	defer idle.Unlock()
	idle.matchers = append(idle.matchers, m)
}

func newMatcher() *matcher {
	tls := libc.NewTLS()
	m := &matcher{
		tls:            tls,
		compileContext: lib.Xpcre2_compile_context_create_8(tls, 0),
		matchContext:   lib.Xpcre2_match_context_create_8(tls, 0),
		answers:        libc.Xmalloc(tls, lib.Tsize_t(2*wordSize)),
	}
	m.resizeText(firstSize)
	m.resizeData(firstPairs)
	// PHP allows \K in look-around, which PCRE2 does only when asked to.
	lib.Xpcre2_set_compile_extra_options_8(tls, m.compileContext, lib.DPCRE2_EXTRA_ALLOW_LOOKAROUND_BSK)
	lib.Xpcre2_set_match_limit_8(tls, m.matchContext, matchLimit)
	return m
}

func (m *matcher) resizeText(size int) {
	if m.text != 0 {
		libc.Xfree(m.tls, m.text)
	}
	m.text, m.size = libc.Xmalloc(m.tls, lib.Tsize_t(size)), size
}

func (m *matcher) resizeData(pairs uint32) {
	if m.matchData != 0 {
		lib.Xpcre2_match_data_free_8(m.tls, m.matchData)
	}
	m.matchData, m.pairs = lib.Xpcre2_match_data_create_8(m.tls, pairs, 0), pairs
}

// put copies s to m.text.
func (m *matcher) put(s string) {
	if len(s) > m.size {
		m.resizeText(2 * len(s))
	}
	copy(unsafe.Slice((*byte)(at(m.text)), m.size), s)
}

// compile returns the address of the compiled pattern, or 0 with the number and place of the error.
func (m *matcher) compile(pattern string, options Option) (code uintptr, failure int32, offset int) {
	m.put(pattern)
	code = lib.Xpcre2_compile_8(m.tls, m.text, lib.Tsize_t(len(pattern)), uint32(options),
		m.answers, m.answers+wordSize, m.compileContext)
	if code != 0 {
		compiled.Add(1)
	}
	return code, *(*int32)(at(m.answers)), int(*(*lib.Tsize_t)(at(m.answers + wordSize)))
}

// captureCount is the number of groups of a compiled pattern.
func (m *matcher) captureCount(code uintptr) uint32 {
	lib.Xpcre2_pattern_info_8(m.tls, code, lib.DPCRE2_INFO_CAPTURECOUNT, m.answers)
	return *(*uint32)(at(m.answers))
}

// frameSize is the memory that each place needs to which a match may go back, in bytes.
func (m *matcher) frameSize(code uintptr) uint32 {
	lib.Xpcre2_pattern_info_8(m.tls, code, lib.DPCRE2_INFO_FRAMESIZE, m.answers)
	return uint32(*(*lib.Tsize_t)(at(m.answers)))
}

// match leaves the offsets of a match in m.matchData.
func (m *matcher) match(r *Regexp, s string, from int) (found bool, err error) {
	m.put(s)
	if r.pairs > m.pairs {
		m.resizeData(r.pairs)
	}
	lib.Xpcre2_set_depth_limit_8(m.tls, m.matchContext, r.depth)
	result := lib.Xpcre2_match_8(m.tls, r.code, m.text, lib.Tsize_t(len(s)), lib.Tsize_t(from), 0,
		m.matchData, m.matchContext)
	switch {
	case result >= 0:
		return true, nil
	case result == lib.DPCRE2_ERROR_NOMATCH:
		return false, nil
	}
	return false, errors.New(m.message(result))
}

// offsets reads the first pairs of offsets after a match.
func (m *matcher) offsets(pairs uint32) []int {
	found := unsafe.Slice((*lib.Tsize_t)(at(lib.Xpcre2_get_ovector_pointer_8(m.tls, m.matchData))), 2*pairs)
	offsets := make([]int, len(found))
	for i, offset := range found {
		offsets[i] = int(offset) // the largest number, for a group that took no part, becomes -1
	}
	return offsets
}

// message is the text of an error. It takes the place of the pattern or subject.
func (m *matcher) message(number int32) string {
	lib.Xpcre2_get_error_message_8(m.tls, number, m.text, lib.Tsize_t(m.size))
	return libc.GoString(m.text)
}

// free frees a compiled pattern that is not needed any more.
func free(code uintptr) {
	m := borrow()
	defer m.giveBack()
	lib.Xpcre2_code_free_8(m.tls, code)
	compiled.Add(-1)
}

// at is the pointer to an address outside of Go's memory.
func at(address uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&address)) }
