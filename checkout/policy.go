package checkout

// Policy is what a bump means when somebody else has the device.
type Policy string

// The policies. The empty Policy is PolicyHandover.
const (
	PolicyHandover Policy = "handover" // it goes from the holder to the person
	PolicyReturn   Policy = "return"   // the person brings it back for the holder
	PolicyRefuse   Policy = "refuse"   // nothing changes
)

// OverduePolicy is what it means that somebody takes a device who has another that should
// be back. The empty OverduePolicy is nothing.
type OverduePolicy string

// The policies.
const (
	OverdueWarn   OverduePolicy = "warn"   // they get it, and are reminded of the other
	OverdueRefuse OverduePolicy = "refuse" // nothing changes; they bring the other back first
)

// ReservedPolicy is what it means that somebody takes a device that another has reserved.
// The empty ReservedPolicy is ReservedWarn.
type ReservedPolicy string

// The policies.
const (
	ReservedWarn   ReservedPolicy = "warn"   // they get it until it is reserved, and read for whom
	ReservedRefuse ReservedPolicy = "refuse" // nothing changes
)

// Decide is the rule of a completed pair: what it means that person bumped
// with a device that holder has ("" for a free device). ok is false when the
// policy refuses.
func Decide(policy Policy, person, holder string) (kind Kind, ok bool) {
	switch {
	case holder == "":
		return Checkout, true
	case holder == person:
		return Return, true
	case policy == PolicyReturn:
		return Return, true
	case policy == PolicyRefuse:
		return "", false
	}
	return Handover, true
}
