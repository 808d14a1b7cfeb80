package ledger

import (
	"stump/checkout/ledger/boltfile"
)

// reserve is how many event numbers are reserved at a time.
const reserve = 1000

// reserve reserves numbers from seq on in the holder file. A full disk must not keep a
// tap from being saved, so it only logs an error.
func (l *Ledger) reserve(seq uint64) {
	if seq <= l.ceiling || l.readOnly {
		return
	}
	l.ceiling = seq - 1 + reserve
	if h, err := boltfile.ReadHolder(l.path); err == nil { // an earlier file may have used more
		l.ceiling = max(l.ceiling, h.Ceiling)
	}
	if err := boltfile.WriteHolder(l.path, l.ceiling); err != nil {
		l.o.Logger.Warn("can't reserve event numbers", "err", err)
	}
}
