package call

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// noAnswer says what a call without an answer means: Failing if the other side
// may have acted on it, whatever ended the call; otherwise Down, or BadConfig if
// waiting will not help.
func noAnswer(e callError) Outcome {
	o, ok := tlsOutcome(e)
	if !ok {
		o, ok = routeOutcome(e)
	}
	if !ok {
		o = networkOutcome(e)
	}
	if e.sent {
		o.Verdict = Failing
	}
	return o
}

func down(format string, a ...any) Outcome {
	return Outcome{Verdict: Down, Reason: fmt.Sprintf(format, a...)}
}

// tlsOutcome is for certificates and handshakes.
func tlsOutcome(e callError) (Outcome, bool) {
	if verify, ok := errors.AsType[*tls.CertificateVerificationError](e.err); ok {
		return badCertificate(e.host, verify), true
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](e.err); ok || errors.Is(e.err, http.ErrSchemeMismatch) {
		return Outcome{Verdict: BadConfig, Reason: e.host + " does not speak TLS", Remedy: "check https and the port in the address"}, true
	}
	if words := tlsWords(e.err); words != "" {
		return Outcome{Verdict: BadConfig, Reason: fmt.Sprintf("no TLS version or cipher in common with %s (%s)", e.host, words),
			Remedy: "stump needs TLS 1.2 and has no client certificate; ask whoever runs the server"}, true
	}
	return Outcome{}, false
}

// tlsWords is what crypto/tls says of a failed handshake; "" for other errors.
// They have no types: an alert of the server is an operation called "remote
// error", and our own errors begin with "tls: ".
func tlsWords(err error) string {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "remote error" {
		return strings.TrimPrefix(op.Err.Error(), "tls: ")
	}
	if call, ok := errors.AsType[*url.Error](err); ok {
		if words, ok := strings.CutPrefix(call.Err.Error(), "tls: "); ok {
			return words
		}
	}
	return ""
}

// routeOutcome is for names without an address, and for proxies that refuse to
// connect or can't be reached.
func routeOutcome(e callError) (Outcome, bool) {
	if proxy, ok := errors.AsType[*proxyError](e.err); ok {
		if proxy.status >= 500 {
			return down("%s: it can't reach %s", proxy, e.host), true
		}
		return Misconfigured(proxy, "check the proxy, or put name and password into its address"), true
	}
	if dns, ok := errors.AsType[*net.DNSError](e.err); ok {
		o := down("no address for %s (DNS: %s)", dns.Name, dnsWord(dns))
		o.Remedy = "if the network works, check the name in the address"
		return o, true
	}
	if op, ok := errors.AsType[*net.OpError](e.err); ok && op.Op == "proxyconnect" {
		o := down("the proxy can't be reached on the way to %s", e.host)
		o.Remedy = "if the network works, check the proxy's address"
		return o, true
	}
	return Outcome{}, false
}

// networkOutcome is for everything else.
func networkOutcome(e callError) Outcome {
	timeout, ok := errors.AsType[net.Error](e.err)
	timedOut := ok && timeout.Timeout() || errors.Is(e.err, context.DeadlineExceeded)
	switch {
	case errors.Is(e.err, errTooBig):
		return down("the answer of %s is too long", e.host)
	case errors.Is(e.err, syscall.ECONNREFUSED):
		return down("%s refuses the connection", e.host)
	case errors.Is(e.err, syscall.ENETUNREACH), errors.Is(e.err, syscall.EHOSTUNREACH):
		return down("no route to %s: the network is down", e.host)
	case timedOut && e.sent:
		return down("%s gave no complete answer in time", e.host)
	case timedOut:
		return down("%s can't be reached in time", e.host)
	case errors.Is(e.err, context.Canceled):
		return down("the call to %s was cancelled", e.host)
	case errors.Is(e.err, os.ErrPermission):
		o := down("this board is not allowed to call %s", e.host)
		o.Remedy = "check its firewall, and what systemd allows stump (IPAddressDeny)"
		return o
	case e.sent:
		return down("%s closed the connection before its answer was complete", e.host)
	}
	return down("%s closed the connection", e.host)
}

func dnsWord(e *net.DNSError) string {
	switch {
	case e.IsNotFound:
		return "no such name"
	case e.IsTimeout:
		return "no answer"
	}
	return "failed"
}

// badCertificate distinguishes a wrong certificate from a wrong clock: most boards
// have no clock until the network is up, and to a board in 1970 every certificate
// is from the future.
func badCertificate(host string, e *tls.CertificateVerificationError) Outcome {
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](e.Err); ok && invalid.Reason == x509.Expired && invalid.Cert != nil {
		if now := time.Now(); now.Before(invalid.Cert.NotBefore) {
			return Outcome{Verdict: Down,
				Reason: fmt.Sprintf("the clock says %s, when the certificate of %s is not valid yet: waiting for the time", now.UTC().Format(time.DateOnly), host),
				Remedy: "if this lasts, check that the board gets its time from the network (timedatectl)"}
		}
		return Outcome{Verdict: BadConfig,
			Reason: fmt.Sprintf("the certificate of %s expired on %s", host, invalid.Cert.NotAfter.UTC().Format(time.DateOnly)),
			Remedy: "renew it on the server, or set the board's clock if that is wrong"}
	}
	if _, ok := errors.AsType[x509.HostnameError](e.Err); ok {
		return Outcome{Verdict: BadConfig, Reason: "the certificate is not for " + host,
			Remedy: "use the name that the certificate is for, or have it renewed"}
	}
	return Outcome{Verdict: BadConfig, Reason: "the certificate of " + host + " is from an authority that is not trusted",
		Remedy: "set ca_file to the certificate of your own authority"}
}

// Outcome says what an answer means: OK is a success that is not a web page.
func (r Reply) Outcome() Outcome {
	host, status := r.URL.Host, statusText(r.Status)
	config := func(remedy, format string, a ...any) Outcome {
		return Outcome{Verdict: BadConfig, Reason: fmt.Sprintf(format, a...), Remedy: remedy}
	}
	switch {
	case r.Status == http.StatusUnauthorized, r.Status == http.StatusForbidden:
		return config("check the token or the rights of its user", "%s denies access (%s)", host, status)
	case r.Status == http.StatusProxyAuthRequired:
		return config("put name and password into the proxy's address", "the proxy denies access (%s)", status)
	case r.Status >= 300 && r.Status < 400:
		return config("check the address and the token", "%s redirects %s (%s)", host, r.target, status)
	case r.Status == http.StatusNotFound, r.Status == http.StatusMethodNotAllowed, r.Status == http.StatusGone:
		return config("check the address", "%s has nothing at %s (%s)", host, r.path, status)
	case r.Status == http.StatusTooManyRequests, r.Status == http.StatusServiceUnavailable, r.Status == http.StatusTooEarly:
		return Outcome{Verdict: Down, Reason: fmt.Sprintf("%s asks to wait (%s)", host, status), After: r.RetryAfter()}
	case r.Status >= 500, r.Status == http.StatusRequestTimeout:
		return r.Failed()
	case r.Status >= 400:
		return Outcome{Verdict: Refused, Reason: fmt.Sprintf("%s refuses it (%s)", host, status)}
	case r.IsPage():
		return config("open the address in a browser from this network; check the token", "%s answers with a web page, such as a login", host)
	}
	return Outcome{}
}

// Failed is the outcome of a call on which the server failed.
func (r Reply) Failed() Outcome {
	return Outcome{Verdict: Failing, Reason: fmt.Sprintf("%s failed (%s)", r.URL.Host, statusText(r.Status)), After: r.RetryAfter()}
}

func statusText(code int) string {
	return strings.TrimSpace(strconv.Itoa(code) + " " + http.StatusText(code))
}

// RetryAfter is the wait that the server asks for, in seconds or as a date (RFC
// 9110, 10.2.3); 0 if there is none or it is malformed. A date is only as good as
// the clock.
func (r Reply) RetryAfter() time.Duration {
	v := r.Header.Get("Retry-After")
	if n, err := strconv.ParseUint(v, 10, 31); err == nil {
		return max(time.Duration(n)*time.Second, 1)
	}
	if t, err := http.ParseTime(v); err == nil {
		return max(time.Until(t), 1)
	}
	return 0
}

// IsPage reports whether the answer is a web page, such as a login or that of a
// hotel's network. The content type does not say: by default PHP calls everything
// text/html.
func (r Reply) IsPage() bool {
	b := bytes.TrimLeft(r.text(), " \t\r\n")
	b = bytes.ToLower(b[:min(len(b), 64)])
	for _, start := range []string{"<!doctype html", "<html", "<head", "<!--"} {
		if bytes.HasPrefix(b, []byte(start)) {
			return true
		}
	}
	return false
}

// Said is the first line of an answer, fit for a display and a log; "" of a web page.
// Of JSON that begins with a brace alone it is the beginning.
func (r Reply) Said() string {
	if r.IsPage() {
		return ""
	}
	body := bytes.TrimSpace(r.text())
	first, _, _ := bytes.Cut(body, []byte("\n"))
	if len(bytes.TrimSpace(first)) < 3 {
		first = body
	}
	return Plain(string(first[:min(len(first), 4<<10)]))
}

// text is the body without the byte order mark that some editors put into a PHP
// file, and that then precedes every answer.
func (r Reply) text() []byte { return bytes.TrimPrefix(r.Body, []byte("\xef\xbb\xbf")) }

// Decode reads the answer's JSON. whose names it in the reason: "SCIM's".
func (r Reply) Decode(out any, whose string) Outcome {
	if json.Unmarshal(r.text(), out) != nil {
		return r.NotJSON(whose)
	}
	return Outcome{}
}

// NotJSON is the outcome of an answer that is not whose JSON.
func (r Reply) NotJSON(whose string) Outcome {
	return failing("%s answers with something that is not %s JSON", r.URL.Host, whose)
}

func failing(format string, a ...any) Outcome {
	return Outcome{Verdict: Failing, Reason: fmt.Sprintf(format, a...)}
}
