// Package board is the page that says who has what, and what is free.
package board

import (
	"net/url"
	"sort"
	"strconv"
	"strings"
	"time"

	"stump/checkout"
	"stump/internal/books"
	"stump/internal/console/ui"
)

// Most is how many loans a page has at most.
const Most = 1000

// Asked is what somebody wants to see.
type Asked struct {
	Find string // part of a name
	Only string // "overdue" or "soon"; empty for all
}

// Read reads what an address asks for.
func Read(q url.Values) (a Asked) {
	a.Find = strings.TrimSpace(q.Get("q"))
	if only := q.Get("only"); only == "overdue" || only == "soon" {
		a.Only = only
	}
	return a
}

// path is the address of the board with another filter.
func (a Asked) path(only string) string {
	q := url.Values{}
	if a.Find != "" {
		q.Set("q", a.Find)
	}
	if only != "" {
		q.Set("only", only)
	}
	if len(q) == 0 {
		return "/"
	}
	return "/?" + q.Encode()
}

// View is the page.
type View struct {
	ui.Frame
	Asked
	AsOf    string // when the other stations of the lab were known last; empty: they are
	Holders bool   // whether who asks may see them
	Links   bool   // whether they may see a device's page, and Names a person's
	Names   bool
	Loans   []Loan
	Count   map[string]int // of loans: all, overdue and soon
	More    bool           // there are more than the page has
	Kinds   []FreeKind     // what is free
}

// Loan is a row.
type Loan struct {
	books.Loan
	Began, Ends, Late string
}

// FreeKind are the free devices of a kind.
type FreeKind struct {
	Kind    string
	Devices []books.Device
}

// Make makes the page of what the books say.
func Make(v View, keeper books.Keeper, now time.Time) (View, error) {
	v.Count = map[string]int{}
	if v.Holders {
		if err := v.readLoans(keeper, now); err != nil {
			return v, err
		}
	}
	return v, v.readFree(keeper)
}

func (v *View) readLoans(keeper books.Keeper, now time.Time) error {
	for l, err := range keeper.Loans(books.LoanFilter{Page: books.Page{Find: v.Find}, Now: now}) {
		if err != nil {
			return err
		}
		v.Count[""]++
		switch {
		case l.Overdue:
			v.Count["overdue"]++
		case l.DueSoon:
			v.Count["soon"]++
		}
		if v.Only == "overdue" && !l.Overdue || v.Only == "soon" && !l.DueSoon {
			continue
		}
		v.Loans = append(v.Loans, v.loan(l.Shown(), now))
	}
	// What should be back comes first, the longest overdue on top; then by name.
	sort.SliceStable(v.Loans, func(i, j int) bool {
		a, b := &v.Loans[i], &v.Loans[j]
		switch {
		case a.Overdue != b.Overdue:
			return a.Overdue
		case a.Overdue:
			return a.Due.Before(b.Due)
		}
		return strings.ToLower(a.Device) < strings.ToLower(b.Device)
	})
	if v.More = len(v.Loans) > Most; v.More {
		v.Loans = v.Loans[:Most]
	}
	return nil
}

func (v *View) loan(l books.Loan, now time.Time) Loan {
	row := Loan{Loan: l}
	row.Began, row.Ends, row.Late = v.Terms(l, now)
	return row
}

func (v *View) readFree(keeper books.Keeper) error {
	kinds := map[string][]books.Device{}
	for d, err := range keeper.Devices(books.Page{Find: v.Find}) {
		switch {
		case err != nil:
			return err
		case d.Word() == checkout.Active.String() && d.Holder == "" && d.Out == "":
			kinds[d.Kind] = append(kinds[d.Kind], d)
		}
	}
	for kind, devices := range kinds {
		sort.SliceStable(devices, func(i, j int) bool { return strings.ToLower(devices[i].Name) < strings.ToLower(devices[j].Name) })
		v.Kinds = append(v.Kinds, FreeKind{kind, devices})
	}
	sort.Slice(v.Kinds, func(i, j int) bool { return v.Kinds[i].Kind < v.Kinds[j].Kind })
	return nil
}

// Open is how many devices are free.
func (v *View) Open() (n int) {
	for _, k := range v.Kinds {
		n += len(k.Devices)
	}
	return n
}

func number(n int) string { return strconv.Itoa(n) }
