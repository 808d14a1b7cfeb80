package directory

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"stump/checkout"
	"stump/directory/call"
	"stump/directory/scim"
	"stump/directory/webhook"
)

// serveCert serves h on loopback with a certificate that ends then, and returns the
// address and the file of the certificate.
func serveCert(t *testing.T, ends time.Time, h http.Handler) (base, caFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: ends, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	caFile = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(caFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewUnstartedServer(h)
	srv.Config.ErrorLog = nil
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return srv.URL, caFile
}

// checks are the lines of a check: "users fail".
func checks(t *testing.T, w *Worker) (lines string, all map[string]Check) {
	all = map[string]Check{}
	w.Check(t.Context(), func(c Check) {
		lines += c.Check + " " + c.Result + "\n"
		all[c.Check] = c
	})
	return lines, all
}

// TestCheck tries directories and webhooks of all kinds of trouble.
func TestCheck(t *testing.T) {
	const ann = `{"id":"1","userName":"ann","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"7"}}`
	list := func(total int, users string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if q := r.URL.Query(); q.Get("startIndex") == "1" || q.Get("count") == "1" {
				fmt.Fprintf(w, `{"totalResults":%d,"Resources":[%s]}`, total, users)
				return
			}
			fmt.Fprintf(w, `{"totalResults":%d}`, total)
		}
	}
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	late := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", time.Now().Add(-12*time.Minute).UTC().Format(http.TimeFormat))
		list(1, ann)(w, r)
	}
	for name, tc := range map[string]struct {
		ends   time.Duration // of the certificate, from now
		h      http.HandlerFunc
		stray  bool // its authority is not known
		want   string
		check  string
		says   string
		remedy string
	}{
		"all is well":       {ends: 90 * 24 * time.Hour, h: list(1, ann), want: "name pass\nconnect pass\ntls pass\ntoken pass\nusers pass\nbadge-field pass\nclock pass\n", check: "tls", says: "in 89 days"},
		"ends soon":         {ends: 9*24*time.Hour + time.Hour, h: list(1, ann), want: "name pass\nconnect pass\ntls warn\ntoken pass\nusers pass\nbadge-field pass\nclock pass\n", check: "tls", says: "its certificate ends on " + time.Now().Add(9*24*time.Hour+time.Hour).UTC().Format(time.DateOnly) + ", in 9 days", remedy: "have it renewed"},
		"unknown authority": {ends: 90 * 24 * time.Hour, h: list(1, ann), stray: true, want: "name pass\nconnect pass\ntls fail\n", check: "tls", says: "from an authority that is not trusted", remedy: "set ca_file"},
		"wrong token":       {ends: 90 * 24 * time.Hour, h: status(401), want: "name pass\nconnect pass\ntls pass\ntoken fail\nusers fail\nbadge-field skip\nclock pass\n", check: "token", says: "denies access (401 Unauthorized)", remedy: "check the token"},
		"it is down":        {ends: 90 * 24 * time.Hour, h: status(503), want: "name pass\nconnect pass\ntls pass\ntoken fail\n", check: "token", says: "asks to wait"},
		"shows none":        {ends: 90 * 24 * time.Hour, h: list(5, ""), want: "name pass\nconnect pass\ntls pass\ntoken pass\nusers warn\nbadge-field skip\nclock pass\n", check: "users", says: "counts 5 and shows none"},
		"no badge":          {ends: 90 * 24 * time.Hour, h: list(1, `{"id":"1","userName":"ann","employeeNumber":"7"}`), want: "name pass\nconnect pass\ntls pass\ntoken pass\nusers pass\nbadge-field warn\nclock pass\n", check: "badge-field", says: "is employeeNumber meant?", remedy: "set directory.badge_field"},
		"its clock is off":  {ends: 90 * 24 * time.Hour, h: late, want: "name pass\nconnect pass\ntls pass\ntoken pass\nusers pass\nbadge-field pass\nclock warn\n", check: "clock", says: "the server's clock is 12 min behind this board's, which is right", remedy: "set the server's clock"},
	} {
		base, ca := serveCert(t, time.Now().Add(tc.ends), tc.h)
		h := call.HTTP{Proxy: "none", CAFile: ca}
		if tc.stray {
			h.CAFile = ""
		}
		d, err := scim.New(call.API{URL: base, TokenFile: tokenFile(t, "secret")}, call.Badges{}, h, decimal26)
		if err != nil {
			t.Fatal(err)
		}
		w := NewWorker(Options{Directory: d, Ledger: newBox(t), Clock: func() checkout.Stamp { return checkout.Stamp{Trusted: true} }})
		lines, all := checks(t, w)
		if c := all[tc.check]; lines != tc.want || !strings.Contains(c.Measured, tc.says) || !strings.HasPrefix(c.Remedy, tc.remedy) {
			t.Errorf("%s: %s%+v, want\n%s%q", name, lines, c, tc.want, tc.says)
		}
	}
}

// What will be wrong before long is in the status, too.
func TestServerNotes(t *testing.T) {
	base, ca := serveCert(t, time.Now().Add(9*24*time.Hour+time.Hour), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", time.Now().Add(2*time.Hour+time.Minute).UTC().Format(http.TimeFormat))
		io.WriteString(w, `{"totalResults":0}`)
	}))
	d, err := scim.New(call.API{URL: base, TokenFile: tokenFile(t, "secret")}, call.Badges{}, call.HTTP{Proxy: "none", CAFile: ca}, decimal26)
	if err != nil {
		t.Fatal(err)
	}
	w := NewWorker(Options{Directory: d, Ledger: newBox(t)})
	if err := w.Pull(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	st, err := w.Status()
	if err != nil || len(st.Sinks) != 1 {
		t.Fatalf("%+v, %v", st, err)
	}
	var b strings.Builder
	if err := st.Write(&b, time.Now()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"its clock is 2 h ahead of this board's, which is not known to be right\n", ", in 9 days: have it renewed\n"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("status\n%swant %q", b.String(), want)
		}
	}
}

// The way to a webhook is tried, and nothing is posted.
func TestCheckOfWebhooks(t *testing.T) {
	var asked atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer srv.Close()
	hook := func(name, url string) *webhook.Webhook {
		h, err := webhook.New(webhook.Config{Name: name, URL: url, HTTP: call.HTTP{Proxy: "none"}})
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	secret := "/secret"
	w := NewWorker(Options{Directory: Local{}, Ledger: newBox(t), Webhooks: map[string]Deliverer{
		"a": hook("a", srv.URL+secret), "b": hook("b", "http://127.0.0.1:1"+secret), "c": hook("c", "https"+strings.TrimPrefix(srv.URL, "http")+secret),
	}})
	var got []string
	w.Check(t.Context(), func(c Check) { got = append(got, c.Result+" "+c.Check+" "+c.Measured) })
	text := strings.Join(got, "\n")
	if len(got) != 4 || !strings.HasPrefix(got[0], "skip directory local register") ||
		!strings.HasPrefix(got[1], "pass webhook webhook a at 127.0.0.1") || !strings.HasSuffix(got[1], "; no event was posted") ||
		!strings.HasPrefix(got[2], "fail webhook webhook b at 127.0.0.1") || !strings.HasSuffix(got[2], "refuses the connection") ||
		!strings.HasPrefix(got[3], "fail webhook webhook c at 127.0.0.1") || !strings.HasSuffix(got[3], "does not speak TLS") {
		t.Errorf("%s", text)
	}
	if asked.Load() > 0 || strings.Contains(text, secret) {
		t.Errorf("%d requests came; %s", asked.Load(), text)
	}
}
