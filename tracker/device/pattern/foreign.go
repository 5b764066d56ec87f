package pattern

import "github.com/queuedtracking/queuedtracking/internal/pcre"

// foreign is an expression that PCRE itself matches.
type foreign struct{ re *pcre.Regexp }

func newForeign(expr string) (*foreign, error) {
	re, err := pcre.Compile(expr, pcre.Caseless|pcre.Anchored)
	if err != nil {
		return nil, err
	}
	return &foreign{re}, nil
}

// match returns the groups of a match at exactly pos as pairs of offsets, -1 for a group that took no part. A match
// that is given up is none.
func (f *foreign) match(text string, pos int) (registers []int32, ok bool) {
	offsets, err := f.re.Find(text, pos)
	if err != nil || offsets == nil {
		return nil, false
	}
	for _, offset := range offsets {
		registers = append(registers, int32(offset))
	}
	return registers, true
}
