package ledger

import (
	"stump/checkout/ledger/boltfile"
)

// reserve is how many numbers are set aside at a time.
const reserve = 1000

// reserve sets numbers aside from seq on.
func (l *Ledger) reserve(seq uint64) {
	if seq <= l.ceiling || l.readOnly {
		return
	}
	l.ceiling = seq - 1 + reserve
	if h, err := boltfile.ReadHolder(l.path); err == nil { // of a file that had come farther
		l.ceiling = max(l.ceiling, h.Ceiling)
	}
	if err := boltfile.WriteHolder(l.path, l.ceiling); err != nil {
		l.o.Logger.Warn("can't set event numbers aside", "err", err)
	}
}
