package directory

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
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
// may have acted on it, whatever ended the call; else Down, or BadConfig when
// waiting will not help.
func noAnswer(e *callError) Outcome {
	o := wordsFor(e)
	if e.sent {
		o.Verdict = Failing
	}
	return o
}

func wordsFor(e *callError) Outcome {
	host := e.host
	var (
		dns      *net.DNSError
		verify   *tls.CertificateVerificationError
		record   tls.RecordHeaderError
		proxy    *proxyError
		op       *net.OpError
		netErr   net.Error
		timedOut = errors.Is(e.err, context.DeadlineExceeded) || errors.As(e.err, &netErr) && netErr.Timeout()
	)
	down := func(format string, a ...any) Outcome {
		return Outcome{Verdict: Down, Reason: fmt.Sprintf(format, a...)}
	}
	switch {
	case errors.As(e.err, &proxy) && proxy.status >= 500:
		return down("%s: it can't reach %s", proxy, host)
	case errors.As(e.err, &proxy):
		return Outcome{Verdict: BadConfig, Reason: proxy.Error(), Remedy: "check the proxy, or put name and password into its address"}
	case errors.As(e.err, &verify):
		return badCertificate(host, verify)
	case errors.As(e.err, &record), errors.Is(e.err, http.ErrSchemeMismatch):
		return Outcome{Verdict: BadConfig, Reason: host + " does not speak TLS",
			Remedy: "check https and the port in the address"}
	case tlsWords(e.err) != "":
		return Outcome{Verdict: BadConfig, Reason: fmt.Sprintf("%s and we find no common TLS (%s)", host, tlsWords(e.err)),
			Remedy: "TLS 1.2 is the least, and we have no certificate of our own; ask who runs the server"}
	case errors.As(e.err, &dns):
		o := down("no address for %s (DNS: %s)", dns.Name, dnsWord(dns))
		o.Remedy = "if the network is there, check the name in the address"
		return o
	case errors.As(e.err, &op) && op.Op == "proxyconnect":
		o := down("the proxy can't be reached on the way to %s", host)
		o.Remedy = "if the network is there, check the proxy's address"
		return o
	case errors.Is(e.err, errTooBig):
		return down("the answer of %s is bigger than any right one", host)
	case errors.Is(e.err, syscall.ECONNREFUSED):
		return down("%s refuses the connection", host)
	case errors.Is(e.err, syscall.ENETUNREACH), errors.Is(e.err, syscall.EHOSTUNREACH):
		return down("no way to %s: the network is down", host)
	case timedOut && e.sent:
		return down("%s took the call and gave no whole answer in time", host)
	case timedOut:
		return down("%s can't be reached in time", host)
	case errors.Is(e.err, context.Canceled):
		return down("the call to %s was broken off by us", host)
	case errors.Is(e.err, os.ErrPermission):
		o := down("this board may not call %s", host)
		o.Remedy = "check its firewall, and what systemd allows stump (IPAddressDeny)"
		return o
	case e.sent:
		return down("%s broke off the connection before its answer was whole", host)
	}
	return down("%s broke off the connection", host)
}

// tlsWords is what crypto/tls says of a handshake that failed; "" for all else.
// Its errors have no types: an alert of the server is an operation called "remote
// error", and what we find wrong begins with its name.
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

func dnsWord(e *net.DNSError) string {
	switch {
	case e.IsNotFound:
		return "no such name"
	case e.IsTimeout:
		return "no answer"
	}
	return "failed"
}

// badCertificate tells a wrong certificate from a wrong clock: most boards have
// no clock until the network is up, and to a board in 1970 or in the year of
// its image every certificate is from the future.
func badCertificate(host string, e *tls.CertificateVerificationError) Outcome {
	var (
		invalid  x509.CertificateInvalidError
		hostname x509.HostnameError
	)
	if errors.As(e.Err, &invalid) && invalid.Reason == x509.Expired && invalid.Cert != nil {
		now := time.Now()
		if now.Before(invalid.Cert.NotBefore) {
			return Outcome{Verdict: Down,
				Reason: fmt.Sprintf("the clock says %s, before the certificate of %s begins: waiting for the time", now.UTC().Format(time.DateOnly), host),
				Remedy: "if it stays so, see that the board gets its time from the network (timedatectl)"}
		}
		return Outcome{Verdict: BadConfig,
			Reason: fmt.Sprintf("the certificate of %s ended on %s", host, invalid.Cert.NotAfter.UTC().Format(time.DateOnly)),
			Remedy: "renew it on the server, or set the board's clock if that is wrong"}
	}
	if errors.As(e.Err, &hostname) {
		return Outcome{Verdict: BadConfig, Reason: "the certificate is not for " + host,
			Remedy: "use the name that the certificate is for, or have it renewed"}
	}
	return Outcome{Verdict: BadConfig, Reason: "the certificate of " + host + " is not from anybody we trust",
		Remedy: "set ca_file to the certificate of your own authority"}
}

// badStatus says what an answer other than a plain success means, with false
// for a success or something that only the place's own rules can tell.
func badStatus(r reply) (Outcome, bool) {
	host, status := r.URL.Host, statusWords(r.Status)
	config := func(remedy, format string, a ...any) (Outcome, bool) {
		return Outcome{Verdict: BadConfig, Reason: fmt.Sprintf(format, a...), Remedy: remedy}, true
	}
	switch {
	case r.Status == http.StatusUnauthorized, r.Status == http.StatusForbidden:
		return config("check the token or the rights of its user", "%s does not let us in (%s)", host, status)
	case r.Status == http.StatusProxyAuthRequired:
		return config("put name and password into the proxy's address", "the proxy does not let us through (%s)", status)
	case r.Status >= 300 && r.Status < 400:
		return config("use the address that is meant, and check the token", "%s sends us %s (%s)", host, r.To, status)
	case r.Status == http.StatusNotFound, r.Status == http.StatusMethodNotAllowed, r.Status == http.StatusGone:
		return config("check the address", "%s has nothing for us at %s (%s)", host, r.Where, status)
	case r.Status == http.StatusTooManyRequests, r.Status == http.StatusServiceUnavailable, r.Status == http.StatusTooEarly:
		return Outcome{Verdict: Down, Reason: fmt.Sprintf("%s asks us to wait (%s)", host, status), After: retryAfter(r, time.Now())}, true
	case r.Status >= 500, r.Status == http.StatusRequestTimeout:
		return Outcome{Verdict: Failing, Reason: fmt.Sprintf("%s failed (%s)", host, status), After: retryAfter(r, time.Now())}, true
	case r.Status >= 400:
		return Outcome{Verdict: Refused, Reason: fmt.Sprintf("%s refuses it (%s)", host, status)}, true
	}
	return Outcome{}, false
}

func statusWords(code int) string {
	return strings.TrimSpace(strconv.Itoa(code) + " " + http.StatusText(code))
}

// retryAfter reads Retry-After, seconds or a date (RFC 9110, 10.2.3); 0 if
// there is none or it makes no sense. A date is only as good as the clock.
func retryAfter(r reply, now time.Time) time.Duration {
	v := r.Header.Get("Retry-After")
	if n, err := strconv.ParseUint(v, 10, 31); err == nil {
		return max(time.Duration(n)*time.Second, 1)
	}
	if t, err := http.ParseTime(v); err == nil {
		return max(t.Sub(now), 1)
	}
	return 0
}

// isPage recognises a web page by its first bytes. The content type will not
// do: PHP calls everything text/html unless told otherwise.
func isPage(body []byte) bool {
	b := bytes.TrimLeft(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")), " \t\r\n")
	b = bytes.ToLower(b[:min(len(b), 64)])
	for _, start := range []string{"<!doctype html", "<html", "<head", "<!--"} {
		if bytes.HasPrefix(b, []byte(start)) {
			return true
		}
	}
	return false
}

// pageOutcome is for a page where data should be: a login page, mostly, or a
// hotel's network that wants a click.
func pageOutcome(r reply) Outcome {
	return Outcome{Verdict: BadConfig, Reason: r.URL.Host + " answers with a web page, such as a login",
		Remedy: "open the address in a browser from this network; check the token"}
}
