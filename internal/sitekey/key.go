// Package sitekey looks tags up and seals their numbers under the site key. A badge
// number has so few values that a plain hash can be reversed in seconds. Under a key
// that lies outside the ledger it can't.
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
	"hash"
	"os"
	"sync"

	"stump/checkout"
	"stump/internal/safefile"
)

// Len is the length of a site key in bytes.
const Len = 32

// Keys are the site key and those before it.
type Keys struct {
	Current []byte
	// Old keys find the tags that were enrolled under them. At its next tap, such a
	// tag is enrolled under Current.
	Old [][]byte
}

// New returns a random site key.
func New() []byte {
	k := make([]byte, Len)
	rand.Read(k) // never fails, see crypto/rand
	return k
}

// Load reads a key file: one key a line, 64 hexadecimal digits, the current one
// first. Empty lines and lines that start with # are skipped.
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

// LoadOrCreate reads the key file at path. If there is none, it makes one with a new
// key, which only its owner may read.
func LoadOrCreate(path string) (Keys, error) {
	k, err := Load(path)
	if !errors.Is(err, os.ErrNotExist) {
		return k, err
	}
	k = Keys{Current: New()}
	return k, safefile.Write(path, k.File("Site key of this stump."), 0o600)
}

// File is what Load reads. The sentence says what it is.
func (k Keys) File(is string) []byte {
	b := fmt.Appendf(nil, "# %s Whoever has it and the ledger can find badge numbers.\n%x\n", is, k.Current)
	for _, old := range k.Old {
		b = fmt.Appendf(b, "%x\n", old)
	}
	return b
}

// lookupLen is how many bytes of an HMAC are kept: RFC 2104 allows half.
const lookupLen = 16

// Ring looks tags up and seals their numbers under the site key and those before it.
// It counts the keys from 0, the current one.
type Ring struct {
	Lookups [][]byte // HMAC keys
	hashes  []*sync.Pool
	seals   []cipher.AEAD
}

// NewRing returns a ring of keys of [Len] bytes.
func NewRing(current []byte, old [][]byte) (*Ring, error) {
	r := new(Ring)
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
		r.Lookups, r.seals = append(r.Lookups, look), append(r.seals, aead)
		r.hashes = append(r.hashes, &sync.Pool{New: func() any { return hmac.New(sha256.New, look) }})
	}
	return r, nil
}

// mac is what the i-th key makes of a message.
func (r *Ring) mac(i int, message []byte) []byte {
	h := r.hashes[i].Get().(hash.Hash) // a new one has to digest the key first
	defer r.hashes[i].Put(h)
	h.Reset()
	h.Write(message)
	return h.Sum(nil)
}

// Find returns what a tag is looked up by, under the i-th key.
func (r *Ring) Find(t checkout.Tag, i int) []byte { return r.mac(i, t.Bytes())[:lookupLen] }

// Check returns a value by which a ledger recognises the i-th key.
func (r *Ring) Check(i int) []byte { return r.mac(i, []byte("check"))[:8] }

// Whose stands for a person in the event of their erasure. With the key, they can be
// erased from an older backup too; without it, it tells nothing.
func (r *Ring) Whose(id string, i int) []byte { return r.mac(i, []byte("person\x00"+id))[:lookupLen] }

// Sign is what the i-th key makes of a message that somebody outside brings back; nil if
// there is no such key.
func (r *Ring) Sign(message []byte, i int) []byte {
	if i >= len(r.Lookups) {
		return nil
	}
	return r.mac(i, append([]byte("link\x00"), message...))
}

// Seal encrypts the number of a tag under the current key, bound to what the tag is
// looked up by.
func (r *Ring) Seal(t checkout.Tag) []byte {
	nonce := make([]byte, r.seals[0].NonceSize(), 64)
	rand.Read(nonce) // never fails, see crypto/rand
	return r.seals[0].Seal(nonce, nonce, t.Bytes(), r.Find(t, 0))
}

// Unseal is the reverse of Seal, under any of the keys.
func (r *Ring) Unseal(lookup, sealed []byte) (checkout.Tag, error) {
	for _, a := range r.seals {
		n := a.NonceSize()
		if len(sealed) < n {
			break
		}
		b, err := a.Open(nil, sealed[:n], sealed[n:], lookup)
		if err == nil && len(b) == 17 {
			return checkout.Tag{Bits: b[0], Value: [16]byte(b[1:])}, nil
		}
	}
	return checkout.Tag{}, errors.New("the sealed tag number does not open with this site key")
}
