// Package labels is the page from which labels for devices are printed, on sheets of them.
package labels

import (
	"fmt"
	"net/url"
	"sort"
	"strconv"
	"strings"

	"rsc.io/qr"

	"stump/checkout"
	"stump/internal/books"
	"stump/internal/console/ui"
)

// A sheet of A4 with labels of one size, as shops sell them.
type sheet struct {
	Name          string // labels on a sheet; also its class in the styles
	Width, Height string // of a label, in mm
}

var sheets = []sheet{{"24", "70", "37"}, {"40", "52.5", "29.7"}, {"65", "38.1", "21.2"}}

// most is how many labels a page has.
const most = 1000

// View is the page.
type View struct {
	ui.Frame
	Find   string
	Sheet  string // the name of one
	Skip   int    // labels that are gone from the first sheet
	Labels []Label
}

// Label is one label.
type Label struct {
	books.Device
	QR Code
}

// Code is a QR code: a path of its black squares, and how wide it is.
type Code struct {
	Path string
	Size int
}

// Read reads what an address asks for.
func Read(q url.Values) (v View) {
	v.Find, v.Sheet = strings.TrimSpace(q.Get("q")), sheets[0].Name
	for _, s := range sheets {
		if q.Get("sheet") == s.Name {
			v.Sheet = s.Name
		}
	}
	v.Skip, _ = strconv.Atoi(q.Get("skip"))
	v.Skip = min(max(v.Skip, 0), 64)
	return v
}

// Make makes the page of what the books say. site is where the station is reached, which is
// what a code says, with the device's path.
func Make(v View, keeper books.Keeper, site string) (View, error) {
	for d, err := range keeper.Devices(books.Page{Find: v.Find}) {
		if err != nil {
			return v, err
		}
		if d.Status != checkout.Active || len(v.Labels) == most {
			continue
		}
		code, err := Encode(site + string(ui.To("/devices/", d.ID)))
		if err != nil {
			return v, fmt.Errorf("the label of %s: %w", d.ID, err)
		}
		v.Labels = append(v.Labels, Label{d, code})
	}
	sort.SliceStable(v.Labels, func(i, j int) bool { return strings.ToLower(v.Labels[i].Name) < strings.ToLower(v.Labels[j].Name) })
	return v, nil
}

// quiet is the white that a reader needs around a code, in squares (ISO/IEC 18004).
const quiet = 4

// Encode makes a code of a text, of which a quarter may be worn off.
func Encode(text string) (Code, error) {
	c, err := qr.Encode(text, qr.Q)
	if err != nil {
		return Code{}, err
	}
	var path strings.Builder
	for y := range c.Size {
		for x := 0; x < c.Size; x++ {
			begin := x
			for x < c.Size && c.Black(x, y) {
				x++
			}
			if x > begin {
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", begin+quiet, y+quiet, x-begin, x-begin)
			}
		}
	}
	return Code{path.String(), c.Size + 2*quiet}, nil
}

// box is the viewBox of a code.
func (c Code) box() string { return fmt.Sprintf("0 0 %d %d", c.Size, c.Size) }

// blanks are the places that are passed over on the first sheet.
func (v View) blanks() []struct{} { return make([]struct{}, v.Skip) }
