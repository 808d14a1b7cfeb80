//go:build linux

package measure

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"stump/gpio"
	"stump/internal/gpiosim"
	"stump/wiegand"
)

// The original client's way, for comparison (etsy/rfid-checkout, hid_reader.c):
// a thread for each line appends a bit whenever it gets to run. The main thread
// waits for twelve bits, sleeps 60 ms, and takes what is there. It uses no time
// stamps, no sequence numbers and no parity.

const originalVariable = "MEASURE_ORIGINAL"

// frame is what the original prints.
type frame struct {
	Bits string
	At   int64 // when its first bit was appended
}

// original reads the chip that the environment names, and then never returns.
func original() {
	chip := os.Getenv(originalVariable)
	if chip == "" {
		return
	}
	// Like C, Go must not delay a thread: a processor for each, raw system calls
	// and no garbage collection.
	runtime.GOMAXPROCS(4)
	debug.SetGCPercent(-1)
	var read originalBits
	for line := range 2 {
		fd, err := request(chip, line)
		if err != nil {
			fmt.Fprintln(os.Stderr, "original:", err)
			os.Exit(1)
		}
		go read.listen(fd, byte(line))
	}
	fmt.Println("{}") // ready
	out := json.NewEncoder(os.Stdout)
	for {
		time.Sleep(5 * time.Millisecond)
		if read.n.Load() < 12 {
			continue
		}
		time.Sleep(60 * time.Millisecond)
		n := min(int(read.n.Swap(0)), len(read.bits))
		_ = out.Encode(frame{string(read.bits[:n]), read.first.Load()})
	}
}

// originalBits are appended by both threads.
type originalBits struct {
	n     atomic.Int32
	first atomic.Int64
	bits  [1024]byte
}

// listen appends the bits of one line.
func (b *originalBits) listen(fd int, line byte) {
	runtime.LockOSThread()
	var event [48]byte
	for {
		n, _, errno := unix.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(&event)), uintptr(len(event)))
		if errno == unix.EINTR {
			continue
		}
		if errno != 0 || n == 0 {
			return
		}
		i := int(b.n.Add(1)) - 1
		if i == 0 {
			b.first.Store(gpio.Monotonic())
		}
		if i < len(b.bits) {
			b.bits[i] = '0' + line
		}
	}
}

// request asks for falling edges of one line, as the original's library does.
func request(chip string, line int) (int, error) {
	fd, err := unix.Open(chip, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	defer unix.Close(fd)
	const input, falling = 1 << 2, 1 << 5 // enum gpio_v2_line_flag
	req := unix.GPIOV2LineRequest{Num_lines: 1, Config: unix.GPIOV2LineConfig{Flags: input | falling}}
	req.Offsets[0] = uint32(line)
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.GPIO_V2_GET_LINE_IOCTL, uintptr(unsafe.Pointer(&req))); errno != 0 {
		return -1, errno
	}
	return int(req.Fd), nil
}

// readOriginal runs the original's way in a process of its own. stop ends it and
// returns the reads.
func readOriginal(c *gpiosim.Chip) (stop func() ([]handed, error), err error) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), originalVariable+"="+c.Path(), "GODEBUG=asyncpreemptoff=1")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	lines := json.NewDecoder(bufio.NewReader(out))
	var f frame
	if err := lines.Decode(&f); err != nil {
		return nil, fmt.Errorf("the original's way did not start: %w", err)
	}
	var reads []handed
	done := make(chan struct{})
	go func() {
		defer close(done)
		for lines.Decode(&f) == nil {
			reads = append(reads, printed(f))
		}
	}()
	return func() ([]handed, error) {
		_ = cmd.Process.Kill()
		<-done
		_ = cmd.Wait() // killed
		return reads, nil
	}, nil
}

// printed makes a read of a frame. To the original every frame is a card.
func printed(f frame) handed {
	bits, err := wiegand.ParseBits(f.Bits[:min(len(f.Bits), wiegand.MaxBits)])
	if err != nil {
		panic(err)
	}
	return handed{Read: wiegand.Read{Start: f.At, End: f.At, Bits: bits}}
}
