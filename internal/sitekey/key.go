// Package sitekey keeps the site key: under it tags are looked up and their
// numbers sealed.
package sitekey

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"

	"stump/checkout"
	"stump/internal/safefile"
)

// KeyLen is the length of a site key in bytes.
const Len = 32

// Keys are the site key and those before it. A badge number has so few values
// that a plain hash can be reversed in seconds; under a key that lies outside
// the database it can't.
type Keys struct {
	Current []byte
	// Old keys only find tags that were enrolled under them; such a tag is
	// enrolled anew under Current at its next tap.
	Old [][]byte
}

// LoadKeys reads a key file: one key a line, 64 hexadecimal digits, the
// current one first. Empty lines and lines that start with # are skipped.
func Load(path string) (Keys, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return Keys{}, err
	}
	var all [][]byte
	for i, line := range bytes.Split(b, []byte("\n")) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		k, err := hex.DecodeString(string(line))
		if err != nil || len(k) != Len {
			return Keys{}, fmt.Errorf("%s:%d: a site key is %d hexadecimal digits", path, i+1, 2*Len)
		}
		all = append(all, k)
	}
	if len(all) == 0 {
		return Keys{}, fmt.Errorf("%s: no site key in it", path)
	}
	return Keys{Current: all[0], Old: all[1:]}, nil
}

// LoadOrCreateKey reads the key file at path, or makes one with a fresh key
// that only its owner may read.
func LoadOrCreate(path string) (Keys, error) {
	k, err := Load(path)
	if !errors.Is(err, os.ErrNotExist) {
		return k, err
	}
	k = Keys{Current: New()}
	return k, Save(path, k)
}

// NewKey returns a random site key.
func New() []byte {
	k := make([]byte, Len)
	rand.Read(k) // never fails, see crypto/rand
	return k
}

// Rotate returns keys whose current key is next; the current one becomes old.
func (k Keys) Rotate(next []byte) Keys {
	return Keys{Current: next, Old: append([][]byte{k.Current}, k.Old...)}
}

// SaveKeys writes a key file with mode 0600, so that a power cut leaves the
// old file or the new one.
func Save(path string, k Keys) error {
	var b bytes.Buffer
	b.WriteString("# Site key of this stump. Whoever has it and the ledger can find badge numbers.\n")
	for _, key := range append([][]byte{k.Current}, k.Old...) {
		if len(key) != Len {
			return fmt.Errorf("a site key has %d bytes, not %d", Len, len(key))
		}
		fmt.Fprintf(&b, "%x\n", key)
	}
	return safefile.Write(path, b.Bytes(), 0o600)
}

// lookupLen is how much of the HMAC is kept: RFC 2104 allows half.
const lookupLen = 16

// keyring looks tags up and seals their numbers under the site key.
type Ring struct {
	Lookups [][]byte // HMAC keys, the current first
	seals   []cipher.AEAD
}

func NewRing(current []byte, old [][]byte) (*Ring, error) {
	kr := new(Ring)
	for _, k := range append([][]byte{current}, old...) {
		if len(k) != Len {
			return nil, fmt.Errorf("a site key has %d bytes, not %d", Len, len(k))
		}
		look, err := hkdf.Key(sha256.New, k, nil, "stump tag look-up 1", 32)
		if err != nil {
			return nil, err
		}
		seal, err := hkdf.Key(sha256.New, k, nil, "stump tag seal 1", 32)
		if err != nil {
			return nil, err
		}
		block, err := aes.NewCipher(seal)
		if err != nil {
			return nil, err
		}
		aead, err := cipher.NewGCM(block)
		if err != nil {
			return nil, err
		}
		kr.Lookups = append(kr.Lookups, look)
		kr.seals = append(kr.seals, aead)
	}
	return kr, nil
}

// find returns the key of a tag in the tags tree, under the i-th site key.
func (kr *Ring) Find(t checkout.Tag, i int) []byte {
	h := hmac.New(sha256.New, kr.Lookups[i])
	h.Write(t.Bytes())
	return h.Sum(nil)[:lookupLen]
}

// check is a value by which a ledger knows its site key.
func (kr *Ring) Check(i int) []byte {
	h := hmac.New(sha256.New, kr.Lookups[i])
	h.Write([]byte("check"))
	return h.Sum(nil)[:8]
}

// whose stands for a person in the event of their erasure: enough to erase them
// again from an older backup, and nothing to anybody without the key.
func (kr *Ring) Whose(id string, i int) []byte {
	h := hmac.New(sha256.New, kr.Lookups[i])
	h.Write([]byte("person\x00" + id))
	return h.Sum(nil)[:lookupLen]
}

// Seal encrypts the number of a tag, bound to its look-up value.
func (kr *Ring) Seal(t checkout.Tag) []byte {
	nonce := make([]byte, kr.seals[0].NonceSize(), 64)
	rand.Read(nonce) // never fails, see crypto/rand
	return kr.seals[0].Seal(nonce, nonce, t.Bytes(), kr.Find(t, 0))
}

// unseal is the reverse of seal, for any of the keys.
func (kr *Ring) Unseal(lookup, sealed []byte) (checkout.Tag, error) {
	for _, a := range kr.seals {
		if len(sealed) < a.NonceSize() {
			break
		}
		n := a.NonceSize()
		b, err := a.Open(nil, sealed[:n], sealed[n:], lookup)
		if err == nil && len(b) == 17 {
			return checkout.Tag{Bits: b[0], Value: [16]byte(b[1:])}, nil
		}
	}
	return checkout.Tag{}, errors.New("the sealed tag number does not open with this site key")
}
