package checkout

import (
	"bytes"
	"os"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"github.com/google/uuid"
)

// SystemStamp reads the clocks of the machine.
func SystemStamp() Stamp {
	return Stamp{Wall: time.Now(), Mono: sinceBoot(), BootID: bootID(), Trusted: ClockTrusted()}
}

// clockMonotonic is CLOCK_MONOTONIC of linux/time.h.
const clockMonotonic = 1

// sinceBoot is CLOCK_MONOTONIC, which stamps the edges too.
func sinceBoot() time.Duration {
	var ts syscall.Timespec
	_, _, errno := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, clockMonotonic, uintptr(unsafe.Pointer(&ts)), 0)
	if errno != 0 {
		return 0
	}
	return time.Duration(ts.Nano())
}

// bootID tells one boot from another, see random(4).
var bootID = sync.OnceValue(func() uuid.UUID {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return uuid.Nil
	}
	id, err := uuid.ParseBytes(bytes.TrimSpace(b))
	if err != nil {
		return uuid.Nil
	}
	return id
})

// ClockTrusted reports whether the wall clock is known to be right:
// systemd-timesyncd has left its mark (systemd-time-wait-sync(8)), or the
// kernel's estimate of the error is below 16 s. That is systemd's own rule: it
// holds with chrony too, which may leave STA_UNSYNC set.
func ClockTrusted() bool {
	if _, err := os.Stat("/run/systemd/timesync/synchronized"); err == nil {
		return true
	}
	var tx syscall.Timex
	_, err := syscall.Adjtimex(&tx) // reads only: no mode is set
	return err == nil && time.Duration(tx.Maxerror)*time.Microsecond < 16*time.Second
}

// bootRow is what the events of a boot need when its clock was not trusted
// from the beginning.
type bootRow struct {
	first    ref           // the first event whose time was not trusted
	resolved bool          // a Clock event told the offset
	offset   time.Duration // wall time minus monotonic time
}

func (b bootRow) encode() []byte {
	var e enc
	e.ref(1, b.first)
	e.flag(2, b.resolved)
	e.int(3, int64(b.offset))
	return e.b
}

func decodeBoot(body []byte) (b bootRow, err error) {
	d := dec{b: body}
	for d.next() {
		switch d.tag {
		case 1:
			b.first = d.ref()
		case 2:
			b.resolved = d.flag()
		case 3:
			b.offset = time.Duration(d.int())
		}
	}
	return b, d.err
}

// noteBoot remembers the first untrusted event of a boot, and what a Clock
// event says.
func (t *txn) noteBoot(ev *stored) error {
	id := ev.At.BootID
	if id == uuid.Nil || ev.At.Trusted && ev.Kind != Clock {
		return nil
	}
	b, known, err := t.boot(id)
	if err != nil || known && ev.Kind != Clock {
		return err
	}
	if ev.Kind == Clock {
		b.resolved, b.offset = true, time.Duration(ev.At.Wall.UnixNano())-ev.At.Mono
	} else {
		b.first = ref{t.l.own, ev.Seq}
	}
	return t.put(treeBoots, id[:], b.encode())
}

func (t *txn) boot(id uuid.UUID) (b bootRow, known bool, err error) {
	v, err := t.get(treeBoots, id[:])
	if v == nil || err != nil {
		return b, false, err
	}
	if b, err = decodeBoot(v); err != nil {
		return b, true, t.damaged("the boot %v: %v", id, err)
	}
	return b, true, nil
}

// ResolveClock is to be called when the clock has become right. If this boot
// has events from before, it commits an event that tells what their wall times
// were; nothing is rewritten. It reports whether it did.
func (l *Ledger) ResolveClock() (bool, error) {
	now := l.o.Stamp()
	if !now.Trusted || now.BootID == uuid.Nil {
		return false, nil
	}
	open := false
	err := l.view(func(t *txn) error {
		b, known, err := t.boot(now.BootID)
		open = known && !b.resolved
		return err
	})
	if err != nil || !open {
		return false, err
	}
	ev := stored{Event: Event{Kind: Clock, Source: SourceSystem}}
	return true, l.update(func(t *txn) error { return t.append(&ev, nil, nil) })
}

// times turns the stamps of events into wall times, as far as they are known.
type times struct {
	t     *txn
	boots map[uuid.UUID]bootRow
}

func (c *times) wall(s Stamp) (at time.Time, trusted bool, err error) {
	if s.Trusted || s.BootID == uuid.Nil {
		return s.Wall, s.Trusted, nil
	}
	b, ok := c.boots[s.BootID]
	if !ok {
		if b, _, err = c.t.boot(s.BootID); err != nil {
			return s.Wall, false, err
		}
		if c.boots == nil {
			c.boots = map[uuid.UUID]bootRow{}
		}
		c.boots[s.BootID] = b
	}
	if !b.resolved {
		return s.Wall, false, nil
	}
	return time.Unix(0, int64(b.offset+s.Mono)), true, nil
}
