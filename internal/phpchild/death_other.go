//go:build !linux

package phpchild

import "syscall"

// attributes are the system's own. A child ends when its pipe does.
func attributes() *syscall.SysProcAttr { return nil }
