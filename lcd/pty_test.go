//go:build linux

package lcd_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"stump/internal/testkit"
	"stump/lcd"
	"stump/lcd/lcdtest"
)

// cable is a serial cable: a pseudo terminal with a modelled display at its
// far end.
type cable struct {
	master *os.File
	path   string // of the near end
}

// plugIn connects a display; its answers come back over the cable.
func plugIn(t *testing.T, m *lcdtest.Serial) *cable {
	t.Helper()
	master, path := testkit.Pty(t)
	c := &cable{master, path}
	go func() {
		var opened lcd.Port
		buf := make([]byte, 256)
		for {
			n, err := master.Read(buf)
			if err != nil {
				return
			}
			if opened == nil { // at the speed that the driver has set by now
				opened, _ = m.Open("", c.baud())
			}
			opened.Write(buf[:n])
			if n, _ := opened.Read(buf); n > 0 {
				master.Write(buf[:n])
			}
		}
	}()
	return c
}

// control does ioctls on the far end.
func (c *cable) control(f func(fd int)) {
	if conn, err := c.master.SyscallConn(); err == nil {
		conn.Control(func(fd uintptr) { f(int(fd)) })
	}
}

// baud is the speed that the line is set to.
func (c *cable) baud() int {
	var tio *unix.Termios
	c.control(func(fd int) { tio, _ = unix.IoctlGetTermios(fd, unix.TCGETS) })
	if tio == nil {
		return 0
	}
	if tio.Lflag&(unix.ECHO|unix.ICANON) != 0 || tio.Oflag&unix.OPOST != 0 || tio.Cflag&unix.CSIZE != unix.CS8 {
		return -1 // not raw: bytes would be changed on the way
	}
	return map[uint32]int{unix.B9600: 9600, unix.B19200: 19200}[tio.Cflag&unix.CBAUD]
}

func (c *cable) unplug() { c.master.Close() }

// eventually waits for bytes to cross the cable.
func eventually(t *testing.T, m *lcdtest.Serial, want string) {
	t.Helper()
	for begin := time.Now(); m.String() != want; time.Sleep(2 * time.Millisecond) {
		if time.Since(begin) > 5*time.Second {
			t.Fatalf("it shows %q, want %q; faults %q", m, want, m.Faults())
		}
	}
}

// Every dialect over a real serial port of the kernel: the port is raw and at
// the right speed, unplugging it is an error, and a new one is found.
func TestSerialOverPTY(t *testing.T) {
	size := lcd.Size{Cols: 16, Rows: 2}
	for _, dialect := range serialDialects() {
		t.Run(dialect, func(t *testing.T) {
			t.Parallel()
			m := lcdtest.NewSerial(dialect, size)
			c := plugIn(t, m)
			port := filepath.Join(t.TempDir(), "serial0") // as udev links it
			must(t, os.Symlink(c.path, port))
			d, err := lcd.Open(lcd.Config{Kind: dialect, Port: port})
			must(t, err)
			must(t, d.Init())
			must(t, d.Show(lcd.FrameOf(size, "Ann", "iPad Mini")))
			eventually(t, m, "Ann / iPad Mini")
			if dialect == "matrix-orbital" {
				if answers, err := d.Probe(); !answers || err != nil {
					t.Errorf("Probe: %v, %v", answers, err)
				}
			}

			c.unplug()
			must(t, os.Remove(port)) // as udev does; the port's number may be another test's next
			if err := d.Show(lcd.FrameOf(size, "Ben", "Pixel")); err == nil {
				t.Error("Show works without a cable")
			}
			if err := d.Init(); err == nil {
				t.Error("Init works without a cable")
			}
			m.PowerOn()
			c = plugIn(t, m)
			defer c.unplug()
			must(t, os.Symlink(c.path, port))
			must(t, d.Init())
			must(t, d.Show(lcd.FrameOf(size, "Ben", "Pixel")))
			eventually(t, m, "Ben / Pixel")
			d.Close()
			wantUntouched(t, m)
		})
	}
}
