package loan

import (
	"maps"
	"slices"
	"time"

	"stump/checkout"
)

// AllKinds stands in Rules.Limit for devices of all kinds together.
const AllKinds = "*"

// Wish is somebody's wish to take a device.
type Wish struct {
	Kind string // the device's
	// Out is the day until which the device is out of service; Today is empty while it is not
	// known.
	Out, Today checkout.Day
	// Groups are the person's. Unknown: nobody knows yet whose badge it is, so that no group
	// can be missing.
	Groups  checkout.Groups
	Unknown bool
	// Has is how many devices of each kind the person has, and All how many there are if what
	// lies in a kit is one device with it.
	Has map[string]int
	All int
	// Part: the device goes along with a kit, and is one device with it.
	Part bool
}

// May is why a wish is refused: of several reasons the first of a device that is out of
// service, a group that is missing, and a limit, of that of the kind before that of all.
func (r Rules) May(w Wish) checkout.Why {
	if w.Out.Waits(w.Today) {
		return checkout.Why{Out: w.Out, Today: w.Today}
	}
	if needs := r.Needs[w.Kind]; len(needs) > 0 && !w.Unknown && !slices.ContainsFunc(needs, w.Groups.Has) {
		return checkout.Why{Needs: checkout.GroupsOf(needs...)}
	}
	if most, ok := r.Limit[w.Kind]; ok && w.Has[w.Kind] >= most {
		return checkout.Why{Limit: most, Of: w.Kind}
	}
	if most, ok := r.Limit[AllKinds]; ok && w.All >= most && !w.Part {
		return checkout.Why{Limit: most}
	}
	return checkout.Why{}
}

// Take is a wish after its device was taken.
func (w Wish) Take() Wish {
	w.Has = maps.Clone(w.Has)
	if w.Has == nil {
		w.Has = map[string]int{}
	}
	if w.Has[w.Kind]++; !w.Part {
		w.All++
	}
	return w
}

// Counts reports whether what somebody has matters to who takes a device of a kind.
func (r Rules) Counts(kind string) bool {
	_, own := r.Limit[kind]
	_, all := r.Limit[AllKinds]
	return own || all
}

// Named are the groups that the rules name: no others matter here.
func (r Rules) Named() checkout.Groups {
	all := slices.Collect(maps.Keys(r.Groups))
	for _, needs := range r.Needs {
		all = append(all, needs...)
	}
	return checkout.GroupsOf(all...)
}

// longer is the longer of two lengths, of which 0 has no end; shorter is the other one.
func longer(a, b time.Duration) time.Duration {
	if a == 0 || b == 0 {
		return 0
	}
	return max(a, b)
}

func shorter(a, b time.Duration) time.Duration {
	if a == 0 || b == 0 {
		return max(a, b)
	}
	return min(a, b)
}
