package simlab

import (
	"slices"
	"sync"

	"stump/wiegand"
)

// recentEdges is how many edges are kept: nine cards of 26 bits, or the newest
// of a noise.
const recentEdges = 256

// recent keeps the newest edges that the station has read, for whoever wants
// to see what came over the wires.
type recent struct {
	mu    sync.Mutex
	edges []wiegand.Edge
}

func (r *recent) note(edges []wiegand.Edge) {
	if len(edges) == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.edges = append(r.edges, edges...)
	if over := len(r.edges) - recentEdges; over > 0 {
		r.edges = slices.Delete(r.edges, 0, over)
	}
}

// Since returns the edges that the station has read from a time of Now on, at
// most the newest 256. In service they are the falling ones: the bits.
func (l *Lines) Since(t int64) []wiegand.Edge {
	l.recent.mu.Lock()
	defer l.recent.mu.Unlock()
	i := slices.IndexFunc(l.recent.edges, func(e wiegand.Edge) bool { return e.Time >= t })
	if i < 0 {
		return nil
	}
	return slices.Clone(l.recent.edges[i:])
}
