// Package reports is the page that says how devices are used: how often by kind and month,
// what is out the longest, what should be back, and what nobody takes.
package reports

import (
	"cmp"
	"encoding/csv"
	"io"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"stump/checkout"
	"stump/internal/books"
	"stump/internal/console/ui"
	"stump/internal/sheet"
)

// Months is how many months a report goes back, the running one included.
const Months = 12

// Report is what the page says.
type Report struct {
	From    time.Time // the first month's beginning
	Kinds   []Use     // the most used first
	Out     []Span    // what is out the longest, of those whose time is known
	Overdue int
	Unused  []books.Device // that nobody has had since From
	Undated int            // times that something was taken when the station did not know the time
}

// Use is how often devices of a kind were taken in each month.
type Use struct {
	Kind    string
	Devices int // in the register
	Taken   [Months]int
	All     int
}

// Span is a loan that lasts.
type Span struct {
	books.Loan
	Days int
}

// mostOut is how many of the longest loans a report has.
const mostOut = 20

// begin is the beginning of the first month of a report.
func begin(now time.Time) time.Time {
	y, m, _ := now.Date()
	return time.Date(y, m-Months+1, 1, 0, 0, 0, 0, now.Location())
}

// Make makes a report of what the books say.
func Make(keeper books.Keeper, now time.Time) (r Report, err error) {
	r.From = begin(now)
	kinds, used := map[string]*Use{}, map[string]bool{}
	kindOf := map[string]string{}
	of := func(kind string) *Use {
		if kinds[kind] == nil {
			kinds[kind] = &Use{Kind: kind}
		}
		return kinds[kind]
	}
	var all []books.Device
	for d, err := range keeper.Devices(books.Page{}) {
		if err != nil {
			return r, err
		}
		if kindOf[d.ID] = d.Kind; d.Status == checkout.Active {
			of(d.Kind).Devices++
			all = append(all, d)
		}
	}
	for e, err := range keeper.History(books.HistoryFilter{Since: r.From}) {
		if err != nil {
			return r, err
		}
		if e.Kind != checkout.Checkout && e.Kind != checkout.Handover {
			continue
		}
		used[e.Device] = true
		if !e.ClockTrusted {
			r.Undated++
			continue
		}
		if month := monthsBetween(r.From, e.Time.In(now.Location())); month >= 0 && month < Months {
			u := of(kindOf[e.Device])
			u.Taken[month]++
			u.All++
		}
	}
	if err := r.readLoans(keeper, now, used); err != nil {
		return r, err
	}
	for _, d := range all {
		if !used[d.ID] {
			r.Unused = append(r.Unused, d)
		}
	}
	for _, u := range kinds {
		r.Kinds = append(r.Kinds, *u)
	}
	sort.Slice(r.Kinds, func(i, j int) bool {
		a, b := &r.Kinds[i], &r.Kinds[j]
		return a.All > b.All || a.All == b.All && a.Kind < b.Kind
	})
	sort.SliceStable(r.Unused, func(i, j int) bool { return strings.ToLower(r.Unused[i].Name) < strings.ToLower(r.Unused[j].Name) })
	return r, nil
}

// readLoans reads what is out now, and notes that it is used.
func (r *Report) readLoans(keeper books.Keeper, now time.Time, used map[string]bool) error {
	for l, err := range keeper.Loans(books.LoanFilter{Now: now}) {
		if err != nil {
			return err
		}
		if used[l.DeviceID] = true; l.Overdue {
			r.Overdue++
		}
		if l.ClockTrusted {
			r.Out = append(r.Out, Span{l.Shown(), int(now.Sub(l.Since).Hours() / 24)})
		}
	}
	sort.SliceStable(r.Out, func(i, j int) bool { return r.Out[i].Since.Before(r.Out[j].Since) })
	r.Out = r.Out[:min(len(r.Out), mostOut)]
	return nil
}

func monthsBetween(from, t time.Time) int {
	return (t.Year()-from.Year())*12 + int(t.Month()) - int(from.Month())
}

// Month is the beginning of the n-th month.
func (r Report) Month(n int) time.Time { return r.From.AddDate(0, n, 0) }

// WriteCSV writes how often each kind was taken in each month, a line for both.
func (r Report) WriteCSV(w io.Writer) error {
	c := csv.NewWriter(w)
	_ = c.Write([]string{"kind", "devices", "month", "taken"})
	for _, u := range r.Kinds {
		for n, taken := range u.Taken {
			_ = c.Write([]string{sheet.Harmless(u.Kind), strconv.Itoa(u.Devices), r.Month(n).Format("2006-01"), strconv.Itoa(taken)})
		}
	}
	c.Flush()
	return c.Error()
}

// View is the page.
type View struct {
	ui.Frame
	Report
	Names bool // whether who asks may see a person's page
}

// The picture of a kind's months, in its own units.
const (
	barWidth  = 18
	barGap    = 4
	barHeight = 32
)

// most is the largest number of a month.
func (r Report) most() int {
	most := 1
	for _, u := range r.Kinds {
		most = max(most, slices.Max(u.Taken[:]))
	}
	return most
}

// bar is where the bar of a month is in its picture.
func (r Report) bar(n, taken int) (x, y, height string) {
	h := taken * barHeight / r.most()
	if taken > 0 {
		h = max(h, 1)
	}
	return strconv.Itoa(n * (barWidth + barGap)), strconv.Itoa(barHeight - h), strconv.Itoa(h)
}

// said is what a picture shows, in words.
func (v View) said(u Use) string {
	var words []string
	for n, taken := range u.Taken {
		if taken > 0 {
			words = append(words, v.Months[v.Month(n).Month()-1]+" "+strconv.Itoa(taken))
		}
	}
	return cmp.Or(strings.Join(words, ", "), "0")
}
