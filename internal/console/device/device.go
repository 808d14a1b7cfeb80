// Package device is the page of one device, and the list of all.
package device

import (
	"net/url"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"stump/checkout"
	"stump/internal/books"
	"stump/internal/console/reservations"
	"stump/internal/console/ui"
)

// View is the page of one device.
type View struct {
	ui.Frame
	books.Device
	Loan  *books.Loan // nil: nobody has it
	Parts []Part      // of a kit
	Began string
	Ends  string
	Late  string
	// Admin may change it, Own is whether who asks has it, and Names whether they may see
	// a person's page.
	Admin, Own, Names bool
	Who               reservations.Viewer
	People            []books.Person // whom it can be given to; for admins
	History           []ui.Line      // nil: who asks may not see it
	Booked            []reservations.Row
	Reserve           *reservations.Form // nil: who asks can't reserve it
	// Form is what was typed into a form that was refused, Asked which one that was.
	Form  url.Values
	Asked string
	// Calendar is that of what is reserved of it.
	Calendar ui.Calendar
}

// Make makes the page of what the books say of a device.
func Make(v View, keeper books.Keeper, ref string, now time.Time, history bool) (_ View, err error) {
	if v.Device, err = keeper.FindDevice(ref); err != nil {
		return v, err
	}
	for l, err := range keeper.Loans(books.LoanFilter{Device: v.Device.ID, Now: now}) {
		if err != nil {
			return v, err
		}
		l = l.Shown()
		v.Loan = &l
		v.Began, v.Ends, v.Late = v.Words.Terms(l, now)
	}
	parts, err := keeper.Parts(v.Device.ID)
	for _, p := range parts {
		v.Parts = append(v.Parts, Part{p, partState(v.Words, p)})
	}
	if err == nil && history {
		v.History, err = ui.Lines(v.Words, keeper.History(books.HistoryFilter{Device: v.Device.ID}), now)
	}
	if v.Admin && err == nil {
		v.People, err = reservations.People(keeper)
	}
	if err == nil {
		v.Booked, err = reservations.Of(v.Words, keeper, books.ReservationFilter{Device: v.Device.ID}, v.Who, now)
	}
	if v.Who.MayReserve() && v.Device.Word() == checkout.Active.String() {
		v.Reserve = v.reserve(now)
	}
	v.Title = v.Device.Name
	return v, err
}

// Part is a part of a kit.
type Part struct {
	books.Part
	Is string
}

// partState is where a part of a kit is.
func partState(w *ui.Words, p books.Part) string {
	switch {
	case p.In:
		return w.InIt
	case p.Missing:
		return w.Missing + ", " + State(w, p.Device)
	}
	return State(w, p.Device)
}

// mayLack reports whether a part may be missing when the kit is returned.
func (v View) mayLack() bool {
	return slices.ContainsFunc(v.Parts, func(p Part) bool { return p.In })
}

// reserve is the form that reserves the device: from now on, or from when it should be back.
func (v View) reserve(now time.Time) *reservations.Form {
	if v.Loan != nil && v.Loan.Due.After(now) {
		now = v.Loan.Due.In(now.Location())
	}
	f := reservations.NewForm(v.Words, v.Who, string(ui.To("/devices/", v.ID))+"/reserve", now)
	if v.Asked == "reserve" {
		f.Typed(v.Form)
	}
	return f
}

// State is what a device is, in a word or two.
func State(w *ui.Words, d books.Device) string {
	switch {
	case d.Status == checkout.Retired:
		return w.Retired
	case d.Lost:
		return w.Lost
	case d.Holder != "":
		return ui.Fill(w.With, d.HolderName)
	case d.Out != "":
		return ui.Fill(w.OutUntil, string(d.Out))
	}
	return w.Free
}

// ListView is the list of all devices.
type ListView struct {
	ui.Frame
	Sought  string
	Admin   bool // may add one
	Devices []Row
	More    bool
}

// Row is a device in the list.
type Row struct {
	books.Device
	Is string
}

// List makes the list of what the books say.
func List(v ListView, keeper books.Keeper) (ListView, error) {
	for d, err := range keeper.Devices(books.Page{Find: v.Sought}) {
		if err != nil {
			return v, err
		}
		if d.Status == checkout.Active || v.Sought != "" {
			v.Devices = append(v.Devices, Row{d, State(v.Words, d)})
		}
	}
	sort.SliceStable(v.Devices, func(i, j int) bool {
		return strings.ToLower(v.Devices[i].Name) < strings.ToLower(v.Devices[j].Name)
	})
	if v.More = len(v.Devices) > ui.MostRows; v.More {
		v.Devices = v.Devices[:ui.MostRows]
	}
	return v, nil
}

// typed is what stood in a field of the form that was refused.
func (v View) typed(form, field string) string {
	if v.Asked != form {
		return ""
	}
	return v.Form.Get(field)
}

func number(n int) string { return strconv.Itoa(n) }
