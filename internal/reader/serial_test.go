//go:build linux

package reader

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"stump/internal/testkit"
)

// A reader at a real serial port: its frames come through the kernel's terminal
// as they were sent, control characters too.
func TestSerialPort(t *testing.T) {
	far, path := testkit.Pty(t)
	start := time.Now()
	src := OpenSerial(path, Setup{Now: func() int64 { return int64(time.Since(start)) }})
	if src.Up() == nil {
		t.Error("it is up before it runs")
	}
	l := Listen(t.Context(), src)
	for end := time.Now().Add(20 * time.Second); src.Up() != nil; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal(src.Up())
		}
	}
	d := NewDecoder(Options{Kind: Serial, Formats: formats(t, "H10301")})
	for _, tt := range []struct{ bytes, want string }{
		{"\x020A004D760332\x03", "H10301:77:30211"}, {"\x020A004D760333\x03", "checksum"}, {"\x020A004D760332\r\n\x03", "H10301:77:30211"},
	} {
		if _, err := far.WriteString(tt.bytes); err != nil {
			t.Fatal(err)
		}
		for got := ""; got == ""; {
			select {
			case c := <-l.C():
				if got = told(d.Push(c)); got != "" && got != tt.want {
					t.Errorf("%q: %s", tt.bytes, got)
				}
			case <-time.After(20 * time.Second):
				t.Fatalf("%q: nothing comes", tt.bytes)
			}
		}
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

// pipe is a port that a test writes to, and pulls out.
type pipe struct {
	*io.PipeReader
	far *io.PipeWriter
}

// A port that isn't there, goes, and comes back is opened again, ever more rarely,
// and each reason is logged once.
func TestSerialComesAndGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log testkit.Log
		start := time.Now()
		var changes, opens atomic.Int32
		var plugged atomic.Pointer[pipe]
		p := OpenSerial("/dev/ttyUSB0", Setup{
			Now: func() int64 { return int64(time.Since(start)) }, Log: slog.New(slog.NewTextHandler(&log, nil)),
			Changed: func() { changes.Add(1) },
		}).(*port)
		p.open = func(string) (io.ReadCloser, error) {
			opens.Add(1)
			if there := plugged.Load(); there != nil {
				return there, nil
			}
			return nil, os.ErrNotExist
		}
		ctx, stop := context.WithCancel(context.Background())
		var got strings.Builder
		done := make(chan error)
		go func() { done <- p.Run(ctx, func(c Char) { got.WriteRune(c.Rune) }) }()
		time.Sleep(time.Hour)
		if n := opens.Load(); n > int32(time.Hour/lastRetry)+10 || log.Count("no reader") != 1 || !errors.Is(p.Up(), os.ErrNotExist) {
			t.Errorf("opened %d times in an hour, %v:\n%s", n, p.Up(), &log)
		}
		for range 2 {
			there := &pipe{}
			there.PipeReader, there.far = io.Pipe()
			plugged.Store(there)
			time.Sleep(lastRetry)
			if p.Up() != nil {
				t.Fatalf("not opened: %v", p.Up())
			}
			io.WriteString(there.far, "\x02")
			plugged.Store(nil)
			there.far.CloseWithError(errors.New("pulled out"))
			time.Sleep(time.Minute)
			if p.Up() == nil {
				t.Error("it is up without a port")
			}
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if got.String() != "\x02\x02" || log.Count("pulled out") != 2 || changes.Load() != 4 {
			t.Errorf("%q came, %d changes:\n%s", got.String(), changes.Load(), &log)
		}
	})
}
