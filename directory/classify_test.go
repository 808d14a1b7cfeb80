package directory

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Retry-After in all its forms, and what the worker makes of it: never "now" in
// a loop, never "next year".
func TestRetryAfterForms(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	back := Backoff{}.withDefaults()
	most := func(n int64) int64 { return n - 1 }
	for value, want := range map[string]time.Duration{
		"7":                                7 * time.Second,
		"0":                                time.Second,
		"100000":                           15 * time.Minute,
		"2147483647":                       15 * time.Minute,
		"99999999999999999999":             time.Second, // makes no sense: the first wait as without it
		"-5":                               time.Second,
		"soon":                             time.Second,
		"":                                 time.Second,
		"Sat, 21 Nov 2026 12:00:42 GMT":    42 * time.Second,
		"Sat, 21 Nov 2026 11:00:00 GMT":    time.Second,      // past
		"Fri, 31 Dec 9999 23:59:59 GMT":    15 * time.Minute, // far
		"Thu, 01 Jan 1970 00:00:00 GMT":    time.Second,
		"Saturday, 21-Nov-26 12:01:00 GMT": time.Minute, // RFC 850, which must be read
	} {
		after := retryAfter(reply{Header: http.Header{"Retry-After": {value}}}, now)
		if got := back.Wait(1, 0, after, most); got != want {
			t.Errorf("Retry-After %q: %s, want %s", value, got, want)
		}
	}
}

// Once a call may have been sent, no error proves that it was not counted.
func TestNoAnswer(t *testing.T) {
	dial := func(err error) error { return &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", err)} }
	for _, tc := range []struct {
		err  error
		want Verdict
		says string
	}{
		{dial(syscall.ECONNREFUSED), Down, "lab.example refuses the connection"},
		{dial(syscall.EPERM), Down, "this board may not call lab.example"},
		{dial(syscall.EACCES), Down, "this board may not call lab.example"},
		{context.Canceled, Down, "the call to lab.example was broken off by us"},
		{&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, BadConfig, "the certificate of lab.example is not from anybody we trust"},
		{&proxyError{"proxy.example", 407}, BadConfig, "the proxy proxy.example answers 407 Proxy Authentication Required"},
		{&net.OpError{Op: "remote error", Err: errors.New("tls: certificate required")}, BadConfig, "no common TLS (certificate required)"},
		{io.ErrUnexpectedEOF, Down, "lab.example broke off the connection"},
	} {
		for _, sent := range []bool{false, true} {
			want := tc.want
			if sent {
				want = Failing
			}
			o := noAnswer(&callError{err: &url.Error{Op: "Get", URL: "https://lab.example/x", Err: tc.err}, sent: sent, host: "lab.example"})
			if o.Verdict != want || !strings.Contains(o.Reason, tc.says) {
				t.Errorf("%v, sent %v: %+v, want %v %q", tc.err, sent, o, want, tc.says)
			}
		}
	}
}
