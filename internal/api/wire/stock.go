package wire

import (
	"fmt"
	"time"

	"stump/checkout/stock"
	"stump/internal/books"
	"stump/internal/count"
)

// Stock is a stock-taking: the one that is under way, or else the last one.
type Stock struct {
	State string     `json:"state"` // open, ended, or none
	Begun *time.Time `json:"begun"` // null if that has not happened, or the station does not know when
	Ended *time.Time `json:"ended"`
	Seen  int        `json:"seen"` // devices that were shown
	// Rows are the devices of which something was found that is not put right yet.
	Rows []StockRow `json:"rows"`
}

// StockRow is what was found of a device, or a tag that nobody has.
type StockRow struct {
	Found    stock.Finding `json:"found"`
	Device   *string       `json:"device"`
	DeviceID *string       `json:"device_id"`
	Kind     *string       `json:"kind"`
	Place    *string       `json:"place"`
	Person   *string       `json:"person"` // who is said to have it
	PersonID *string       `json:"person_id"`
	Number   *string       `json:"number"` // the end of an unknown tag's
}

// Count says which device is here.
type Count struct {
	Device string `json:"device"`
}

// Counted is the device that is here.
type Counted struct {
	Device   string `json:"device"`
	DeviceID string `json:"device_id"`
	Again    bool   `json:"again"` // it was shown before
	Seen     int    `json:"seen"`  // devices so far
}

// StartStock says where a stock-taking counts.
type StartStock struct {
	Reader string `json:"reader"` // by its name; "" is all
}

// FinishStock says how a stock-taking ends.
type FinishStock struct {
	Correct bool `json:"correct"` // what was found is put right
}

// StockOf is a stock-taking as it travels.
func StockOf(is books.Stock, unknown []Unknown) Stock {
	state := "ended"
	switch {
	case !is.Taken:
		state = "none"
	case is.Open:
		state = "open"
	}
	s := Stock{State: state, Begun: timeOrNull(is.Begun), Ended: timeOrNull(is.Ended), Seen: is.Seen, Rows: []StockRow{}}
	for _, r := range is.Rows {
		s.Rows = append(s.Rows, StockRow{r.Finding, textOrNull(r.Name), textOrNull(r.ID), textOrNull(r.Kind), textOrNull(r.Place), textOrNull(r.HolderName), textOrNull(r.Holder), nil})
	}
	for _, u := range unknown {
		s.Rows = append(s.Rows, StockRow{Found: stock.Unknown, Number: textOrNull(u.Number)})
	}
	return s
}

func timeOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func textOrNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// Summary says in lines how far a stock-taking is, and how much it has found.
func (s Stock) Summary(begun, ended string) string {
	here := ", " + count.Of(s.Seen, "device") + " here\n"
	text := "no stock was taken yet\n"
	switch s.State {
	case "open":
		text = "under way since " + begun + here
	case "ended":
		text = "ended " + ended + here
	}
	for _, f := range append(stock.Findings, stock.Unknown) {
		n := 0
		for _, r := range s.Rows {
			if r.Found == f {
				n++
			}
		}
		if n > 0 {
			text += fmt.Sprintf("%5d  %s\n", n, f.Words())
		}
	}
	return text
}
