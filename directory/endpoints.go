package directory

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"stump/checkout"
)

// Endpoints speaks to the servers of the original client (etsy/rfid-checkout):
//
//	GET checkinout.php?staff_rfid_tag=S&asset_rfid_tag=A  {"response":"Corey checked out iPod"} | {"error":"Unknown Device"}
//	GET whatis.php?rfid=T                                 {"type":"human|device","name":"…"}    | {"error":"…"}
//	GET associate.php?who=NAME&tag=S                      {"msg":"Tag associated with …"}       | {"error":"User Not Found"}
//
// A device's number is sent as the decimal of all bits, a person's as the
// lower-case hex SHA-256 of HASH_STRING and that decimal.
//
// The first call is a toggle. The server decides the direction and says it in
// words, nothing can ask whether a call was counted, and two calls cancel each
// other. So: a new connection for every call, no repetition once that stood, and
// the direction in the answer compared with ours.
type Endpoints struct {
	cfg    Config
	client *client
}

// handoverReturned is the step of a hand-over whose first call is done.
const handoverReturned = "returned"

// NewEndpoints checks the templates.
func NewEndpoints(cfg Config) (*Endpoints, error) {
	hide := false
	for _, t := range []struct{ key, template, holes string }{
		{"checkinout", cfg.CheckInOut, "{staff} {asset}"},
		{"whatis", cfg.WhatIs, "{tag}"},
		{"associate", cfg.Associate, "{who} {tag}"},
	} {
		if err := checkTemplate(t.key, t.template, strings.Fields(t.holes)); err != nil {
			return nil, err
		}
		path, _, _ := strings.Cut(t.template, "?")
		hide = hide || strings.Contains(path, "{")
	}
	c, err := newClient(cfg.HTTP, clientOptions{fresh: true, follow: true, hide: hide})
	if err != nil {
		return nil, err
	}
	return &Endpoints{cfg: cfg, client: c}, nil
}

func checkTemplate(key, template string, holes []string) error {
	if template == "" && key == "associate" {
		return nil // the site enrols elsewhere
	}
	for _, h := range holes {
		if !strings.Contains(template, h) {
			return badKey(key, "%q needs %s", template, h)
		}
	}
	u, err := url.Parse(fill(template, "{staff}", "0", "{asset}", "0", "{tag}", "0", "{who}", "0"))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return badKey(key, "%q is not an http or https address", template)
	}
	return nil
}

// fill puts values into a template, escaped so that they fit a path as well as
// a query: a space is %20 in both, + only in one.
func fill(template string, pairs ...string) string {
	for i := 1; i < len(pairs); i += 2 {
		pairs[i] = strings.ReplaceAll(url.QueryEscape(pairs[i]), "+", "%20")
	}
	return strings.NewReplacer(pairs...).Replace(template)
}

func (e *Endpoints) String() string {
	u, _ := url.Parse(fill(e.cfg.CheckInOut, "{staff}", "0", "{asset}", "0"))
	return "endpoints of " + u.Host
}

// Capabilities implements Deliverer.
func (e *Endpoints) Capabilities() Capabilities {
	return Capabilities{
		WhatIs: true, Enrol: e.cfg.Associate != "", Deliver: true,
		Repeatable: e.cfg.EventParameter != "",
		Tags:       true, Identities: true, Parallel: 1,
	}
}

// staff is the form in which a badge number is sent.
func (e *Endpoints) staff(t checkout.Tag) (string, error) {
	hash := e.cfg.HashString
	if e.cfg.HashStringFile != "" {
		var err error
		if hash, err = secret(e.cfg.HashStringFile).read(); err != nil {
			return "", err
		}
	}
	sum := sha256.Sum256([]byte(hash + t.Decimal()))
	return hex.EncodeToString(sum[:]), nil
}

// get makes one call.
func (e *Endpoints) get(ctx context.Context, address string) (reply, *callError) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return reply{}, &callError{err: err, host: address}
	}
	req.Header.Set("Accept", "application/json")
	return e.client.do(ctx, req, answerLimit)
}

// ask makes a call that changes nothing or may be repeated, and reads its
// object.
func (e *Endpoints) ask(ctx context.Context, address string) (endpointAnswer, Outcome) {
	r, cerr := e.get(ctx, address)
	if cerr != nil {
		return endpointAnswer{}, noAnswer(cerr)
	}
	return readAnswer(r)
}

// endpointAnswer is the union of what the three calls answer.
type endpointAnswer struct {
	Response, Msg, Error, Type, Name string
}

func readAnswer(r reply) (a endpointAnswer, o Outcome) {
	if o, bad := badStatus(r); bad {
		return a, o
	}
	if isPage(r.Body) {
		return a, pageOutcome(r)
	}
	if err := json.Unmarshal(trimBOM(r.Body), &a); err != nil || a == (endpointAnswer{}) {
		return a, Outcome{Verdict: Failing, Reason: fmt.Sprintf("%s answers something that is not its usual JSON", r.URL.Host)}
	}
	return a, Outcome{Verdict: Done}
}

// Probe implements Directory: it asks for a number that nobody has.
func (e *Endpoints) Probe(ctx context.Context) Outcome {
	_, o := e.ask(ctx, fill(e.cfg.WhatIs, "{tag}", "0"))
	if o.Verdict == Failing || o.Verdict == Refused {
		o.Verdict = Down // a probe has no event to blame
	}
	return o
}

// Pull implements Directory.
func (e *Endpoints) Pull(context.Context) (Snapshot, error) { return Snapshot{}, ErrUnsupported }

// WhatIs implements Directory. A number without a hint is asked as a device's
// first, since that one gives nothing away.
func (e *Endpoints) WhatIs(ctx context.Context, tag checkout.Tag, hint Kind) (Answer, error) {
	staff, err := e.staff(tag)
	if err != nil {
		return Answer{}, &Trouble{Outcome{Verdict: BadConfig, Reason: err.Error(), Remedy: "check hash_string_file"}}
	}
	forms := []string{tag.Decimal(), staff}
	switch hint {
	case Device:
		forms = forms[:1]
	case Person:
		forms = forms[1:]
	}
	for _, form := range forms {
		a, o := e.ask(ctx, fill(e.cfg.WhatIs, "{tag}", form))
		if o.Verdict != Done {
			return Answer{}, &Trouble{o}
		}
		name := plain(a.Name)
		switch kind := strings.ToLower(a.Type); {
		case name == "":
		case kind == "human" || kind == "person":
			return Answer{true, Record{Kind: Person, Name: name, Tag: tag}}, nil
		case kind == "device":
			return Answer{true, Record{Kind: Device, Name: name, Tag: tag}}, nil
		}
	}
	return Answer{}, nil
}

// Enrol implements Directory: the server decides whether it knows the name.
func (e *Endpoints) Enrol(ctx context.Context, who string, tag checkout.Tag) (Record, error) {
	if e.cfg.Associate == "" {
		return Record{}, ErrUnsupported
	}
	staff, err := e.staff(tag)
	if err != nil {
		return Record{}, &Trouble{Outcome{Verdict: BadConfig, Reason: err.Error(), Remedy: "check hash_string_file"}}
	}
	a, o := e.ask(ctx, fill(e.cfg.Associate, "{who}", who, "{tag}", staff))
	if o.Verdict != Done {
		return Record{}, &Trouble{o}
	}
	if a.Error != "" {
		return Record{}, fmt.Errorf("%w: %s: %s", ErrNobody, who, plain(a.Error))
	}
	// The server's spelling of the name counts, if it tells.
	if ans, err := e.WhatIs(ctx, tag, Person); err == nil && ans.Known && ans.Kind == Person {
		return ans.Record, nil
	}
	return Record{Kind: Person, Name: who, Tag: tag}, nil
}
