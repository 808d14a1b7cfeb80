package checkout

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
	"path/filepath"
)

// KeyLen is the length of a site key in bytes.
const KeyLen = 32

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
func LoadKeys(path string) (Keys, error) {
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
		if err != nil || len(k) != KeyLen {
			return Keys{}, fmt.Errorf("%s:%d: a site key is %d hexadecimal digits", path, i+1, 2*KeyLen)
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
func LoadOrCreateKey(path string) (Keys, error) {
	k, err := LoadKeys(path)
	if !errors.Is(err, os.ErrNotExist) {
		return k, err
	}
	k = Keys{Current: NewKey()}
	return k, SaveKeys(path, k)
}

// NewKey returns a random site key.
func NewKey() []byte {
	k := make([]byte, KeyLen)
	rand.Read(k) // never fails, see crypto/rand
	return k
}

// Rotate returns keys whose current key is next; the current one becomes old.
func (k Keys) Rotate(next []byte) Keys {
	return Keys{Current: next, Old: append([][]byte{k.Current}, k.Old...)}
}

// SaveKeys writes a key file with mode 0600, so that a power cut leaves the
// old file or the new one.
func SaveKeys(path string, k Keys) error {
	var b bytes.Buffer
	b.WriteString("# Site key of this stump. Whoever has it and the ledger can find badge numbers.\n")
	for _, key := range append([][]byte{k.Current}, k.Old...) {
		if len(key) != KeyLen {
			return fmt.Errorf("a site key has %d bytes, not %d", KeyLen, len(key))
		}
		fmt.Fprintf(&b, "%x\n", key)
	}
	return writeFileSync(path, b.Bytes(), 0o600)
}

// writeFileSync replaces the file at path by data: temporary name, sync,
// rename, sync of the folder.
func writeFileSync(path string, data []byte, mode os.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails after the rename
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(mode)
	}
	if err == nil {
		err = adopt(f.Name())
	}
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	return err
}

// syncDir makes renames in a folder survive a power cut.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// lookupLen is how much of the HMAC is kept: RFC 2104 allows half.
const lookupLen = 16

// keyring looks tags up and seals their numbers under the site key.
type keyring struct {
	lookups [][]byte // HMAC keys, the current first
	seals   []cipher.AEAD
}

func newKeyring(current []byte, old [][]byte) (*keyring, error) {
	kr := new(keyring)
	for _, k := range append([][]byte{current}, old...) {
		if len(k) != KeyLen {
			return nil, fmt.Errorf("a site key has %d bytes, not %d", KeyLen, len(k))
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
		kr.lookups = append(kr.lookups, look)
		kr.seals = append(kr.seals, aead)
	}
	return kr, nil
}

func (t Tag) plain() []byte { return append([]byte{t.Bits}, t.Value[:]...) }

// find returns the key of a tag in the tags tree, under the i-th site key.
func (kr *keyring) find(t Tag, i int) []byte {
	h := hmac.New(sha256.New, kr.lookups[i])
	h.Write(t.plain())
	return h.Sum(nil)[:lookupLen]
}

// check is a value by which a ledger knows its site key.
func (kr *keyring) check(i int) []byte {
	h := hmac.New(sha256.New, kr.lookups[i])
	h.Write([]byte("check"))
	return h.Sum(nil)[:8]
}

// whose stands for a person in the event of their erasure: enough to erase them
// again from an older backup, and nothing to anybody without the key.
func (kr *keyring) whose(id string, i int) []byte {
	h := hmac.New(sha256.New, kr.lookups[i])
	h.Write([]byte("person\x00" + id))
	return h.Sum(nil)[:lookupLen]
}

// seal encrypts the number of a tag, bound to its look-up value.
func (kr *keyring) seal(t Tag) []byte {
	nonce := make([]byte, kr.seals[0].NonceSize(), 64)
	rand.Read(nonce) // never fails, see crypto/rand
	return kr.seals[0].Seal(nonce, nonce, t.plain(), kr.find(t, 0))
}

// unseal is the reverse of seal, for any of the keys.
func (kr *keyring) unseal(lookup, sealed []byte) (Tag, error) {
	for _, a := range kr.seals {
		if len(sealed) < a.NonceSize() {
			break
		}
		n := a.NonceSize()
		b, err := a.Open(nil, sealed[:n], sealed[n:], lookup)
		if err == nil && len(b) == 17 {
			return Tag{Bits: b[0], Value: [16]byte(b[1:])}, nil
		}
	}
	return Tag{}, errors.New("the sealed tag number does not open with this site key")
}
