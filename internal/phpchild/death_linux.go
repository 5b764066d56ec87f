package phpchild

import "syscall"

// attributes keep a terminal's signals from the child, and let the kernel kill it when its parent ends.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
