package checkout

import (
	"crypto/sha256"
	"math/big"
)

// Tag is the identity of a credential: how many bits and which. Tags compare
// with ==. The zero Tag is no tag.
type Tag struct {
	// Bits is the number of bits, 1 to 128; see NoTag.
	Bits uint8
	// Value is all bits as one number, big endian, right aligned.
	Value [16]byte
}

// IsZero reports whether t is no tag.
func (t Tag) IsZero() bool { return t == Tag{} }

// noCard is a number of bits that no card has.
const noCard = 255

// NoTag stands for the tag of the device with an id, where somebody shows the device itself:
// its code was scanned, or its name typed. It is the tag of no card.
func NoTag(id string) (t Tag) {
	sum := sha256.Sum256([]byte(id))
	t.Bits = noCard
	copy(t.Value[:], sum[:])
	return t
}

// IsCard reports whether the tag is that of a card.
func (t Tag) IsCard() bool { return !t.IsZero() && t.Bits != noCard }

// Bytes is the tag in 17 bytes: the number of bits, then the value.
func (t Tag) Bytes() []byte { return append([]byte{t.Bits}, t.Value[:]...) }

// Decimal is the value of all bits, the number that the original client used.
func (t Tag) Decimal() string {
	return new(big.Int).SetBytes(t.Value[:]).String()
}

// String masks the number: all that logs and pages show of a tag is its last
// three digits, since whoever knows a badge number can copy the badge.
func (t Tag) String() string {
	if t.IsZero() {
		return ""
	}
	return Mask(t.Decimal())
}

// Mask reduces a number to its last three digits.
func Mask(number string) string {
	if len(number) > 3 {
		number = number[len(number)-3:]
	}
	return "…" + number
}
