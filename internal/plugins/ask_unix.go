//go:build unix

package plugins

import (
	"os"
	"os/exec"
	"syscall"
)

// restrict lets PHP run in a process group, all of which ends with it, and where this program is run by root as the
// user whom Matomo's configuration belongs to: plugins are not to be given root's rights.
func restrict(command *exec.Cmd, config string) {
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
	info, err := os.Stat(config)
	if err != nil || os.Geteuid() != 0 {
		return
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok && owner.Uid != 0 {
		command.SysProcAttr.Credential = &syscall.Credential{Uid: owner.Uid, Gid: owner.Gid}
	}
}

// openOwn opens a file that is this user's alone to write: others could have put anything into it. It waits for nobody
// and follows no link.
func openOwn(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil {
		owner, ok := info.Sys().(*syscall.Stat_t)
		if !ok || !info.Mode().IsRegular() || int(owner.Uid) != os.Geteuid() || info.Mode().Perm()&0o022 != 0 {
			err = os.ErrPermission
		}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
