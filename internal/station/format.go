package station

import (
	"strconv"
	"strings"
	"time"

	"stump/checkout"
	"stump/internal/credential"
	"stump/internal/panel"
	"stump/wiegand"
)

// unknownFormat says that a card came intact, but is of a format that is not
// enabled, and what the configuration needs. The log says it once a minute. It may
// be somebody's badge, so at the desk it is a tag that nobody knows.
func (a *attendant) unknownFormat(read wiegand.Read) answer {
	line, others := wiegand.Enable(read.Bits, a.r.Decoder.Formats)
	a.watch.unknown(a.now(), &read, line, others)
	if now := a.now(); now >= a.format {
		a.log.Warn("cards of an unknown format, intact and equal each time", "bits", read.Bits.Len(), "put", line, "or", strings.Join(others, ", "))
		a.format = now + time.Minute
	}
	s := checkout.Subject{Tag: credential.Tag(read.Bits)}
	out := a.desk.Tap(time.Duration(read.End), s)
	if out.Kind == checkout.Ignored {
		return answer{repeated: true}
	}
	a.visits++
	a.trace(checkout.Refusal{Tag: s.Tag, Unknown: true, Reason: "unknown format"})
	return a.show(panel.Message{Key: "unknown-format", Number: strconv.Itoa(read.Bits.Len()), Ended: a.ended(out)})
}
