package command

import (
	"context"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// UntilSignal is for commands that must clean up before the program ends. All others
// end at once on a signal.
func UntilSignal(ctx context.Context) (context.Context, context.CancelFunc) {
	return signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
}

// EndBy ends the program by the signal that ended a context of UntilSignal, as if it had not
// been waited for: a shell goes by that.
func EndBy(cause error) {
	sig := syscall.SIGTERM
	if strings.HasPrefix(cause.Error(), os.Interrupt.String()) {
		sig = syscall.SIGINT
	}
	if syscall.Kill(os.Getpid(), sig) == nil {
		time.Sleep(time.Second) // until it has come
	}
}
