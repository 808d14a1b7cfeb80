package station

import (
	"context"
	"errors"
	"strconv"
	"time"

	"stump/checkout"
	"stump/internal/books"
	"stump/internal/panel"
)

// StockWindow is how long after the last device that was counted a reader goes on with a
// stock-taking.
const StockWindow = 2 * time.Hour

// Count has the reader count the devices that are bumped alone, from now on, for a
// stock-taking under which so many were seen; or ends that.
func (r *Reader) Count(ctx context.Context, on bool, seen int) error {
	a := r.attendant
	return a.do(ctx, func() {
		window := time.Duration(0)
		if on {
			window = StockWindow
		}
		a.seen = seen
		a.desk.Count(a.now(), window)
		switch m := a.prompt(); {
		case a.leased():
		case !on:
			a.show(panel.Message{Key: "stock-over"})
		case m != nil:
			a.show(*m)
		}
	})
}

// counting is what the display says while nobody is there and devices are counted; nil if
// they are not.
func (a *attendant) counting() *panel.Message {
	until, on := a.desk.Counting(a.now())
	if !on {
		return nil
	}
	return &panel.Message{Key: "stock", Number: strconv.Itoa(a.seen), For: until - a.now()}
}

// counted records that a device is here.
func (a *attendant) counted(device checkout.Subject) answer {
	slow := a.admitSlow()
	got, err := a.o.Ledger.Counted(device.ID, a.r.Name, "", checkout.SourceReader)
	slow()
	switch {
	case errors.Is(err, books.ErrNoStock): // it has ended elsewhere
		a.desk.Count(0, 0)
		return a.show(panel.Message{Key: "stock-over"})
	case err != nil:
		a.desk.Forget(device.Tag)
		a.log.Error("not saved", "err", err)
		return a.show(panel.Message{Key: CannotSave(err)})
	}
	a.seen = got.Seen
	m := panel.Message{Key: "stock-here", Device: a.name(got.Device), Number: strconv.Itoa(got.Seen)}
	switch {
	case got.Device.Status != checkout.Active:
		m.Key = "stock-unused"
	case got.Device.Holder != "":
		m.Key, m.Holder = "stock-held", got.Device.HolderName
	case got.Again:
		m.Key = "stock-again"
	}
	return a.show(m)
}
