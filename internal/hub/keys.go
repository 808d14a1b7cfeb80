package hub

import (
	"bytes"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"stump/internal/hint"
	"stump/internal/lab/wire"
	"stump/internal/safefile"
	"stump/internal/sitekey"
)

// Keys are what a hub knows and its database does not: the site key of each lab, and the
// secret that the codes of this hub are made with. They lie in files that only the hub may
// read. Several hubs of one database have the same ones.
type Keys struct{ Dir string }

const hubKeyFile = "hub.key"

// siteKeyFile is the file of a lab's site key.
func (k Keys) siteKeyFile(lab string) string {
	return filepath.Join(k.Dir, "site-"+hex.EncodeToString([]byte(lab))+".key")
}

// hubKey is the secret of the codes. It is made where there is none.
func (k Keys) hubKey() ([]byte, error) {
	path := filepath.Join(k.Dir, hubKeyFile)
	read := func() ([]byte, error) {
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		key, err := hex.DecodeString(string(bytes.TrimSpace(b)))
		if err != nil || len(key) != 32 {
			return nil, hint.Errorf("put the file of another hub of this database there, or remove it: codes that wait are then void", "%s: it has no key of 64 hexadecimal digits", path)
		}
		return key, nil
	}
	key, err := read()
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	key = make([]byte, 32)
	rand.Read(key) // never fails, see crypto/rand
	if err := create(path, fmt.Appendf(nil, "%x\n", key)); err != nil {
		return nil, err
	}
	return read() // another process may have been first
}

// create writes a file that is not there yet; one that is stays as it is.
func create(path string, b []byte) error {
	own := path + ".new-" + rand.Text()
	if err := safefile.Write(own, b, 0o600); err != nil {
		return err
	}
	defer os.Remove(own)
	if err := os.Link(own, path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return safefile.SyncDir(filepath.Dir(path))
}

// code returns the code of an id, to join by the address url.
func (k Keys) code(id, url string, pin []byte) (wire.Code, error) {
	key, err := k.hubKey()
	if err != nil {
		return wire.Code{}, err
	}
	secret, err := hkdf.Key(sha256.New, key, nil, "stump join code 1 "+id, 20)
	return wire.Code{URL: url, Pin: pin, ID: id, Secret: secret}, err
}

// NewCode returns a new code.
func (k Keys) NewCode(url string, pin []byte) (wire.Code, error) {
	return k.code(rand.Text()[:12], url, pin)
}

// Site is the site key of a lab; nil if there is none yet.
func (k Keys) Site(lab string) ([]byte, error) {
	all, err := sitekey.Load(k.siteKeyFile(lab))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return all.Current, err
}

// SetSite keeps the site key of a lab that has none, and returns that which it has.
func (k Keys) SetSite(lab string, key []byte) ([]byte, error) {
	err := create(k.siteKeyFile(lab), fmt.Appendf(nil, "# Site key of the lab %s. Whoever has it and the database can find badge numbers.\n%x\n", lab, key))
	if err != nil {
		return nil, err
	}
	return k.Site(lab)
}

// check is by what a site key is recognised.
func check(key []byte) ([]byte, error) {
	ring, err := sitekey.NewRing(key, nil)
	if err != nil {
		return nil, err
	}
	return ring.Check(0), nil
}

// Whose returns what stands for people in the events of their erasure in a lab; nil before it
// has a site key.
func (k Keys) Whose(lab string) (func(person string) []byte, error) {
	key, err := k.Site(lab)
	if key == nil || err != nil {
		return nil, err
	}
	ring, err := sitekey.NewRing(key, nil)
	if err != nil {
		return nil, err
	}
	return func(person string) []byte { return ring.Whose(person, 0) }, nil
}
