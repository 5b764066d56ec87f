package testserver

import "syscall"

// dieWithParent makes the kernel kill the process when the test binary ends.
func dieWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
