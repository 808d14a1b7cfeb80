package wiegand

import (
	"errors"
	"io"
	"slices"
)

// Record is a read as `stump decode --json` prints it. Every key is always
// there; what is unknown is null.
type Record struct {
	StartNS  int64    `json:"start_ns"`
	EndNS    int64    `json:"end_ns"`
	Bits     string   `json:"bits"`
	Count    int      `json:"count"`
	OK       bool     `json:"ok"`
	Format   *string  `json:"format"`
	Also     []string `json:"also"`
	Facility *uint64  `json:"facility"`
	Number   *uint64  `json:"number"`
	Raw      string   `json:"raw"`
	Fault    *Fault   `json:"fault"`
	Repaired *Repair  `json:"repaired"`
	// Key is a keypad's, "0" to "9", "*" or "#"; only key presses have it.
	Key *string `json:"key,omitempty"`
}

// NewRecord makes the record of a read. Also lists the formats that fit
// besides the read's own: every known one, and the site's own among enabled;
// of a refused frame it says what card this would be if it were enabled.
func NewRecord(r *Read, enabled []*Format) Record {
	rec := Record{StartNS: r.Start, EndNS: r.End, Bits: r.Bits.String(), Count: r.Bits.Len(), OK: r.OK(),
		Also: []string{}, Raw: r.Bits.Decimal()}
	if r.Count > MaxBits {
		rec.Count = r.Count
	}
	if r.Fault != "" {
		rec.Fault = &r.Fault
	}
	if r.Repaired != "" {
		rec.Repaired = &r.Repaired
	}
	if r.Format != nil {
		rec.Format, rec.Number = &r.Format.Name, &r.Fields.Number
		if r.Format.HasFacility() {
			rec.Facility = &r.Fields.Facility
		}
	}
	if r.Key != 0 {
		key := string(r.Key)
		rec.Key = &key
		return rec
	}
	own := slices.DeleteFunc(slices.Clone(enabled), func(f *Format) bool { return f.Raw() || slices.Contains(table, f) })
	for _, f := range append(Formats(), own...) {
		if _, ok := f.Unpack(r.Bits); ok && f != r.Format {
			rec.Also = append(rec.Also, f.Name)
		}
	}
	return rec
}

// Edges is a source of edges: a TraceReader or a Capture. Next returns
// io.EOF at the end.
type Edges interface{ Next() (Edge, error) }

// Decode reads edges to the end and calls yield with every read, in order,
// until it returns an error. The end of the edges closes the last frame. Its
// memory does not depend on the length. The Read is valid during the call.
func Decode(src Edges, d *Decoder, yield func(*Read) error) error {
	for {
		e, err := src.Next()
		var reads []Read
		end := errors.Is(err, io.EOF)
		switch {
		case end:
			reads = d.Advance(d.cur.deadline())
		case err != nil:
			return err
		default:
			reads = d.Push(e)
		}
		for i := range reads {
			if err := yield(&reads[i]); err != nil {
				return err
			}
		}
		if end {
			return nil
		}
	}
}
