package credential

import (
	"fmt"
	"strings"

	"stump/internal/count"
	"stump/wiegand"
)

// NoFormat says why none of formats takes these bits, "" if one does.
func NoFormat(bits wiegand.Bits, formats []*wiegand.Format) string {
	var fail, lengths []string
	for _, f := range formats {
		lengths = append(lengths, fmt.Sprintf("%s %d", f.Name, f.Len))
		if f.Len != bits.Len() {
			continue
		}
		if _, ok := f.Unpack(bits); ok {
			return ""
		}
		fail = append(fail, f.Name)
	}
	n := count.Of(bits.Len(), "bit")
	if len(fail) > 0 {
		return fmt.Sprintf("%s that no enabled format takes: the parity is wrong for %s", n, strings.Join(fail, ", "))
	}
	return fmt.Sprintf("%s that no enabled format takes: %s bits", n, strings.Join(lengths, ", "))
}
