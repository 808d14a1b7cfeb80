package wiegand

// A cable, a level converter or a reader may delay one line against the other, by
// 0.3 ms at worst. The intervals between bits of different value are then longer
// one way and shorter the other, and an even reader's spacing looks uneven.

// minSkew is the fewest changes of line, each way, that show a delay.
const minSkew = 3

// skew is how much later than DATA0 the falls of DATA1 come, in nanoseconds; 0
// where the train does not show it.
func (w *workspace) skew(tr train) int64 {
	var half [2]int64
	for to := range half {
		iv := w.intervals[:0]
		for i := 1; i < len(tr); i++ {
			if int(tr[i].Line) == to && tr[i-1].Line != tr[i].Line {
				iv = append(iv, tr[i].Time-tr[i-1].Time)
			}
		}
		if len(iv) < minSkew {
			return 0
		}
		half[to] = w.quantile(iv, len(iv)/2)
	}
	if s, T := (half[1]-half[0])/2, (half[1]+half[0])/2; 5*max(s, -s) < 2*T {
		return s
	}
	return 0
}

// aligned is a train without a delay of DATA1. The order stays as it was, since
// no bit is delayed beyond the next. It is valid until the next call.
func (w *workspace) aligned(tr train, skew int64) train {
	out := append(train(w.level[:0]), tr...)
	for i := range out {
		out[i].Time -= skew * int64(out[i].Line)
	}
	return out
}

// align measures a train, and takes out the delay of one line, or the one that
// the last good card had, where that makes it even.
func (d *Decoder) align(tr train, n int) (train, timing) {
	tm := d.work.measure(tr, n)
	if tm.even && tm.uneven == 0 || len(tr) < minShape {
		return tr, tm
	}
	skew := d.work.skew(tr)
	if skew == 0 {
		skew = d.skew
	}
	if max(skew, -skew)*16 < tm.interval {
		return tr, tm
	}
	out := d.work.aligned(tr, skew)
	straight := d.work.measure(out, n)
	if !straight.even || tm.even && tm.uneven <= straight.uneven {
		return tr, tm
	}
	d.skew = skew
	return out, straight
}
