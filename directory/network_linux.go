package directory

import (
	"context"
	"os"
	"syscall"
	"time"
)

// NetworkChanges returns a channel that gets a value when an address or a route
// was added or removed (rtnetlink(7)); nil if the kernel does not report them.
func NetworkChanges(ctx context.Context) <-chan struct{} {
	fd, err := syscall.Socket(syscall.AF_NETLINK, syscall.SOCK_RAW|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, syscall.NETLINK_ROUTE)
	if err != nil {
		return nil
	}
	// RTMGRP_IPV4_IFADDR, RTMGRP_IPV4_ROUTE, RTMGRP_IPV6_IFADDR, RTMGRP_IPV6_ROUTE
	const groups = 0x10 | 0x40 | 0x100 | 0x400
	if err := syscall.Bind(fd, &syscall.SockaddrNetlink{Family: syscall.AF_NETLINK, Groups: groups}); err != nil {
		syscall.Close(fd)
		return nil
	}
	// Non-blocking, so that the runtime waits for it and Close ends the wait.
	sock := os.NewFile(uintptr(fd), "rtnetlink")
	context.AfterFunc(ctx, func() { sock.Close() })
	changed := make(chan struct{}, 1)
	go func() {
		buf := make([]byte, 8192)
		for ctx.Err() == nil {
			// Only that there is a message matters. The error ENOBUFS means that there
			// were too many.
			if _, err := sock.Read(buf); err != nil && ctx.Err() == nil {
				time.Sleep(time.Second)
			}
			poke(changed)
		}
	}()
	return changed
}
