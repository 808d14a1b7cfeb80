// Package webhook posts events as signed CloudEvents, or as sentences to a chat.
package webhook

import (
	"cmp"
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
	// Format is what is posted: "cloudevents", or a sentence for people as "slack",
	// "teams" or "text" take it.
	Format string `toml:"format"`
	// Template is a text with placeholders, such as {person}, in place of the sentence;
	// one that gives nothing sends nothing. Templates are for single kinds of events.
	Template  string            `toml:"template"`
	Templates map[string]string `toml:"templates"`
	call.HTTP

	// Language is that of the sentences, the display's.
	Language string `toml:"-"`
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
//
// A redirect after the POST, 302 or 303, says where the answer is: that is fetched
// with a bare GET, and the event is never posted there. Apps Script does so with each
// event that it has counted. 307 and 308, which mean the POST, are followed within
// the host alone: another would get the event and its signature.
type Webhook struct {
	cfg       Config
	client    *call.Client
	templates map[string]template // by kind; "" is for the others
}

var nameForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)

// New checks the configuration.
func New(cfg Config) (*Webhook, error) {
	bad := func(key, format string, args ...any) (*Webhook, error) {
		return nil, &call.KeyError{Table: "webhook", Key: key, Err: fmt.Errorf(format, args...)}
	}
	u, err := url.Parse(cfg.URL)
	if err != nil || !call.IsWeb(u) {
		return bad("url", "%q is not an http or https address", call.MaskedHook(cfg.URL))
	}
	if cfg.Name == "" {
		if cfg.Name = strings.ToLower(u.Hostname()); !nameForm.MatchString(cfg.Name) {
			return bad("url", "%q: its host can't be the webhook's name: set webhook.name", call.MaskedHook(cfg.URL))
		}
	}
	if !nameForm.MatchString(cfg.Name) {
		return bad("name", "%q: use lower-case letters, digits, . _ -", cfg.Name)
	}
	c, err := call.New(cfg.HTTP, call.Options{Follow: true, Hide: true})
	if err != nil {
		return nil, fmt.Errorf("webhook %s: %w", cfg.Name, err)
	}
	h := &Webhook{cfg: cfg, client: c}
	if cfg.Format != "" && !slices.Contains(Formats, cfg.Format) {
		return bad("format", "%q is not one of %s", cfg.Format, strings.Join(Formats, ", "))
	}
	var key string
	if h.templates, key, err = parseTemplates(cfg); err != nil {
		return bad(key, "%w", err)
	}
	return h, nil
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
	return call.Capabilities{Repeatable: true, Alike: true, Parallel: 8}
}

// Deliver implements directory.Deliverer.
func (h *Webhook) Deliver(ctx context.Context, d call.Delivery) call.Outcome {
	if len(h.cfg.Kinds) > 0 && !slices.Contains(h.cfg.Kinds, string(d.Event.Kind)) {
		return call.Outcome{Verdict: call.Unwanted}
	}
	if to := parseAnswerStep(d.Step, time.Now()); to != "" {
		o, _ := h.answer(ctx, to)
		if o.Step = d.Step; o.Verdict != call.BadConfig {
			return o
		}
	}
	m, err := h.message(d.Event, time.Now())
	if err != nil {
		return call.Outcome{Verdict: call.Refused, Reason: "the message can't be written: " + err.Error(), Remedy: "check webhook.template, or drop it"}
	}
	if m.body == nil {
		return call.Outcome{Verdict: call.Unwanted}
	}
	return h.post(ctx, d.Event.ID.String(), m)
}

// post posts a message.
func (h *Webhook) post(ctx context.Context, id string, m message) call.Outcome {
	header, err := h.header(id, time.Now(), m)
	if err != nil {
		return call.Outcome{Verdict: call.BadConfig, Reason: err.Error(), Remedy: "check webhook.secret_file"}
	}
	r, o := h.client.Do(ctx, http.MethodPost, h.cfg.URL, header, m.body)
	if o.Verdict != call.OK {
		return o
	}
	if r.Status == http.StatusFound || r.Status == http.StatusSeeOther {
		if to := r.Location(); to != "" {
			o, there := h.answer(ctx, to)
			switch {
			case o.Verdict == call.Down && !there:
				// The network works, so that host is no place for an answer.
				o.Verdict, o.Reason = call.BadConfig, r.URL.Host+" redirects elsewhere, and "+o.Reason
			case o.Verdict == call.Down, o.Verdict == call.Failing:
				o.Step = answerStep(to, time.Now())
			}
			return o
		}
	}
	return h.outcome(r)
}

const cloudEventsType = "application/cloudevents+json; charset=utf-8"

// message is what is posted.
type message struct {
	mediaType string
	body      []byte // nil: nothing
}

// message makes the message of an event.
func (h *Webhook) message(ev checkout.Event, now time.Time) (message, error) {
	chat, ok := chatFormats[h.cfg.Format]
	if !ok {
		body, err := json.Marshal(Wrap(ev))
		return message{cloudEventsType, body}, err
	}
	f := wordsOf(h.cfg.Language).fields(ev, now, chat.safe)
	text, own := f.Text, cmp.Or(h.templates[f.Kind], h.templates[""])
	if own != "" {
		if text = own.fill(f); text == "" {
			return message{}, nil
		}
	}
	body, err := chat.encode(text, own != "")
	return message{"application/json", body}, err
}

// answerFor is how long an answer is asked for before the event is posted again.
const answerFor = time.Hour

// answerStep is the step of an event that was posted, and whose answer is at an
// address: the next attempt asks for that, and does not post the event twice.
func answerStep(address string, now time.Time) string {
	return strconv.FormatInt(now.Unix(), 10) + " " + address
}

// parseAnswerStep returns the address of a step; "" if there is none, or it is too old.
func parseAnswerStep(step string, now time.Time) string {
	at, address, _ := strings.Cut(step, " ")
	unix, err := strconv.ParseInt(at, 10, 64)
	if err != nil || now.Sub(time.Unix(unix, 0)).Abs() > answerFor {
		return ""
	}
	return address
}

// answer fetches the answer to an event that was posted. A definite no is BadConfig,
// such as the login page of a server that never saw the event. there: something
// answered.
func (h *Webhook) answer(ctx context.Context, address string) (o call.Outcome, there bool) {
	r, o := h.client.See(ctx, address)
	if there = o.Verdict == call.OK; there {
		o = h.outcome(r)
	}
	if o.Verdict == call.Refused {
		o.Verdict = call.BadConfig
	}
	return o, there
}

// outcome says what an answer means, with the receiver's own words.
func (h *Webhook) outcome(r call.Reply) call.Outcome {
	if r.Status == http.StatusConflict {
		// The draft, 2.7: the first request with this key is still at work.
		return call.Outcome{Verdict: call.Failing, Reason: r.URL.Host + " is still busy with the first attempt (409 Conflict)", After: r.RetryAfter()}
	}
	o := r.Outcome()
	if r.Status < 400 {
		return o
	}
	if said := h.mask(r.Said()); said != "" {
		o.Reason += ": " + said
	}
	if o.Verdict == call.Refused {
		o.Remedy = "see what the receiver says of this event"
	}
	return o
}

// token is what looks like a key in a receiver's words.
var token = regexp.MustCompile(`[A-Za-z0-9+/_=.-]{20,}`)

// mask takes secrets out of a receiver's words, which may repeat what it was sent:
// the parts of the address, the key, and whatever looks like one.
func (h *Webhook) mask(said string) string {
	u, _ := url.Parse(h.cfg.URL)
	parts := strings.FieldsFunc(u.Path+" "+u.RawPath+" "+u.RawQuery+" "+u.User.String(), func(r rune) bool { return strings.ContainsRune("/?&=:; ", r) })
	if h.cfg.SecretFile != "" {
		if key, err := call.Secret(h.cfg.SecretFile).Read(); err == nil {
			parts = append(parts, key)
		}
	}
	slices.SortFunc(parts, func(a, b string) int { return len(b) - len(a) })
	for _, p := range parts {
		for _, form := range []string{p, unescaped(p)} {
			if len(form) >= 4 {
				said = strings.ReplaceAll(said, form, "…")
			}
		}
	}
	return token.ReplaceAllStringFunc(said, func(s string) string {
		if strings.ContainsAny(s, "0123456789") {
			return "…"
		}
		return s
	})
}

func unescaped(s string) string {
	u, err := url.QueryUnescape(s)
	if err != nil {
		return s
	}
	return u
}

// header returns the headers; without a secret_file, no signature.
func (h *Webhook) header(id string, now time.Time, m message) (http.Header, error) {
	stamp := strconv.FormatInt(now.Unix(), 10)
	header := http.Header{
		"Content-Type":    {m.mediaType},
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
	header["webhook-signature"] = []string{"v1," + signature(key, id, stamp, m.body)}
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
		SpecVersion: "1.0", ID: ev.ID.String(), Source: source(ev.Station),
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
