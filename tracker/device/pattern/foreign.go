package pattern

import (
	"time"

	"github.com/dlclark/regexp2/v2"
)

// foreignTimeout ends a match of regexp2 that backtracks too long; it counts as no match.
const foreignTimeout = 100 * time.Millisecond

// highBytes is added to bytes from 0x80 on: private code points are no letters and have no case, as such bytes are for PCRE.
const highBytes = 0xE000

// foreign is an expression that regexp2 matches.
type foreign struct{ re *regexp2.Regexp }

func newForeign(expr string) (*foreign, error) {
	re, err := regexp2.Compile(`\G(?:`+string(byteRunes(expr))+`)`, regexp2.IgnoreCase, regexp2.OptionMaintainCaptureOrder())
	if err != nil {
		return nil, err
	}
	re.MatchTimeout = foreignTimeout
	return &foreign{re}, nil
}

// byteRunes gives one rune for each byte, so that positions stay those of the bytes.
func byteRunes(s string) []rune {
	runes := make([]rune, len(s))
	for i := 0; i < len(s); i++ {
		runes[i] = rune(s[i])
		if s[i] >= 0x80 {
			runes[i] += highBytes
		}
	}
	return runes
}

// match returns the groups of a match at exactly pos as pairs of offsets, -1 for a group that took no part.
func (f *foreign) match(text string, pos int) ([]int32, bool) {
	m, err := f.re.FindRunesMatchStartingAt(byteRunes(text), pos)
	if err != nil || m == nil {
		return nil, false
	}
	var registers []int32
	for _, g := range m.Groups() {
		from, to := int32(-1), int32(-1)
		if len(g.Captures) > 0 {
			from, to = int32(g.RuneIndex), int32(g.RuneIndex+g.RuneLength)
		}
		registers = append(registers, from, to)
	}
	return registers, true
}
