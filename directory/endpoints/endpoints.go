// Package endpoints speaks to the servers of the original client
// (etsy/rfid-checkout).
package endpoints

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"stump/checkout"
	"stump/directory/call"
	"stump/internal/books"
)

// Config are the keys of [directory] for kind = "endpoints".
type Config struct {
	// CheckInOut, WhatIs and Associate are the addresses of the original's three
	// calls, with {staff} and {asset}, {tag}, {who} and {tag} in them.
	CheckInOut string `toml:"checkinout"`
	WhatIs     string `toml:"whatis"`
	Associate  string `toml:"associate"`
	// HashString goes before a badge number that is hashed. HashStringFile
	// keeps it out of the configuration.
	HashString     string `toml:"hash_string"`
	HashStringFile string `toml:"hash_string_file"`
	// WordsIn and WordsOut are the server's words for the direction. Default
	// "checked in", "checked out".
	WordsIn  []string `toml:"words_in"`
	WordsOut []string `toml:"words_out"`
	// EventParameter is the name of a parameter that carries the event's id,
	// for a server that counts an id only once. Empty: it does not.
	EventParameter string `toml:"event_parameter"`
}

// Endpoints makes the original's calls:
//
//	GET checkinout.php?staff_rfid_tag=S&asset_rfid_tag=A  {"response":"Corey checked out iPod"} | {"error":"Unknown Device"}
//	GET whatis.php?rfid=T                                 {"type":"human|device","name":"…"}    | {"error":"…"}
//	GET associate.php?who=NAME&tag=S                      {"msg":"Tag associated with …"}       | {"error":"User Not Found"}
//
// A device's number is sent as the decimal of all bits, a person's as the
// lower-case hex SHA-256 of HASH_STRING and that decimal.
//
// The first call is a toggle. The server decides the direction and names it in
// words, there is no way to ask whether a call was counted, and two calls cancel
// each other. So every call opens a connection and is never repeated once that is
// open, and the direction in the answer is compared with the event.
type Endpoints struct {
	cfg    Config
	client *call.Client
}

// New checks the configuration.
func New(cfg Config, h call.HTTP) (*Endpoints, error) {
	hide := false
	for _, t := range []struct{ key, template, holes string }{
		{"checkinout", cfg.CheckInOut, "{staff} {asset}"},
		{"whatis", cfg.WhatIs, "{tag}"},
		{"associate", cfg.Associate, "{who} {tag}"},
	} {
		if t.template == "" && t.key == "associate" {
			continue // the site enrols elsewhere
		}
		for hole := range strings.FieldsSeq(t.holes) {
			if !strings.Contains(t.template, hole) {
				return nil, call.BadKey(t.key, "%q needs %s", call.Masked(t.template), hole)
			}
		}
		if u, err := url.Parse(fill(t.template, "{staff}", "0", "{asset}", "0", "{tag}", "0", "{who}", "0")); err != nil || !call.IsWeb(u) {
			return nil, call.BadKey(t.key, "%q is not an http or https address", call.Masked(t.template))
		}
		path, _, _ := strings.Cut(t.template, "?")
		hide = hide || strings.Contains(path, "{")
	}
	if cfg.WordsIn == nil {
		cfg.WordsIn = []string{"checked in"}
	}
	if cfg.WordsOut == nil {
		cfg.WordsOut = []string{"checked out"}
	}
	c, err := call.New(h, call.Options{Fresh: true, Follow: true, Hide: hide})
	return &Endpoints{cfg: cfg, client: c}, err
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

// Capabilities implements directory.Deliverer.
func (e *Endpoints) Capabilities() call.Capabilities {
	return call.Capabilities{Repeatable: e.cfg.EventParameter != "", Tags: true, Identities: true, FirstWord: true, Parallel: 1}
}

// staff is the form in which a badge number is sent.
func (e *Endpoints) staff(t checkout.Tag) (string, call.Outcome) {
	hash := e.cfg.HashString
	if e.cfg.HashStringFile != "" {
		var err error
		if hash, err = call.Secret(e.cfg.HashStringFile).Read(); err != nil {
			return "", call.Misconfigured(err, "check hash_string_file")
		}
	}
	sum := sha256.Sum256([]byte(hash + t.Decimal()))
	return hex.EncodeToString(sum[:]), call.Outcome{}
}

// answer is the union of what the three calls answer.
type answer struct {
	Response, Msg, Error, Type, Name string
}

// get makes one call and reads its object.
func (e *Endpoints) get(ctx context.Context, address string) (call.Reply, answer, call.Outcome) {
	r, o := e.client.Do(ctx, http.MethodGet, address, http.Header{"Accept": {"application/json"}}, nil)
	if o.Verdict != call.OK {
		return r, answer{}, o
	}
	a, o := readAnswer(r)
	return r, a, o
}

func readAnswer(r call.Reply) (a answer, o call.Outcome) {
	if o = r.Outcome(); o.Verdict != call.OK {
		return a, o
	}
	if o = r.Decode(&a, "its usual"); a == (answer{}) {
		o = r.NotJSON("its usual")
	}
	return a, o
}

// Probe implements directory.Directory: it asks for a number that nobody has.
func (e *Endpoints) Probe(ctx context.Context) call.Outcome {
	_, _, o := e.get(ctx, fill(e.cfg.WhatIs, "{tag}", "0"))
	return o.OfProbe()
}

// WhatIs implements directory.Finder. Without a hint it asks for a device first,
// since a device's number is not a secret.
func (e *Endpoints) WhatIs(ctx context.Context, tag checkout.Tag, hint checkout.SubjectKind) (books.SyncRow, error) {
	staff, o := e.staff(tag)
	if o.Verdict != call.OK {
		return books.SyncRow{}, o
	}
	forms := []string{tag.Decimal(), staff}
	switch hint {
	case checkout.KindDevice:
		forms = forms[:1]
	case checkout.KindPerson:
		forms = forms[1:]
	}
	for _, form := range forms {
		_, a, o := e.get(ctx, fill(e.cfg.WhatIs, "{tag}", form))
		if o.Verdict != call.OK {
			return books.SyncRow{}, o
		}
		row := books.SyncRow{Name: call.Plain(a.Name), Tag: tag}
		switch strings.ToLower(a.Type) {
		case "human", "person":
			row.Kind = checkout.KindPerson
		case "device":
			row.Kind = checkout.KindDevice
		}
		if row.Name != "" && row.Kind != checkout.Unknown {
			return row, nil
		}
	}
	return books.SyncRow{}, nil
}

// EnrolsPeople implements directory.Enroller.
func (e *Endpoints) EnrolsPeople() bool { return e.cfg.Associate != "" }

// Enrol implements directory.Enroller: the server must know the name.
func (e *Endpoints) Enrol(ctx context.Context, who string, tag checkout.Tag) (books.SyncRow, error) {
	staff, o := e.staff(tag)
	if o.Verdict != call.OK {
		return books.SyncRow{}, o
	}
	_, a, o := e.get(ctx, fill(e.cfg.Associate, "{who}", who, "{tag}", staff))
	if o.Verdict != call.OK {
		return books.SyncRow{}, o
	}
	if a.Error != "" {
		return books.SyncRow{}, fmt.Errorf("%w: %s: %s", call.ErrNobody, who, call.Plain(a.Error))
	}
	// Take the server's spelling of the name, if it has one.
	if row, err := e.WhatIs(ctx, tag, checkout.KindPerson); err == nil && row.Kind == checkout.KindPerson {
		return row, nil
	}
	return books.SyncRow{Kind: checkout.KindPerson, Name: who, Tag: tag}, nil
}

// Reach tries the way to the server of each address.
func (e *Endpoints) Reach(ctx context.Context) (steps []call.Step) {
	tried := map[string]bool{}
	for _, template := range []string{e.cfg.CheckInOut, e.cfg.WhatIs, e.cfg.Associate} {
		u, err := url.Parse(fill(template, "{staff}", "0", "{asset}", "0", "{tag}", "0", "{who}", "0"))
		if err == nil && u.Host != "" && !tried[u.Scheme+u.Host] {
			tried[u.Scheme+u.Host] = true
			steps = append(steps, e.client.Reach(ctx, u.Scheme+"://"+u.Host)...)
		}
	}
	return steps
}

// Server is what the newest answer says of the server.
func (e *Endpoints) Server() call.Server { return e.client.Server() }
