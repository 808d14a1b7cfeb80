// Package webhook posts events as signed CloudEvents.
package webhook

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"stump/checkout"
	"stump/directory/call"
	"stump/internal/books"
)

// Config is a [[webhook]] table.
type Config struct {
	// Name names the webhook in "stump sync"; it must not change while events wait
	// for it. Default: the host of URL.
	Name string `toml:"name"`
	URL  string `toml:"url"`
	// SecretFile holds the key of the signature; empty: unsigned.
	SecretFile string `toml:"secret_file"`
	// Kinds limits what is delivered; empty: everything.
	Kinds []string `toml:"kinds"`
	call.HTTP
}

// Webhook posts each event as a CloudEvents 1.0 message in structured JSON
// mode (CNCF CloudEvents, HTTP protocol binding), signed by the rules of Standard
// Webhooks:
//
//	POST
//	Content-Type: application/cloudevents+json; charset=utf-8
//	Idempotency-Key: "0197…"                 draft-ietf-httpapi-idempotency-key-header-07
//	webhook-id: 0197…
//	webhook-timestamp: 1763722800            of this attempt
//	webhook-signature: v1,BASE64(HMAC-SHA-256(key, id "." timestamp "." body))
//
// The id is the event's, the same in every attempt: a receiver that remembers
// it has every event once. Any 2xx means received.
type Webhook struct {
	cfg    Config
	client *call.Client
}

var nameForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)

// New checks the configuration.
func New(cfg Config) (*Webhook, error) {
	bad := func(key, format string, args ...any) (*Webhook, error) {
		return nil, &call.KeyError{Table: "webhook", Key: key, Err: fmt.Errorf(format, args...)}
	}
	u, err := url.Parse(cfg.URL)
	if err != nil || !call.IsWeb(u) {
		return bad("url", "%q is not an http or https address", cfg.URL)
	}
	if cfg.Name == "" {
		if cfg.Name = strings.ToLower(u.Hostname()); !nameForm.MatchString(cfg.Name) {
			return bad("url", "%q: its host can't be the webhook's name: set webhook.name", cfg.URL)
		}
	}
	if !nameForm.MatchString(cfg.Name) {
		return bad("name", "%q: use lower-case letters, digits, . _ -", cfg.Name)
	}
	c, err := call.New(cfg.HTTP, call.Options{Follow: true, Hide: true})
	if err != nil {
		return nil, fmt.Errorf("webhook %s: %w", cfg.Name, err)
	}
	return &Webhook{cfg, c}, nil
}

// Name is the webhook's sink.
func (h *Webhook) Name() string { return h.cfg.Name }

// String omits path and query: many services put their secret there.
func (h *Webhook) String() string {
	u, _ := url.Parse(h.cfg.URL)
	return "webhook " + h.cfg.Name + " at " + u.Host
}

// Capabilities implements directory.Deliverer.
func (h *Webhook) Capabilities() call.Capabilities {
	return call.Capabilities{Repeatable: true, Parallel: 8}
}

// Deliver implements directory.Deliverer.
func (h *Webhook) Deliver(ctx context.Context, d call.Delivery) call.Outcome {
	if len(h.cfg.Kinds) > 0 && !slices.Contains(h.cfg.Kinds, string(d.Event.Kind)) {
		return call.Outcome{Verdict: call.Unwanted}
	}
	body, err := json.Marshal(Wrap(d.Event))
	if err != nil {
		return call.Outcome{Verdict: call.Refused, Reason: "the event can't be written as JSON: " + err.Error(), Remedy: "drop it"}
	}
	header, err := h.header(d.Event.ID.String(), time.Now(), body)
	if err != nil {
		return call.Outcome{Verdict: call.BadConfig, Reason: err.Error(), Remedy: "check webhook.secret_file"}
	}
	r, o := h.client.Do(ctx, http.MethodPost, h.cfg.URL, header, body)
	if o.Verdict != call.OK {
		return o
	}
	if r.Status == http.StatusConflict {
		// The draft, 2.7: the first request with this key is still at work.
		return call.Outcome{Verdict: call.Failing, Reason: r.URL.Host + " is still busy with the first attempt (409 Conflict)", After: r.RetryAfter()}
	}
	if o = r.Outcome(); o.Verdict == call.Refused {
		o.Remedy = "see what the receiver says of this event"
	}
	return o
}

// header returns the headers; without a secret_file, no signature.
func (h *Webhook) header(id string, now time.Time, body []byte) (http.Header, error) {
	stamp := strconv.FormatInt(now.Unix(), 10)
	header := http.Header{
		"Content-Type":    {"application/cloudevents+json; charset=utf-8"},
		"Idempotency-Key": {strconv.Quote(id)},
		// The standard's names are lower case, and HTTP/1 receivers may need that.
		"webhook-id": {id}, "webhook-timestamp": {stamp},
	}
	if h.cfg.SecretFile == "" {
		return header, nil
	}
	key, err := signingKey(call.Secret(h.cfg.SecretFile))
	if err != nil {
		return nil, err
	}
	header["webhook-signature"] = []string{"v1," + signature(key, id, stamp, body)}
	return header, nil
}

// signingKey reads the key: base64 after "whsec_", the standard's form, or else the
// line itself.
func signingKey(s call.Secret) ([]byte, error) {
	line, err := s.Read()
	if err != nil {
		return nil, err
	}
	if coded, ok := strings.CutPrefix(line, "whsec_"); ok {
		key, err := base64.StdEncoding.DecodeString(coded)
		if err != nil {
			return nil, fmt.Errorf("the secret in %s begins with whsec_ but is not base64 after it", s.Path())
		}
		return key, nil
	}
	return []byte(line), nil
}

func signature(key []byte, id, stamp string, body []byte) string {
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.", id, stamp)
	mac.Write(body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// CloudEvent is the message; its names are those of the standard.
type CloudEvent struct {
	SpecVersion     string `json:"specversion"`
	ID              string `json:"id"`
	Source          string `json:"source"`
	Type            string `json:"type"`
	Subject         string `json:"subject,omitempty"`
	Time            string `json:"time,omitempty"`
	DataContentType string `json:"datacontenttype"`
	// Tag is an extension: the masked number of a tag that was unknown at the time,
	// in the event itself and in the later "resolve".
	Tag  string          `json:"tag,omitempty"`
	Data books.EntryJSON `json:"data"`
}

// Wrap makes the message of an event. Time is left out while it is not known: the
// standard asks for the time of the occurrence, or none.
func Wrap(ev checkout.Event) CloudEvent {
	c := CloudEvent{
		SpecVersion: "1.0", ID: ev.ID.String(), Source: "/stump/" + url.PathEscape(ev.Station),
		Type: "stump." + string(ev.Kind), Subject: ev.Device, DataContentType: "application/json",
		Data: books.Entry{Event: ev, Time: ev.At.Wall, ClockTrusted: ev.At.Trusted}.JSON(),
	}
	if c.Tag = ev.PersonTag; c.Tag == "" {
		c.Tag = ev.DeviceTag
	}
	if ev.At.Trusted && c.Data.At != nil {
		c.Time = c.Data.At.Format(time.RFC3339)
	}
	return c
}
