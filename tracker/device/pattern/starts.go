package pattern

import "strings"

// wordStarts lists where (?:^|[^A-Z0-9_-]|[^A-Z0-9-]_|sprd-|MZ-) can end in a lower-cased text. The order is that in
// which PCRE tries the places; a place is listed once, as a second try fails like the first.
func wordStarts(text string) []int32 {
	starts := make([]int32, 1, len(text)/2+1)
	for i := 0; i < len(text); i++ {
		c := text[i]
		alphanumeric := 'a' <= c && c <= 'z' || '0' <= c && c <= '9'
		if !alphanumeric && c != '_' && c != '-' {
			starts = addStart(starts, i+1)
		}
		if !alphanumeric && c != '-' && i+1 < len(text) && text[i+1] == '_' {
			starts = addStart(starts, i+2)
		}
		if c == 's' && strings.HasPrefix(text[i:], "sprd-") {
			starts = addStart(starts, i+5)
		}
		if c == 'm' && strings.HasPrefix(text[i:], "mz-") {
			starts = addStart(starts, i+3)
		}
	}
	return starts
}

// letterStarts does the same for (?:^|[^A-Z_-]).
func letterStarts(text string) []int32 {
	starts := make([]int32, 1, len(text)/2+1)
	for i := 0; i < len(text); i++ {
		if c := text[i]; (c < 'a' || c > 'z') && c != '_' && c != '-' {
			starts = append(starts, int32(i+1))
		}
	}
	return starts
}

// addStart adds a place. No place is more than 5 bytes ahead of where the text is read, so the last few tell whether it
// is known.
func addStart(starts []int32, pos int) []int32 {
	for i := len(starts) - 1; i >= 0 && i >= len(starts)-8; i-- {
		if starts[i] == int32(pos) {
			return starts
		}
	}
	return append(starts, int32(pos))
}
