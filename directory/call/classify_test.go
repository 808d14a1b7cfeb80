package call

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
	"testing/synctest"
	"time"
)

// Retry-After in all its forms; the worker clamps it.
func TestRetryAfterForms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // it is midnight, 1 January 2000
		for value, want := range map[string]time.Duration{
			"7":                                7 * time.Second,
			"0":                                1, // at once, but it was asked for
			"2147483647":                       2147483647 * time.Second,
			"99999999999999999999":             0, // makes no sense
			"-5":                               0,
			"soon":                             0,
			"":                                 0,
			"Sat, 01 Jan 2000 00:00:42 GMT":    42 * time.Second,
			"Fri, 31 Dec 1999 23:00:00 GMT":    1, // past
			"Thu, 01 Jan 1970 00:00:00 GMT":    1,
			"Saturday, 01-Jan-00 00:01:00 GMT": time.Minute, // RFC 850, which must be read
		} {
			if got := (Reply{Header: http.Header{"Retry-After": {value}}}).RetryAfter(); got != want {
				t.Errorf("Retry-After %q: %s, want %s", value, got, want)
			}
		}
	})
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
		{dial(syscall.EPERM), Down, "this board is not allowed to call lab.example"},
		{dial(syscall.EACCES), Down, "this board is not allowed to call lab.example"},
		{context.Canceled, Down, "the call to lab.example was cancelled"},
		{&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, BadConfig, "the certificate of lab.example is from an authority that is not trusted"},
		{&proxyError{"proxy.example", 407}, BadConfig, "the proxy proxy.example answers 407 Proxy Authentication Required"},
		{&net.OpError{Op: "remote error", Err: errors.New("tls: certificate required")}, BadConfig, "in common with lab.example (certificate required)"},
		{io.ErrUnexpectedEOF, Down, "lab.example closed the connection"},
	} {
		for _, sent := range []bool{false, true} {
			want := tc.want
			if sent {
				want = Failing
			}
			o := noAnswer(callError{err: &url.Error{Op: "Get", URL: "https://lab.example/x", Err: tc.err}, sent: sent, host: "lab.example"})
			if o.Verdict != want || !strings.Contains(o.Reason, tc.says) {
				t.Errorf("%v, sent %v: %+v, want %v %q", tc.err, sent, o, want, tc.says)
			}
		}
	}
}
