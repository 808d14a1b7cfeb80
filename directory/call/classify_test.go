package call

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
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

// Every status, with and without a path that may be shown.
func TestReplyOutcome(t *testing.T) {
	for status, want := range map[int]Outcome{
		200: {}, 202: {}, 204: {},
		301: {Verdict: BadConfig, Reason: "host redirects to login.example/sso (301 Moved Permanently)"},
		308: {Verdict: BadConfig, Reason: "host redirects to login.example/sso (308 Permanent Redirect)"},
		399: {Verdict: BadConfig, Reason: "host redirects to login.example/sso (399)"},
		400: {Verdict: Refused, Reason: "host refuses it (400 Bad Request)"},
		401: {Verdict: BadConfig, Reason: "host denies access (401 Unauthorized)"},
		403: {Verdict: BadConfig, Reason: "host denies access (403 Forbidden)"},
		404: {Verdict: BadConfig, Reason: "host has nothing at /x (404 Not Found)"},
		405: {Verdict: BadConfig, Reason: "host has nothing at /x (405 Method Not Allowed)"},
		407: {Verdict: BadConfig, Reason: "the proxy denies access (407 Proxy Authentication Required)"},
		408: {Verdict: Failing, Reason: "host failed (408 Request Timeout)", After: 7 * time.Second},
		409: {Verdict: Refused, Reason: "host refuses it (409 Conflict)"},
		410: {Verdict: BadConfig, Reason: "host has nothing at /x (410 Gone)"},
		422: {Verdict: Refused, Reason: "host refuses it (422 Unprocessable Entity)"},
		425: {Verdict: Down, Reason: "host asks to wait (425 Too Early)", After: 7 * time.Second},
		429: {Verdict: Down, Reason: "host asks to wait (429 Too Many Requests)", After: 7 * time.Second},
		499: {Verdict: Refused, Reason: "host refuses it (499)"},
		500: {Verdict: Failing, Reason: "host failed (500 Internal Server Error)", After: 7 * time.Second},
		503: {Verdict: Down, Reason: "host asks to wait (503 Service Unavailable)", After: 7 * time.Second},
		599: {Verdict: Failing, Reason: "host failed (599)", After: 7 * time.Second},
	} {
		r := Reply{Status: status, Header: http.Header{"Retry-After": {"7"}}, URL: &url.URL{Host: "host"}, path: "/x", target: "to login.example/sso"}
		got := r.Outcome()
		if (got.Remedy != "") != (got.Verdict == BadConfig) {
			t.Errorf("%d: %+v: a remedy is for what a person must change", status, got)
		}
		if got.Remedy = ""; got != want {
			t.Errorf("%d: %+v, want %+v", status, got, want)
		}
	}
}

func TestIsPage(t *testing.T) {
	for body, want := range map[string]bool{
		"<!DOCTYPE html>": true, "<html>": true, "\xef\xbb\xbf\n <HEAD>": true, "<!-- PHP -->": true,
		"": false, `{"a":"<html>"}`: false, "<h": false, "<?xml?>": false,
	} {
		r := Reply{Status: 200, Body: []byte(body), URL: &url.URL{Host: "host"}}
		if o := r.Outcome(); r.IsPage() != want || (o.Verdict == BadConfig) != want || (o.Verdict == OK) == want {
			t.Errorf("%q is a page: %v, %+v; want %v", body, r.IsPage(), o, want)
		}
	}
	var v map[string]int
	r := Reply{Body: []byte("\xef\xbb\xbf{\"a\":1}"), URL: &url.URL{Host: "host"}}
	if o := r.Decode(&v, "its"); o.Verdict != OK || v["a"] != 1 {
		t.Errorf("%+v, %v", o, v)
	}
	r.Body = []byte("{")
	if o := r.Decode(&v, "SCIM's"); o.Verdict != Failing || o.Reason != "host answers with something that is not SCIM's JSON" {
		t.Errorf("%+v", o)
	}
}

// Once a call may have been sent, no error proves that it was not counted.
func TestNoAnswer(t *testing.T) {
	dial := func(err error) error { return &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", err)} }
	wrap := func(err error) error { return &url.Error{Op: "Get", URL: "https://lab.example/x", Err: err} }
	expired := func(from, to time.Duration) error {
		cert := &x509.Certificate{NotBefore: time.Now().Add(from), NotAfter: time.Now().Add(to)}
		return &tls.CertificateVerificationError{Err: x509.CertificateInvalidError{Cert: cert, Reason: x509.Expired}}
	}
	const sent, unsent = true, false
	for _, tc := range []struct {
		err    error
		want   Verdict
		unsent string
		sent   string // if it differs
	}{
		{dial(syscall.ECONNREFUSED), Down, "lab.example refuses the connection", ""},
		{dial(syscall.ENETUNREACH), Down, "no route to lab.example: the network is down", ""},
		{dial(syscall.EHOSTUNREACH), Down, "no route to lab.example: the network is down", ""},
		{dial(syscall.ETIMEDOUT), Down, "lab.example can't be reached in time", "lab.example gave no complete answer in time"},
		{dial(syscall.EPERM), Down, "this board is not allowed to call lab.example", ""},
		{dial(syscall.EACCES), Down, "this board is not allowed to call lab.example", ""},
		{context.DeadlineExceeded, Down, "lab.example can't be reached in time", "lab.example gave no complete answer in time"},
		{fmt.Errorf("read: %w", context.DeadlineExceeded), Down, "lab.example can't be reached in time", "lab.example gave no complete answer in time"},
		{context.Canceled, Down, "the call to lab.example was cancelled", ""},
		{errTooBig, Down, "the answer of lab.example is too long", ""},
		{io.ErrUnexpectedEOF, Down, "lab.example closed the connection", "lab.example closed the connection before its answer was complete"},
		{dial(&net.DNSError{Name: "lab.example", IsNotFound: true}), Down, "no address for lab.example (DNS: no such name)", ""},
		{dial(&net.DNSError{Name: "lab.example", IsTimeout: true}), Down, "no address for lab.example (DNS: no answer)", ""},
		{dial(&net.DNSError{Name: "lab.example"}), Down, "no address for lab.example (DNS: failed)", ""},
		{&net.OpError{Op: "proxyconnect", Err: dial(&net.DNSError{Name: "proxy.example", IsNotFound: true})}, Down, "no address for proxy.example (DNS: no such name)", ""},
		{&net.OpError{Op: "proxyconnect", Err: dial(syscall.ECONNREFUSED)}, Down, "the proxy can't be reached on the way to lab.example", ""},
		{&proxyError{"proxy.example", 407}, BadConfig, "the proxy proxy.example answers 407 Proxy Authentication Required", ""},
		{&proxyError{"proxy.example", 500}, Down, "the proxy proxy.example answers 500 Internal Server Error: it can't reach lab.example", ""},
		{&proxyError{"proxy.example", 499}, BadConfig, "the proxy proxy.example answers 499", ""},
		{&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, BadConfig, "the certificate of lab.example is from an authority that is not trusted", ""},
		{&tls.CertificateVerificationError{Err: x509.HostnameError{}}, BadConfig, "the certificate is not for lab.example", ""},
		{&tls.CertificateVerificationError{Err: x509.CertificateInvalidError{Reason: x509.Expired}}, BadConfig, "is from an authority that is not trusted", ""},
		{&tls.CertificateVerificationError{Err: x509.CertificateInvalidError{Cert: &x509.Certificate{}, Reason: x509.TooManyIntermediates}}, BadConfig, "is from an authority that is not trusted", ""},
		{expired(-2*time.Hour, -time.Hour), BadConfig, "the certificate of lab.example expired on " + time.Now().Add(-time.Hour).UTC().Format(time.DateOnly), ""},
		{expired(time.Hour, 2*time.Hour), Down, "when the certificate of lab.example is not valid yet: waiting for the time", ""},
		{tls.RecordHeaderError{}, BadConfig, "lab.example does not speak TLS", ""},
		{http.ErrSchemeMismatch, BadConfig, "lab.example does not speak TLS", ""},
		{&net.OpError{Op: "remote error", Err: errors.New("tls: certificate required")}, BadConfig, "no TLS version or cipher in common with lab.example (certificate required)", ""},
		{errors.New("tls: server selected unsupported protocol version 301"), BadConfig, "in common with lab.example (server selected unsupported protocol version 301)", ""},
		{errors.New("something else"), Down, "lab.example closed the connection", ""},
	} {
		for _, was := range []bool{sent, unsent} {
			want, says := tc.want, tc.unsent
			if was == sent {
				want, says = Failing, cmp.Or(tc.sent, tc.unsent)
			}
			o := noAnswer(callError{err: wrap(tc.err), sent: was, host: "lab.example"})
			if o.Verdict != want || !strings.Contains(o.Reason, says) {
				t.Errorf("%v, sent %v: %+v, want %v %q", tc.err, was, o, want, says)
			}
			if tc.want == BadConfig && o.Remedy == "" {
				t.Errorf("%v: nothing to do about %q", tc.err, o.Reason)
			}
		}
	}
}

// As an error, an outcome says whether the directory could be asked.
func TestOutcomeAsError(t *testing.T) {
	for verdict, offline := range map[Verdict]bool{Down: true, Failing: true, BadConfig: true, Refused: false, InDoubt: false, Conflict: false} {
		err := fmt.Errorf("pull: %w", Outcome{Verdict: verdict, Reason: "why"}.Err())
		o, ok := OfError(err)
		if !ok || o.Verdict != verdict || errors.Is(err, ErrOffline) != offline || errors.Is(err, ErrNobody) {
			t.Errorf("%v: %+v, offline %v", verdict, o, errors.Is(err, ErrOffline))
		}
	}
	if err := (Outcome{}).Err(); err != nil {
		t.Error(err)
	}
	if o := (Outcome{Remedy: "x"}); o.Hint() != "x" || (Outcome{}).Hint() == "" {
		t.Error(o.Hint())
	}
	for was, want := range map[Verdict]Verdict{OK: OK, Failing: Down, Refused: Down, Down: Down, BadConfig: BadConfig} {
		if got := (Outcome{Verdict: was}).OfProbe().Verdict; got != want {
			t.Errorf("a probe that is %v: %v, want %v", was, got, want)
		}
	}
}
