// Package holidays keeps the days on which the lab is closed: those of a calendar, in a
// file or at an address.
//
// The calendar is read at the start, once a day, and when it is told to. What was read
// last stays until a newer one is right, and over restarts in a file of the state folder:
// a board knows its holidays before it has a network, and a mistake in a calendar takes
// none away. Nobody who asks for a day waits for a disk or a network.
package holidays

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"stump/checkout/loan"
	"stump/checkout/loan/ical"
	"stump/directory/call"
	"stump/internal/count"
	"stump/internal/hint"
)

// Options say where the calendar is.
type Options struct {
	// Source is a file's path, or an http, https or webcal address.
	Source string
	// Dir is the state folder, in which the newest calendar is kept.
	Dir string
	// HTTP is how an address is asked.
	HTTP call.HTTP
	// Zone is where the lab is; nil for the machine's.
	Zone *time.Location
	Log  *slog.Logger // nil is silent
}

// Holidays are the days on which the lab is closed. It is safe for concurrent use.
type Holidays struct {
	o      Options
	host   string // of the address; empty for a file
	url    string
	client *call.Client
	again  chan struct{} // has room for one
	days   atomic.Pointer[ical.Calendar]

	mu            sync.Mutex
	kept, written kept  // in memory, and in its file
	fault         error // why the newest try failed
}

// Open reads the file, or what is kept of the address. It calls nobody. A calendar with
// mistakes is no error, but a Fault.
func Open(o Options) (*Holidays, error) {
	h := &Holidays{o: o, again: make(chan struct{}, 1)}
	h.o.Log = cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	h.o.Zone = cmp.Or(o.Zone, time.Local)
	if IsAddress(o.Source) {
		h.url = address(o.Source)
		u, err := url.Parse(h.url)
		if err != nil {
			return nil, errors.New("the address can't be called") // its text has the address
		}
		h.host = u.Host
		if h.client, err = call.New(o.HTTP, call.Options{Hide: true}); err != nil {
			return nil, err
		}
	}
	h.recall()
	if h.client == nil {
		text, err := readFile(o.Source)
		h.took(text, tags{}, err)
	}
	return h, nil
}

// CheckSource says what is wrong with how a source is written; an empty one is right.
func CheckSource(source string) error {
	const remedy = `use a path such as "/etc/stump/holidays.ics", or an https address`
	if IsAddress(source) {
		if u, err := url.Parse(address(source)); err != nil || !call.IsWeb(u) {
			return hint.Errorf(remedy, "%q is not an https address", call.MaskedHook(source))
		}
	} else if source != "" && !filepath.IsAbs(source) {
		return hint.Errorf(remedy, "%q is not a path", source)
	}
	return nil
}

// IsAddress reports whether a source is an address and not a file's path.
func IsAddress(source string) bool { return strings.Contains(source, "://") }

// address is an address as it is asked; webcal is what browsers hand to a calendar.
func address(source string) string {
	if rest, ok := strings.CutPrefix(source, "webcal://"); ok {
		return "https://" + rest
	}
	return source
}

// Closed reports whether the lab is closed on a day.
func (h *Holidays) Closed(d loan.Date) bool {
	c := h.days.Load()
	return c != nil && c.Closed.Has(d)
}

// Fault is what is wrong on a day, with what to do; nil if all is well. A zero day is not
// known.
func (h *Holidays) Fault(today loan.Date) error {
	c := h.days.Load()
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.fault != nil && c == nil:
		return hint.Errorf(hint.Of(h.fault), "no holidays are known: %w", h.fault)
	case h.fault != nil:
		return hint.Errorf(hint.Of(h.fault), "the holidays are those of %s: %w", h.kept.At.Local().Format(time.DateOnly), h.fault)
	case c == nil || today == loan.Date{}:
		return nil
	}
	if last, ok := c.Closed.Last(); ok && last.Before(today) {
		return hint.Errorf("get a newer one", "the calendar of holidays ends with %s", last)
	}
	return nil
}

// Reload has the calendar read again.
func (h *Holidays) Reload() {
	select {
	case h.again <- struct{}{}:
	default:
	}
}

func (h *Holidays) String() string { return "holidays" }

// Every is how often the calendar is read; after a failure it is tried again after a
// minute, and then ever later, at most an hour.
const (
	Every    = 24 * time.Hour
	tryFirst = time.Minute
	tryLast  = time.Hour
)

// Run works until ctx is done.
func (h *Holidays) Run(ctx context.Context) error {
	wait := time.Duration(0)
	for {
		next := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			next.Stop()
			return nil
		case <-h.again:
			next.Stop()
		case <-next.C:
		}
		if h.refresh(ctx) || ctx.Err() != nil {
			wait = Every
		} else if wait >= tryFirst && wait < Every {
			wait = min(2*wait, tryLast)
		} else {
			wait = tryFirst
		}
	}
}

// refresh reads the calendar, and reports whether that went well.
func (h *Holidays) refresh(ctx context.Context) bool {
	var text []byte
	var got tags
	var err error
	if h.client == nil {
		text, err = readFile(h.o.Source)
	} else {
		text, got, err = h.fetch(ctx)
	}
	if ctx.Err() != nil || !h.took(text, got, err) {
		return false
	}
	h.keep()
	return true
}

func readFile(path string) ([]byte, error) {
	const remedy = "put a calendar there, whose name often ends in .ics"
	st, err := os.Stat(path)
	if err == nil && !st.Mode().IsRegular() {
		return nil, hint.Errorf(remedy, "%s is no file", path)
	}
	var f *os.File
	if err == nil {
		f, err = os.Open(path)
	}
	if err != nil {
		return nil, hint.Wrap(err, remedy)
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, ical.Limit+1))
}

// fetch asks the address for the calendar; a nil text is the one that is kept.
func (h *Holidays) fetch(ctx context.Context) (text []byte, got tags, err error) {
	h.mu.Lock()
	have := h.kept.tags
	h.mu.Unlock()
	header := http.Header{"Accept": {"text/calendar, */*;q=0.1"}}
	if h.days.Load() != nil {
		have.ask(header)
	}
	reply, o := h.client.Get(ctx, h.url, header)
	if o.Verdict == call.OK && reply.Status == http.StatusNotModified {
		return nil, have, nil
	}
	if o.Verdict == call.OK {
		o = reply.Outcome()
	}
	if o.Verdict != call.OK {
		o.Remedy = cmp.Or(o.Remedy, "it is tried again by itself, within an hour")
		return nil, got, o
	}
	got.from(reply.Header)
	return reply.Body, got, nil
}

// took takes over a calendar that was read, nil for the one that is there, or notes why
// there is none. It reports whether all went well.
func (h *Holidays) took(text []byte, got tags, err error) bool {
	var c *ical.Calendar
	if err == nil && text != nil {
		if c, err = ical.Read(text, h.o.Zone); err != nil {
			err = hint.Wrap(fmt.Errorf("%s: %w", cmp.Or(h.host, h.o.Source), err), hint.Of(err))
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	was := h.fault
	h.fault = err
	switch {
	case err != nil && (was == nil || was.Error() != err.Error()):
		h.o.Log.Warn("the calendar of holidays is not read", "err", err, "remedy", hint.Of(err))
	case err == nil && was != nil:
		h.o.Log.Info("the calendar of holidays is read again")
	}
	if err != nil {
		return false
	}
	if h.kept.At = time.Now(); c != nil {
		h.kept.Source, h.kept.tags, h.kept.Calendar = hash(h.o.Source), got, string(text)
		if was := h.days.Swap(c); was == nil || *was.Closed != *c.Closed {
			h.o.Log.Info("holidays", "days", c.Closed.Len(), "events", c.Events)
		}
	}
	return true
}

// Check reads a calendar, and says what it holds; today may be zero. The calendar of an
// address is not fetched.
func Check(source string, zone *time.Location, today loan.Date) (says string, err error) {
	if IsAddress(source) {
		return "", nil
	}
	text, err := readFile(source)
	if err != nil {
		return "", err
	}
	c, err := ical.Read(text, zone)
	if err != nil {
		return "", hint.Wrap(fmt.Errorf("%s: %w", source, err), hint.Of(err))
	}
	var next []string
	for _, d := range c.Closed.Next(today, 3) {
		next = append(next, d.String())
	}
	says = cmp.Or(strings.Join(next, ", "), "none, the calendar is over")
	if c.Parts > 0 {
		says += fmt.Sprintf("; %s of less than a day: the lab stays open", count.Of(c.Parts, "event"))
	}
	return says, nil
}
