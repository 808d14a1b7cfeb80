package station

import (
	"context"
	"math"
	"sync"
	"sync/atomic"

	"stump/gpio"
	"stump/internal/learned"
	"stump/internal/task"
	"stump/wiegand"
)

// decoder is the task that turns a reader's edges into reads.
type decoder struct {
	name   string
	source gpio.Adjustable
	reads  chan<- wiegand.Read
	normal wiegand.Normal
	keep   *learned.Store
	cards  atomic.Int32          // from how many the reader's cards are known
	holder atomic.Pointer[Lease] // who has the lines, nil for the decoder; changed under mu

	mu      sync.Mutex // guards what follows
	dec     *wiegand.Decoder
	lastSeq uint32 // of the last edge that the decoder got
	skipped uint32 // how many edges went to holders of a lease
	resume  bool   // the next edge is the first after a lease
}

func newDecoder(r ReaderOptions, reads chan<- wiegand.Read, keep *learned.Store) *decoder {
	r.Decoder.Known = keep.Reader(r.Name).Cards
	d := &decoder{name: r.Name, source: r.Source, reads: reads, normal: r.Normal, keep: keep, dec: wiegand.NewDecoder(r.Decoder)}
	d.cards.Store(int32(d.dec.Cards()))
	return d
}

func (d *decoder) String() string { return `reader "` + d.name + `"` }

func (d *decoder) stats() wiegand.Stats {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.dec.Stats()
}

// Run reads edges until ctx is done. Time stamps alone decide what is a frame:
// the decoder learns that the lines were silent only when the source says that
// it has handed over every edge up to then.
func (d *decoder) Run(ctx context.Context) error {
	task.Urgent()
	defer context.AfterFunc(ctx, func() { d.source.Close() })()
	edges := make([]wiegand.Edge, 1024)
	for {
		until := int64(math.MaxInt64)
		if t, open := d.dec.Deadline(); open {
			until = t
		}
		n, now, err := d.source.Read(edges, until)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		d.mu.Lock()
		d.hand(ctx, edges[:n])
		if t, open := d.dec.Deadline(); open && now >= t {
			d.deliver(ctx, d.dec.Advance(now))
		}
		d.mu.Unlock()
	}
}

// hand gives edges to whoever has the lines. Edges that went to the holder of
// a lease are not lost ones to the decoder.
func (d *decoder) hand(ctx context.Context, edges []wiegand.Edge) {
	if l := d.holder.Load(); l != nil {
		l.take(edges)
		d.resume = true
		return
	}
	for _, e := range edges {
		if d.resume {
			d.resume, d.skipped = false, e.Seq-(d.lastSeq+1)
		}
		if e.Seq != 0 {
			e.Seq -= d.skipped
			d.lastSeq = e.Seq
		}
		d.deliver(ctx, d.dec.Push(e))
	}
}

func (d *decoder) deliver(ctx context.Context, reads []wiegand.Read) {
	for _, read := range reads {
		d.normal.Apply(&read)
		select {
		case d.reads <- read:
		case <-ctx.Done():
		}
	}
	if len(reads) > 0 {
		d.cards.Store(int32(d.dec.Cards()))
		if cards, news := d.dec.Learned(); news {
			d.keep.Update(d.name, func(r *learned.Reader) { r.Cards = cards })
		}
	}
}
