// Package certificate has the TLS certificate of the station's web address: one in
// files, which is read again when they change, or one that the station makes itself.
//
// A browser asks about a self-made certificate, once; its fingerprint is what people
// compare. So it lasts two years, and its key is kept when it is renewed.
package certificate

import (
	"bytes"
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"stump/internal/hint"
	"stump/internal/safefile"
)

// FileName is the file of the self-made certificate and its key in the state folder.
const FileName = "web.pem"

const (
	life   = 730 * 24 * time.Hour // browsers take at most 825 days
	renew  = 30 * 24 * time.Hour  // before its end
	recent = time.Second          // how long a look at the files counts
)

// Options say where the certificate is.
type Options struct {
	// Certificate and Key are PEM files; both empty for a self-made one in Dir.
	Certificate, Key string
	Dir              string
	// Names are the hosts, by name or address, that a self-made one is for.
	Names []string
	Now   func() time.Time // time.Now if nil
	Log   *slog.Logger     // nil is silent
}

// Source hands out the certificate. It is safe for concurrent use.
type Source struct {
	o Options

	mu     sync.Mutex
	cert   *tls.Certificate
	files  [2]stamp // as they were when cert was read
	looked time.Time
	said   string // the fault that was logged last
}

// stamp tells one state of a file from another.
type stamp struct {
	changed time.Time
	size    int64
	id      os.FileInfo
}

func (s stamp) same(t stamp) bool {
	return s.size == t.size && s.changed.Equal(t.changed) && s.id != nil && t.id != nil && os.SameFile(s.id, t.id)
}

// Open reads the certificate, or makes one.
func Open(o Options) (*Source, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Log = cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	s := &Source{o: o}
	if o.Certificate != "" {
		return s, s.read()
	}
	return s, s.ownOne(true)
}

// SelfMade reports whether the station made the certificate.
func (s *Source) SelfMade() bool { return s.o.Certificate == "" }

// Get is for tls.Config.
func (s *Source) Get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.look()
	return s.cert, nil
}

// Current is the certificate that is handed out now.
func (s *Source) Current() *x509.Certificate {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.look()
	return s.cert.Leaf
}

// Fingerprint is a certificate's SHA-256 as browsers show it: pairs of digits with
// colons.
func Fingerprint(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.Raw)
	return strings.ReplaceAll(fmt.Sprintf("% X", sum), " ", ":")
}

// look takes another certificate where there is one. What is wrong with it is logged;
// the old one goes on, also while only one of two files is new. mu is held.
func (s *Source) look() {
	now := s.o.Now()
	if since := now.Sub(s.looked); since >= 0 && since < recent {
		return
	}
	s.looked = now
	var err error
	switch {
	case s.SelfMade():
		if now.After(s.cert.Leaf.NotAfter.Add(-renew)) {
			err = s.ownOne(false)
		}
	case s.changed():
		if err = s.read(); err == nil {
			s.o.Log.Info("the certificate was read again", "ends", s.cert.Leaf.NotAfter.Format(time.DateOnly))
		}
	}
	if err == nil {
		s.said = ""
	} else if s.said != err.Error() {
		s.said = err.Error()
		s.o.Log.Error("the certificate can't be replaced; the old one goes on", "err", err)
	}
}

func (s *Source) stamps() (now [2]stamp) {
	for i, path := range []string{s.o.Certificate, s.o.Key} {
		if info, err := os.Stat(path); err == nil {
			now[i] = stamp{info.ModTime(), info.Size(), info}
		}
	}
	return now
}

func (s *Source) changed() bool {
	now := s.stamps()
	return !now[0].same(s.files[0]) || !now[1].same(s.files[1])
}

// read reads the two files.
func (s *Source) read() error {
	stamps := s.stamps()
	cert, err := tls.LoadX509KeyPair(s.o.Certificate, s.o.Key)
	if err != nil {
		remedy := "write the certificate, with what leads to its authority, and the key as PEM, for the same name"
		if errors.Is(err, fs.ErrPermission) {
			remedy = "let the daemon's user read it: chgrp stump, chmod 640"
		}
		return hint.Errorf(remedy, "certificate: %w", err)
	}
	s.cert, s.files = &cert, stamps
	return nil
}

// ownOne takes the self-made certificate of the state folder, or makes one where it is
// missing, near its end, or, at the start, for other names.
func (s *Source) ownOne(start bool) error {
	path := filepath.Join(s.o.Dir, FileName)
	raw, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("certificate: %w", err)
	}
	var key *ecdsa.PrivateKey
	if cert, err := tls.X509KeyPair(raw, raw); err == nil {
		key, _ = cert.PrivateKey.(*ecdsa.PrivateKey)
		if s.o.Now().Before(cert.Leaf.NotAfter.Add(-renew)) && !(start && s.lacks(cert.Leaf)) {
			s.cert = &cert
			return nil
		}
	}
	if key == nil {
		if key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			return err
		}
	}
	raw, err = s.sign(key)
	if err != nil {
		return err
	}
	cert, err := tls.X509KeyPair(raw, raw)
	if err != nil {
		return err
	}
	if err := safefile.Write(path, raw, 0o600); err != nil {
		return fmt.Errorf("certificate: %w", err)
	}
	s.cert = &cert
	s.o.Log.Info("a certificate was made", "names", strings.Join(s.o.Names, " "), "sha256", Fingerprint(cert.Leaf))
	return nil
}

// lacks reports whether a certificate is not for all our names. Addresses of IPv6 come
// and go.
func (s *Source) lacks(cert *x509.Certificate) bool {
	return slices.ContainsFunc(s.o.Names, func(name string) bool {
		ip := net.ParseIP(name)
		return (ip == nil || ip.To4() != nil) && cert.VerifyHostname(name) != nil
	})
}

// sign returns a certificate for our names, and its key, as PEM.
func (s *Source) sign(key *ecdsa.PrivateKey) ([]byte, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	now := s.o.Now()
	cert := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "Stump", Organization: []string{"made by this station"}},
		NotBefore: now.Add(-24 * time.Hour), NotAfter: now.Add(life),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	for _, name := range s.o.Names {
		if ip := net.ParseIP(name); ip != nil {
			cert.IPAddresses = append(cert.IPAddresses, ip)
		} else {
			cert.DNSNames = append(cert.DNSNames, name)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	for _, block := range []*pem.Block{{Type: "CERTIFICATE", Bytes: der}, {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := pem.Encode(&b, block); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}
