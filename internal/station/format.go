package station

import (
	"strconv"
	"strings"
	"time"

	"stump/internal/panel"
	"stump/wiegand"
)

// unknownFormat says that a card came intact, but is of a format that is not
// enabled, and what the configuration needs. The log says it once a minute.
func (a *attendant) unknownFormat(read wiegand.Read) answer {
	line, others := wiegand.Enable(read.Bits, a.r.Decoder.Formats)
	a.watch.unknown(a.now(), &read, line, others)
	if now := a.now(); now >= a.format {
		a.log.Warn("cards of an unknown format, intact and equal each time", "bits", read.Bits.Len(), "put", line, "or", strings.Join(others, ", "))
		a.format = now + time.Minute
	}
	return a.show(panel.Message{Key: "unknown-format", Number: strconv.Itoa(read.Bits.Len())})
}
