package wire

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"

	"stump/internal/hint"
)

// Code lets one station join a lab. It is a single word that people copy.
type Code struct {
	URL string `json:"u"` // of the hub
	// Pin is the SHA-256 of the public key of the hub's certificate; empty where the
	// certificate is from an authority that machines know.
	Pin    []byte `json:"p,omitempty"`
	ID     string `json:"i"` // by which the hub finds it
	Secret []byte `json:"s"`
}

// codePrefix marks a word as a code.
const codePrefix = "stump-"

// String is the word.
func (c Code) String() string {
	b, _ := json.Marshal(c) // never fails
	return codePrefix + base64.RawURLEncoding.EncodeToString(b)
}

// ParseCode reads a word.
func ParseCode(word string) (c Code, err error) {
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(strings.TrimSpace(word), codePrefix))
	if err == nil {
		err = json.Unmarshal(b, &c)
	}
	if err != nil || c.URL == "" || c.ID == "" || len(c.Secret) < 16 {
		return Code{}, hint.Errorf("copy the whole last word that `stump-hub join-code` prints", "that is not a join code")
	}
	return c, nil
}

// Bearer is how a station shows that it has the code. It does not tell the secret that
// keys are sealed with.
func (c Code) Bearer() string {
	return c.ID + "." + base64.RawURLEncoding.EncodeToString(c.derive("proof"))
}

// Proof is what the hub keeps of the secret, to check a Bearer.
func (c Code) Proof() []byte {
	sum := sha256.Sum256([]byte(c.Bearer()))
	return sum[:]
}

func (c Code) derive(what string) []byte {
	k, err := hkdf.Key(sha256.New, c.Secret, nil, "stump join 1 "+what, 32)
	if err != nil {
		panic(err) // only for a longer key
	}
	return k
}

func (c Code) aead() cipher.AEAD {
	block, _ := aes.NewCipher(c.derive("seal")) // 32 bytes
	aead, _ := cipher.NewGCM(block)
	return aead
}

// Seal encrypts a site key on its way.
func (c Code) Seal(key []byte) []byte {
	a := c.aead()
	nonce := make([]byte, a.NonceSize())
	rand.Read(nonce) // never fails, see crypto/rand
	return a.Seal(nonce, nonce, key, []byte(c.ID))
}

// Open is the reverse of Seal.
func (c Code) Open(sealed []byte) ([]byte, error) {
	a := c.aead()
	if len(sealed) < a.NonceSize() {
		return nil, errors.New("the site key was cut on its way")
	}
	return a.Open(nil, sealed[:a.NonceSize()], sealed[a.NonceSize():], []byte(c.ID))
}
