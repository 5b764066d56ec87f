//go:build !unix

package plugins

import (
	"os"
	"os/exec"
)

func restrict(*exec.Cmd, string) {}

func openOwn(path string) (*os.File, error) { return os.Open(path) }
