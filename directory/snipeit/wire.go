package snipeit

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"stump/directory/call"
)

// limitWindow is how long Snipe-IT's rate limit lasts when it does not say
// (RouteServiceProvider.php, Limit::perMinute).
const limitWindow = 60 * time.Second

// envelope is around some answers: lists and single objects come without one.
// Failures come in one, with HTTP 200.
type envelope struct {
	Status     string          `json:"status"`
	Messages   json.RawMessage `json:"messages"` // string, object of lists, number or null
	RetryAfter float64         `json:"retryAfter"`
	Payload    json.RawMessage `json:"payload"`
}

// denied adds Snipe-IT's own words to a denied access: they tell a missing right
// from a second factor that is missing, or a client that is not let in (v8.7.0).
func (e envelope) denied(o call.Outcome) call.Outcome {
	var agent struct {
		Name *string `json:"user_agent"`
	}
	if json.Unmarshal(e.Payload, &agent) == nil && agent.Name != nil {
		o.Remedy = "in Snipe-IT's settings of the API, let the user agent stump in"
	}
	var says string
	if json.Unmarshal(e.Messages, &says) == nil && says != "" {
		o.Reason += ": " + text(says)
	}
	return o
}

// text makes one line of messages, which are in the language of the API's user
// and therefore only for people to read.
func (e envelope) text() string {
	var one string
	if json.Unmarshal(e.Messages, &one) == nil {
		return text(one)
	}
	var fields map[string][]string
	if json.Unmarshal(e.Messages, &fields) == nil {
		var all []string
		for _, msgs := range fields {
			all = append(all, msgs...)
		}
		slices.Sort(all)
		return text(strings.Join(all, " "))
	}
	return call.Plain(string(e.Messages))
}

// call makes a request and decodes the answer into out.
func (s *SnipeIT) call(ctx context.Context, method, path string, query url.Values, body map[string]any, out any) call.Outcome {
	r, o := s.api.Call(ctx, method, path, query, body)
	if o.Verdict != call.OK {
		return o
	}
	return read(r, out)
}

// read decodes an answer, and recognises Snipe-IT's ways to say no.
func read(r call.Reply, out any) call.Outcome {
	var env envelope
	// Lists have no envelope; what is not JSON is found below.
	_ = r.Decode(&env, "")
	o := r.Outcome()
	switch {
	case r.Status == http.StatusTooManyRequests:
		o.After = cmp.Or(o.After, time.Duration(min(max(env.RetryAfter, 0), 1e6))*time.Second, limitWindow)
	case o.Verdict == call.Refused && len(env.Messages) > 0, o.Verdict == call.OK && env.Status == "error":
		return call.Outcome{Verdict: call.Refused, Reason: "Snipe-IT says: " + env.text(), Remedy: "put it right in Snipe-IT"}
	case r.Status == http.StatusUnauthorized, r.Status == http.StatusForbidden:
		return env.denied(o)
	case o.Verdict == call.OK:
		return r.Decode(out, "Snipe-IT's")
	}
	return o
}

// pageRows is the most rows that a page can have (MAX_RESULTS).
const pageRows = 500

// list is a list whose rows are read into row. Rows are sorted by id, since
// Snipe-IT's own order is not total and would skip and repeat.
// right is what the token's user needs.
func list[T any](path, what, right string, row *T, id func(*T) number, fields ...string) call.List {
	return call.List{
		Path: path, What: what, Whose: "Snipe-IT's", Rows: "rows", Total: "total", PageRows: pageRows,
		Keep: call.Members[T](fields...),
		Ask: func(from int, _ string) url.Values {
			return url.Values{"limit": {strconv.Itoa(pageRows)}, "offset": {strconv.Itoa(from)}, "sort": {"id"}, "order": {"asc"}}
		},
		Judge: func(r call.Reply) call.Outcome {
			o := read(r, &struct{}{})
			if r.Status == http.StatusForbidden {
				o.Reason = strings.Replace(o.Reason, "denies access (", "denies access to "+path+" (", 1)
				if o.Remedy == r.Outcome().Remedy { // it names no other cause
					o.Remedy = "give the token's user the right " + right
				}
			}
			if o.Verdict == call.Refused && r.Status == http.StatusOK {
				o.Verdict = call.Failing // reading is never refused
			}
			return o
		},
		Read: func(raw []byte) (string, error) {
			*row = *new(T)
			err := lenient(raw, row)
			if n := id(row); n > 0 {
				return n.text(), err
			}
			return "", cmp.Or(err, errors.New("it has no id"))
		},
	}
}

// lenient reads an object. Where a field has another form than it should have, only
// that field is left out: one of them must not make a whole list unreadable.
func lenient(raw []byte, out any) error {
	err := json.Unmarshal(raw, out)
	if form, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && form.Field != "" {
		err = nil
	}
	if err != nil {
		err = errors.New("it is not an object")
	}
	return err
}

// number is a whole number that may be in quotes; anything else is 0.
type number int64

func (n number) text() string { return strconv.FormatInt(int64(n), 10) }

// UnmarshalJSON takes what is no number as 0.
func (n *number) UnmarshalJSON(b []byte) error {
	text := strings.TrimSuffix(strings.Trim(string(b), `"`), ".0")
	i, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		i = 0
	}
	*n = number(i)
	return nil
}

// flag is true or false, or a word or number for it.
type flag int8

const (
	unsaid flag = iota
	yes
	no
	neither
)

// UnmarshalJSON never fails.
func (f *flag) UnmarshalJSON(b []byte) error {
	switch strings.ToLower(strings.Trim(string(b), `"`)) {
	case "null":
		*f = unsaid
	case "true", "1", "yes":
		*f = yes
	case "false", "0", "no":
		*f = no
	default:
		*f = neither
	}
	return nil
}

// The parts of users and assets that are used.
type (
	user struct {
		ID       number `json:"id"`
		Name     string `json:"name"`
		Username string `json:"username"`
		// Display is the name that Snipe-IT shows, where it differs (v8.3.0).
		Display string `json:"display_name"`
		Email   string `json:"email"`
		// Activated is not said where we may not see it: then only id and name are
		// there (v8.7.0).
		Activated flag  `json:"activated"`
		EndDate   *date `json:"end_date"`
		Deleted   *date `json:"deleted_at"`
		// Where we may see no more than id and name, neither of these is there.
		Groups     groups `json:"groups"`
		Department groups `json:"department"`
	}
	asset struct {
		ID       number `json:"id"`
		Name     string `json:"name"`
		AssetTag string `json:"asset_tag"`
		Serial   string `json:"serial"`
		// Home is where it stands by default, At where it is.
		Home  named `json:"rtd_location"`
		At    named `json:"location"`
		Model *struct {
			Name string `json:"name"`
		} `json:"model"`
		// Status is the later name of StatusLabel (v8.4.1), which is to go.
		Status      *status  `json:"status"`
		StatusLabel *status  `json:"status_label"`
		AssignedTo  assigned `json:"assigned_to"`
		LastOut     *date    `json:"last_checkout"`
		Checkins    *number  `json:"checkin_counter"`
		Checkouts   *number  `json:"checkout_counter"`
		Expected    *date    `json:"expected_checkin"`
		Updated     *date    `json:"updated_at"`
		Deleted     *date    `json:"deleted_at"`
		// An object of fields, or an empty list: PHP can't tell {} from [].
		CustomFields json.RawMessage `json:"custom_fields"`
	}
	named struct {
		Name string `json:"name"`
	}
	status struct {
		Type string `json:"status_type"`
	}
	// date is wall time in the server's zone, without an offset.
	date struct {
		Datetime string `json:"datetime"`
		Date     string `json:"date"`
	}
)

// groups are names of groups: null, an object with a name, a list of such objects (v4), or
// an object with such a list.
type groups struct {
	names []string
	said  bool // it was there, and not something else
}

// UnmarshalJSON never fails.
func (g *groups) UnmarshalJSON(b []byte) error {
	var list []named
	var one struct {
		named
		Rows []named `json:"rows"`
	}
	switch {
	case json.Unmarshal(b, &list) == nil:
	case json.Unmarshal(b, &one) == nil:
		list = append(one.Rows, one.named)
	default:
		return nil
	}
	g.said = true
	for _, n := range list {
		g.names = append(g.names, text(n.Name))
	}
	return nil
}

// field is the text of any field of a user or an asset.
func field(raw []byte, name string) string {
	var fields map[string]any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	_ = d.Decode(&fields) // it was read before
	return fieldText(fields[name])
}

// custom returns a custom field by its displayed name.
func (a asset) custom(name string) string { return fieldText(a.customs()[name].Value) }

type customField struct {
	Value any `json:"value"`
}

func (a asset) customs() (fields map[string]customField) {
	d := json.NewDecoder(bytes.NewReader(a.CustomFields))
	d.UseNumber()
	if d.Decode(&fields) != nil {
		return nil
	}
	return fields
}

// text makes a value of the API, where strings are escaped, fit for people.
func text(s string) string { return call.Plain(html.UnescapeString(s)) }

// fieldText is the text of a field.
func fieldText(v any) string { return html.UnescapeString(call.FieldText(v)) }

// UnmarshalJSON takes anything but an object, such as "(Invalid … value.)", as no
// date.
func (d *date) UnmarshalJSON(b []byte) error {
	type bare date
	if json.Unmarshal(b, (*bare)(d)) != nil {
		*d = date{}
	}
	return nil
}
