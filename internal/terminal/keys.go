package terminal

import "io"

// Key is a key that was pressed: its character, or one of the constants.
type Key rune

// Keys without a character.
const (
	KeyUp Key = -1 - iota
	KeyDown
	KeyLeft
	KeyRight
	KeyInterrupt // Ctrl-C
)

var arrows = map[byte]Key{'A': KeyUp, 'B': KeyDown, 'C': KeyRight, 'D': KeyLeft}

// readKeys sends keys until the input ends.
func readKeys(in io.Reader, keys chan<- Key) {
	buffer := make([]byte, 64)
	for {
		n, err := in.Read(buffer)
		for _, key := range parseKeys(buffer[:n]) {
			keys <- key
		}
		if err != nil {
			return
		}
	}
}

// parseKeys tells what keys a terminal in raw mode has sent. Arrows come as ESC [ A or ESC O A.
func parseKeys(input []byte) (keys []Key) {
	for i := 0; i < len(input); i++ {
		switch c := input[i]; {
		case c == 3:
			keys = append(keys, KeyInterrupt)
		case c == 0x1b && i+2 < len(input) && (input[i+1] == '[' || input[i+1] == 'O'):
			if key, ok := arrows[input[i+2]]; ok {
				keys = append(keys, key)
			}
			i += 2
		case c >= 0x20 && c < 0x7f:
			keys = append(keys, Key(c))
		}
	}
	return keys
}
