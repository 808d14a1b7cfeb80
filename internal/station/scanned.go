package station

import (
	"net/url"
	"strings"
	"time"

	"stump/checkout"
	"stump/internal/panel"
	"stump/wiegand"
)

// scanned takes the code of a device's label: it counts as the device's tag, whether it has
// one or not. A code that is no device's ends nothing.
func (a *attendant) scanned(read wiegand.Read) answer {
	id, _ := labelled(read.Text)
	subject, err := a.o.Ledger.Scanned(id)
	switch {
	case err != nil:
		return a.unreadable(err)
	case subject.Kind == checkout.Unknown:
		at := time.Duration(read.End)
		if a.desk.Tap(at, checkout.Subject{Tag: checkout.NoTag(read.Text), Fits: checkout.KindDevice}).Kind == checkout.Ignored {
			return answer{repeated: true}
		}
		a.log.Info("a code that is no device's was scanned")
		a.o.Trace.Note(checkout.Refusal{Reason: "unknown code", Reader: a.r.Name})
		return a.show(panel.Message{Key: "unknown-device", Number: id})
	}
	return a.tap(time.Duration(read.End), subject)
}

// labelled is the id of the device whose page has this address. Which host it names says
// nothing: the stations of a lab have different ones, and a label outlives them.
func labelled(address string) (id string, ok bool) {
	u, err := url.Parse(address)
	if err != nil {
		return "", false
	}
	id, ok = strings.CutPrefix(u.EscapedPath(), "/devices/")
	if !ok || strings.Contains(id, "/") {
		return "", false
	}
	id, err = url.PathUnescape(id)
	return id, err == nil
}
