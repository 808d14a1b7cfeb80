package directory

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"stump/checkout"
)

// Webhook posts each event as a CloudEvents 1.0 message in structured JSON
// mode (CNCF CloudEvents, HTTP protocol binding), signed as Standard Webhooks
// has it:
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
	name, station string
	cfg           WebhookConfig
	client        *client
}

var hookName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)

// NewWebhook checks the configuration.
func NewWebhook(cfg WebhookConfig, station string) (*Webhook, error) {
	bad := func(key, format string, args ...any) (*Webhook, error) {
		return nil, &KeyError{Table: "webhook", Key: key, Err: fmt.Errorf(format, args...)}
	}
	u, err := url.Parse(cfg.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return bad("url", "%q is not an http or https address", cfg.URL)
	}
	if cfg.Name == "" {
		if cfg.Name = strings.ToLower(u.Hostname()); !hookName.MatchString(cfg.Name) {
			return bad("url", "%q: its host can't be the webhook's name: set webhook.name", cfg.URL)
		}
	}
	if !hookName.MatchString(cfg.Name) || cfg.Name == Main {
		return bad("name", "%q: use lower-case letters, digits, . _ - and not %q", cfg.Name, Main)
	}
	c, err := newClient(cfg.HTTP, clientOptions{follow: true, hide: true})
	if err != nil {
		return nil, fmt.Errorf("webhook %s: %w", cfg.Name, err)
	}
	return &Webhook{cfg.Name, station, cfg, c}, nil
}

// Name is the hook's name as a sink.
func (h *Webhook) Name() string { return h.name }

// String leaves out path and query: many services put their secret there.
func (h *Webhook) String() string {
	u, _ := url.Parse(h.cfg.URL)
	return "webhook " + h.name + " at " + u.Host
}

// Capabilities implements Deliverer.
func (h *Webhook) Capabilities() Capabilities {
	return Capabilities{Deliver: true, Repeatable: true, Parallel: 8}
}

// Deliver implements Deliverer.
func (h *Webhook) Deliver(ctx context.Context, d Delivery) Outcome {
	if len(h.cfg.Kinds) > 0 && !slices.Contains(h.cfg.Kinds, string(d.Event.Kind)) {
		return Outcome{Verdict: Moot}
	}
	body, err := json.Marshal(cloudEvent(d.Event, h.station))
	if err != nil {
		return Outcome{Verdict: Refused, Reason: "the event can't be written as JSON: " + err.Error(), Remedy: "drop it"}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.cfg.URL, bytes.NewReader(body))
	if err != nil {
		return Outcome{Verdict: BadConfig, Reason: err.Error(), Remedy: "check webhook.url"}
	}
	id := d.Event.ID.String()
	req.Header.Set("Content-Type", "application/cloudevents+json; charset=utf-8")
	req.Header.Set("Idempotency-Key", strconv.Quote(id))
	if o := h.sign(req.Header, id, time.Now(), body); o.Verdict != Done {
		return o
	}
	r, cerr := h.client.do(ctx, req, answerLimit)
	if cerr != nil {
		return noAnswer(cerr)
	}
	switch {
	case r.Status == http.StatusConflict:
		// The draft, 2.7: the first request with this key is still at work.
		return Outcome{Verdict: Failing, Reason: r.URL.Host + " is still busy with the first try (409 Conflict)", After: retryAfter(r, time.Now())}
	case r.Status >= 200 && r.Status < 300:
		if isPage(r.Body) {
			return pageOutcome(r)
		}
		return Outcome{Verdict: Done}
	}
	o, _ := badStatus(r)
	if o.Verdict == Refused {
		o.Remedy = "see what the receiver says of this event"
	}
	return o
}

// sign adds the Standard Webhooks headers; without a secret_file only id and
// time.
func (h *Webhook) sign(header http.Header, id string, now time.Time, body []byte) Outcome {
	stamp := strconv.FormatInt(now.Unix(), 10)
	// The names are lower case in the standard; HTTP/1 receivers may be picky.
	header["webhook-id"], header["webhook-timestamp"] = []string{id}, []string{stamp}
	if h.cfg.SecretFile == "" {
		return Outcome{}
	}
	key, err := hookKey(secret(h.cfg.SecretFile))
	if err != nil {
		return Outcome{Verdict: BadConfig, Reason: err.Error(), Remedy: "check webhook.secret_file"}
	}
	header["webhook-signature"] = []string{"v1," + signature(key, id, stamp, body)}
	return Outcome{}
}

// hookKey reads the key: base64 after "whsec_", as the standard hands keys out,
// else the line itself.
func hookKey(s secret) ([]byte, error) {
	line, err := s.read()
	if err != nil {
		return nil, err
	}
	if coded, ok := strings.CutPrefix(line, "whsec_"); ok {
		key, err := base64.StdEncoding.DecodeString(coded)
		if err != nil {
			return nil, fmt.Errorf("the secret in %s begins with whsec_ but is not base64 after it", s.path())
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
	// Tag is an extension: the masked number of a tag that nobody knew at the
	// time, in the event and in the "resolve" that tells whose it was.
	Tag  string             `json:"tag,omitempty"`
	Data checkout.EntryJSON `json:"data"`
}

// cloudEvent wraps an event. Time is left out while it is not known: the
// standard asks for the time of the occurrence, or none.
func cloudEvent(ev checkout.Event, station string) CloudEvent {
	if ev.Station == "" {
		ev.Station = station
	}
	c := CloudEvent{
		SpecVersion: "1.0", ID: ev.ID.String(), Source: "/stump/" + url.PathEscape(ev.Station),
		Type: "stump." + string(ev.Kind), Subject: ev.Device, DataContentType: "application/json",
		Data: eventJSON(ev),
	}
	if c.Tag = ev.PersonTag; c.Tag == "" {
		c.Tag = ev.DeviceTag
	}
	if ev.At.Trusted && c.Data.At != nil {
		c.Time = c.Data.At.Format(time.RFC3339)
	}
	return c
}

// eventJSON is the event as "stump history --json" prints it.
func eventJSON(ev checkout.Event) checkout.EntryJSON {
	return checkout.Entry{Event: ev, Time: ev.At.Wall, ClockTrusted: ev.At.Trusted}.JSON()
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// OpenWebhooks returns the webhooks of the configuration by name.
func OpenWebhooks(c Config) (map[string]Deliverer, error) {
	hooks := map[string]Deliverer{}
	for i, hc := range c.Webhooks {
		h, err := NewWebhook(hc, c.Station)
		if err != nil {
			if bad := (*KeyError)(nil); errors.As(err, &bad) {
				bad.Index = i
			}
			return nil, err
		}
		if hooks[h.name] != nil {
			return nil, &KeyError{"webhook", i, "name", fmt.Errorf("two webhooks are called %q: give them a name each", h.name)}
		}
		hooks[h.name] = h
	}
	return hooks, nil
}

// Sinks are the names under which the ledger must write outbox rows.
func Sinks(d Directory, hooks map[string]Deliverer) []string {
	var sinks []string
	if d.Capabilities().Deliver {
		sinks = append(sinks, Main)
	}
	for name := range hooks {
		sinks = append(sinks, name)
	}
	slices.Sort(sinks)
	return sinks
}
