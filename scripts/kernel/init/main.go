//go:build linux && amd64

// Command init is process 1 in the kernel that tests run in. It mounts the pseudo
// file systems, runs one command as root, writes its exit status to a file of
// the host, and halts.
//
// The runner (scripts/uml) passes a directory of the host as the kernel's argument
// run=DIR, which arrives here in the environment:
//
//	DIR/args   the command and its arguments, each ended by a NUL
//	DIR/env    its environment, in the same form
//	DIR/cwd    its working directory
//	DIR/status written by init: the exit status, or 128+n after signal n
//
// The host's root is the guest's root (hostfs). Standard output and error are the
// consoles tty1 and tty2, which the runner connects to its own.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// failed is the exit status that tells the runner that the fixture is broken.
const failed = 125

func main() {
	dir := os.Getenv("run")
	status, err := start(dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, "init:", err)
	}
	// The kernel queues console output: wait until it is written.
	_ = unix.IoctlSetInt(1, unix.TCSBRK, 1)
	_ = unix.IoctlSetInt(2, unix.TCSBRK, 1)
	if err := os.WriteFile(dir+"/status", fmt.Appendln(nil, status), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, "init:", err)
	}
	unix.Sync()
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
}

// start prepares the machine and runs the command.
func start(dir string) (int, error) {
	if err := mountAll(); err != nil {
		return failed, err
	}
	for fd, tty := range map[int]string{1: "/dev/tty1", 2: "/dev/tty2"} {
		if err := attach(fd, tty); err != nil {
			return failed, fmt.Errorf("%s: %w", tty, err)
		}
	}
	args, err := fields(dir + "/args")
	if err != nil {
		return failed, err
	}
	env, err := fields(dir + "/env")
	if err != nil {
		return failed, err
	}
	cwd, err := os.ReadFile(dir + "/cwd")
	if err != nil {
		return failed, err
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.Dir = string(cwd)
	// Temporary files go to memory: hostfs has no sockets, and its locks differ.
	cmd.Env = append(env, "TMPDIR=/run/tmp", "STUMP_FIXTURE=uml")
	if err := cmd.Run(); cmd.ProcessState == nil {
		return 127, err
	}
	ws := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if ws.Signaled() {
		return 128 + int(ws.Signal()), nil
	}
	return ws.ExitStatus(), nil
}

// mountAll mounts what a booted system has. /dev and /run are in memory, so the
// host's are not touched.
func mountAll() error {
	for _, m := range []struct{ at, kind, options string }{
		{"/proc", "proc", ""},
		{"/sys", "sysfs", ""},
		{"/sys/kernel/config", "configfs", ""},
		{"/sys/kernel/debug", "debugfs", ""},
		{"/dev", "devtmpfs", "mode=0755"},
		{"/dev/pts", "devpts", "ptmxmode=0666,mode=0620"},
		{"/dev/shm", "tmpfs", "mode=1777"},
		{"/run", "tmpfs", "mode=0755"},
		{"/run/tmp", "tmpfs", "mode=1777"},
	} {
		if strings.Count(m.at, "/") == 2 && !strings.HasPrefix(m.at, "/sys") {
			if err := os.Mkdir(m.at, 0o755); err != nil && !os.IsExist(err) {
				return err
			}
		}
		if err := unix.Mount(m.kind, m.at, m.kind, 0, m.options); err != nil {
			return fmt.Errorf("mount %s: %w", m.at, err)
		}
	}
	return nil
}

// attach opens a console as file descriptor fd, in raw mode so that "\n" stays "\n".
func attach(fd int, tty string) error {
	f, err := os.OpenFile(tty, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	t, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		return err
	}
	t.Iflag, t.Oflag, t.Lflag = 0, 0, 0
	if err := unix.IoctlSetTermios(int(f.Fd()), unix.TCSETS, t); err != nil {
		return err
	}
	return unix.Dup2(int(f.Fd()), fd)
}

// fields reads a file of strings that each end in a NUL.
func fields(name string) ([]string, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return strings.Split(strings.TrimSuffix(string(b), "\x00"), "\x00"), nil
}
