package cmd

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
)

// fileMode is the value of a flag for permissions, in octal digits as chmod takes them.
type fileMode fs.FileMode

func (m *fileMode) String() string { return fmt.Sprintf("%04o", uint32(*m)) }

// Type implements pflag.Value.
func (m *fileMode) Type() string { return "mode" }

// Set implements pflag.Value.
func (m *fileMode) Set(text string) error {
	n, err := strconv.ParseUint(text, 8, 32)
	if err != nil || n > 0o777 {
		return errors.New("wants an octal number such as 0660")
	}
	*m = fileMode(n)
	return nil
}
