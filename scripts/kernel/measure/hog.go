//go:build linux

package main

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
)

const hogVariable = "MEASURE_HOG"

// hog keeps a processor busy forever, if this process was started for that.
func hog() {
	if os.Getenv(hogVariable) == "" {
		return
	}
	for i := 0; ; i++ {
		runtime.KeepAlive(i)
	}
}

// startHogs starts n busy processes.
func startHogs(n int) (stop func(), err error) {
	var hogs []*exec.Cmd
	for range n {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), hogVariable+"=1")
		err = errors.Join(err, cmd.Start())
		hogs = append(hogs, cmd)
	}
	return func() {
		for _, h := range hogs {
			_ = h.Process.Kill()
			_ = h.Wait()
		}
	}, err
}
