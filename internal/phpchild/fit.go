package phpchild

import (
	"fmt"
	"regexp"
	"strconv"
)

// UnfitError says why a binary is no PHP that can track.
type UnfitError struct {
	Binary, Reason string

	mute bool // it has ended by itself before it said anything
}

func (e *UnfitError) Error() string { return e.Binary + ": " + e.Reason }

var phpVersion = regexp.MustCompile(`^(\d+)\.(\d+)\.(\d+)`)

// oldest is the oldest PHP that Matomo 5 runs with.
var oldest = [3]int{7, 2, 5}

// fit judges a PHP by its first words.
func fit(hello *answer) error {
	if hello.Op != "php" {
		return fmt.Errorf("it says %q instead of which PHP it is", hello.Op)
	}
	if hello.SAPI != "cli" {
		return fmt.Errorf("it is PHP's %q, not the one for the command line (cli)", hello.SAPI)
	}
	m := phpVersion.FindStringSubmatch(hello.PHP)
	if m == nil {
		return fmt.Errorf("it is PHP %q", hello.PHP)
	}
	for i, least := range oldest {
		n, err := strconv.Atoi(m[i+1])
		if err != nil || n < least {
			return fmt.Errorf("it is PHP %s, Matomo needs 7.2.5", hello.PHP)
		}
		if n > least {
			break
		}
	}
	return nil
}
