package snipeit

import (
	"cmp"
	"context"
	"encoding/json"
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

// page is a page of a list.
type page[T any] struct {
	Total int `json:"total"`
	Rows  []T `json:"rows"`
}

// pageRows is the most rows that a page can have (MAX_RESULTS).
const pageRows = 500

// pull reads all pages of a list. Rows are sorted by id, since Snipe-IT's own
// order is not total and would skip and repeat.
func pull[T any](ctx context.Context, s *SnipeIT, path string, id func(T) int64) ([]T, call.Outcome) {
	all := call.List[T]{Path: path, Key: func(row T) string { return strconv.FormatInt(id(row), 10) }}
	total := -1
	for offset := 0; ; {
		p, o := pullPage[T](ctx, s, path, offset)
		if o.Verdict == call.OK {
			o = all.Add(p.Rows)
		}
		if o.Verdict != call.OK {
			return nil, o
		}
		if total < 0 {
			total = p.Total
		}
		offset += len(p.Rows)
		if len(p.Rows) == 0 || offset >= p.Total || p.Total != total {
			if len(all.Rows) != total {
				return nil, all.Changed(total)
			}
			return all.Rows, call.Outcome{}
		}
	}
}

// pullPage reads a page. A long list meets the rate limit; the pull only takes
// longer.
func pullPage[T any](ctx context.Context, s *SnipeIT, path string, offset int) (p page[T], o call.Outcome) {
	query := url.Values{"limit": {strconv.Itoa(pageRows)}, "offset": {strconv.Itoa(offset)}, "sort": {"id"}, "order": {"asc"}}
	for {
		o = s.call(ctx, http.MethodGet, path, query, nil, &p)
		if o.Verdict == call.Refused {
			o = call.Outcome{Verdict: call.Failing, Reason: o.Reason} // reading is never refused
		}
		if o.Verdict != call.Down || o.After <= 0 || o.After > 2*limitWindow {
			return p, o
		}
		select {
		case <-ctx.Done():
			return p, o
		case <-time.After(o.After):
		}
	}
}

// The parts of users and assets that are used.
type (
	user struct {
		ID   int64  `json:"id"`
		Name string `json:"name"`
		// Display is the name that Snipe-IT shows, where it differs (v8.3.0).
		Display string `json:"display_name"`
		Email   string `json:"email"`
		// Activated is nil where we may not see it: then only id and name are
		// there (v8.7.0).
		Activated *bool          `json:"activated"`
		EndDate   *date          `json:"end_date"`
		Deleted   *date          `json:"deleted_at"`
		All       map[string]any `json:"-"`
	}
	asset struct {
		ID       int64  `json:"id"`
		Name     string `json:"name"`
		AssetTag string `json:"asset_tag"`
		Serial   string `json:"serial"`
		Model    *struct {
			Name string `json:"name"`
		} `json:"model"`
		// Status is the later name of StatusLabel (v8.4.1), which is to go.
		Status      *status  `json:"status"`
		StatusLabel *status  `json:"status_label"`
		AssignedTo  assigned `json:"assigned_to"`
		Expected    *date    `json:"expected_checkin"`
		Deleted     *date    `json:"deleted_at"`
		// An object of fields, or an empty list: PHP can't tell {} from [].
		CustomFields json.RawMessage `json:"custom_fields"`
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

// UnmarshalJSON also keeps all fields: the badge may be in any.
func (u *user) UnmarshalJSON(b []byte) error {
	type bare user
	if err := json.Unmarshal(b, (*bare)(u)); err != nil {
		return err
	}
	return json.Unmarshal(b, &u.All)
}

// custom returns a custom field by its displayed name.
func (a asset) custom(name string) string {
	var fields map[string]struct {
		Value any `json:"value"`
	}
	if json.Unmarshal(a.CustomFields, &fields) != nil {
		return ""
	}
	return fieldText(fields[name].Value)
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
