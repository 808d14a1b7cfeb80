package gpio

// direction tells falling edges of one line from rising ones.
//
// With both edges requested the kernel's thread reads the line's level when it
// runs, which may be after a short pulse is over: a pulse can come out as
// rising, rising. But edges of one line alternate, so counting them from the
// idle level tells the direction. Two edges that share one interrupt break the
// count. After a silence the level that the kernel's thread saw is right again,
// and corrects the count.
type direction struct {
	high   bool  // the level, by counting
	seen   bool  // the level after the last edge, as the kernel saw it
	last   int64 // time of the last edge
	broken bool  // the count is worth nothing until the next edge
}

// quiet is the silence in nanoseconds after which the level that the kernel saw
// is better than the count. A pulse lasts 100 µs at most.
const quiet = 2e6

// start begins at a level that was read.
func (d *direction) start(high bool) { *d = direction{high: high, seen: high} }

// next returns whether an edge is a rising one. doubt is true when the count
// was found to be wrong: an edge was lost without a gap in the numbers.
func (d *direction) next(e event) (rising, doubt bool) {
	switch {
	case e.lost > 0 || d.broken:
		d.high = !e.rising
	case e.time-d.last >= quiet && d.seen != d.high:
		d.high = d.seen
		doubt = true
	}
	*d = direction{high: !d.high, seen: e.rising, last: e.time}
	return d.high, doubt
}
