package directory

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// snipeWait is how long Snipe-IT's rate limit lasts when it does not say: its
// window is one minute (RouteServiceProvider.php, Limit::perMinute).
const snipeWait = 60 * time.Second

// snipeEnvelope is what may stand around an answer. Lists and single objects
// come without one; failures come with HTTP 200.
type snipeEnvelope struct {
	Status     string          `json:"status"`
	Messages   json.RawMessage `json:"messages"` // string, object of lists, number or null
	RetryAfter float64         `json:"retryAfter"`
	Payload    json.RawMessage `json:"payload"`
}

// text makes one line of messages, which are in the language of the API's user
// and therefore only for people to read.
func (e snipeEnvelope) text() string {
	var one string
	if json.Unmarshal(e.Messages, &one) == nil {
		return plain(html.UnescapeString(one))
	}
	var fields map[string][]string
	if json.Unmarshal(e.Messages, &fields) == nil {
		var all []string
		for _, msgs := range fields {
			all = append(all, msgs...)
		}
		slices.Sort(all)
		return plain(html.UnescapeString(strings.Join(all, " ")))
	}
	return plain(string(e.Messages))
}

// snipeSays is HTTP 200 with an error inside: the server's word, for people.
type snipeSays struct{ text string }

func (e *snipeSays) Error() string { return "Snipe-IT says: " + e.text }

// call makes a request and decodes the answer into out. Errors: *Trouble,
// *snipeSays.
func (s *SnipeIT) call(ctx context.Context, method, path string, query url.Values, body, out any) error {
	address := s.base + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	var payload bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&payload).Encode(body); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, address, &payload)
	if err != nil {
		return &Trouble{Outcome{Verdict: BadConfig, Reason: err.Error(), Remedy: "check directory.url"}}
	}
	token, err := s.token.read()
	if err != nil {
		return &Trouble{Outcome{Verdict: BadConfig, Reason: err.Error(), Remedy: "put the API token there"}}
	}
	req.Header.Set("Authorization", "Bearer "+token)
	// Without it an expired token is a redirect to the login page.
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	r, cerr := s.client.do(ctx, req, pageLimit)
	if cerr != nil {
		return &Trouble{noAnswer(cerr)}
	}
	return readSnipe(r, out)
}

// readSnipe tells Snipe-IT's ways to say no from an answer.
func readSnipe(r reply, out any) error {
	var env snipeEnvelope
	// Lists have no envelope; a failure to read one here is found below.
	_ = json.Unmarshal(trimBOM(r.Body), &env)
	if r.Status == http.StatusTooManyRequests {
		o, _ := badStatus(r)
		if o.After == 0 {
			o.After = time.Duration(min(max(env.RetryAfter, 0), 1e6)) * time.Second
		}
		if o.After == 0 {
			o.After = snipeWait
		}
		return &Trouble{o}
	}
	if o, bad := badStatus(r); bad {
		if o.Verdict == Refused && len(env.Messages) > 0 {
			return &snipeSays{env.text()}
		}
		return &Trouble{o}
	}
	if isPage(r.Body) {
		return &Trouble{pageOutcome(r)}
	}
	if env.Status == "error" {
		return &snipeSays{env.text()}
	}
	if err := json.Unmarshal(trimBOM(r.Body), out); err != nil {
		return &Trouble{Outcome{Verdict: Failing, Reason: fmt.Sprintf("%s answers something that is not Snipe-IT's JSON", r.URL.Host)}}
	}
	return nil
}

// tooLong is for a list that is longer than any right one, or has no end.
func tooLong(path string) error {
	return &Trouble{Outcome{Verdict: Failing, Reason: fmt.Sprintf("the list %s has more than %d rows", path, listLimit)}}
}

// snipeList is one page.
type snipeList[T any] struct {
	Total int `json:"total"`
	Rows  []T `json:"rows"`
}

// snipePage is the most rows that a page can have (MAX_RESULTS).
const snipePage = 500

// pullSnipe reads all pages of a list. Rows are sorted by id, since Snipe-IT's own
// order is not total and would skip and repeat.
func pullSnipe[T any](ctx context.Context, s *SnipeIT, path string, id func(T) int64) ([]T, error) {
	var all []T
	seen := map[int64]bool{}
	total := -1
	for offset := 0; ; {
		var page snipeList[T]
		err := s.call(ctx, http.MethodGet, path, url.Values{
			"limit": {strconv.Itoa(snipePage)}, "offset": {strconv.Itoa(offset)}, "sort": {"id"}, "order": {"asc"},
		}, nil, &page)
		if o, ok := troubleOf(err); ok && o.Verdict == Down && o.After > 0 && o.After <= 2*snipeWait {
			// A long list meets the rate limit; the pull only takes longer.
			select {
			case <-ctx.Done():
			case <-time.After(o.After):
				continue
			}
		}
		if err != nil {
			return nil, err
		}
		before := len(all)
		for _, row := range page.Rows {
			if !seen[id(row)] {
				seen[id(row)] = true
				all = append(all, row)
			}
		}
		if len(page.Rows) > 0 && len(all) == before {
			return nil, &Trouble{Outcome{Verdict: Failing, Reason: fmt.Sprintf("the list %s begins again instead of going on", path)}}
		}
		if len(all) > listLimit {
			return nil, tooLong(path)
		}
		if total < 0 {
			total = page.Total
		}
		offset += len(page.Rows)
		// Who is deleted meanwhile makes another slide over the edge of a page
		// unseen, who would then seem to have left.
		if done := len(page.Rows) == 0 || offset >= page.Total; done || page.Total != total {
			if len(all) != total {
				return nil, &Trouble{Outcome{Verdict: Failing, Reason: fmt.Sprintf("the list %s changed while it was read (%d of %d)", path, len(all), total)}}
			}
			return all, nil
		}
	}
}

// The parts of people and assets that count.
type (
	snipeUser struct {
		ID        int64          `json:"id"`
		Name      string         `json:"name"`
		Email     string         `json:"email"`
		Activated bool           `json:"activated"`
		EndDate   *snipeDate     `json:"end_date"`
		Deleted   *snipeDate     `json:"deleted_at"`
		All       map[string]any `json:"-"`
	}
	snipeAsset struct {
		ID       int64  `json:"id"`
		Name     string `json:"name"`
		AssetTag string `json:"asset_tag"`
		Serial   string `json:"serial"`
		Model    *struct {
			Name string `json:"name"`
		} `json:"model"`
		StatusLabel *struct {
			StatusType string `json:"status_type"`
		} `json:"status_label"`
		AssignedTo *struct {
			ID   int64  `json:"id"`
			Name string `json:"name"`
			Type string `json:"type"`
		} `json:"assigned_to"`
		Deleted *snipeDate `json:"deleted_at"`
		// An object of fields, or an empty list: PHP can't tell {} from [].
		CustomFields json.RawMessage `json:"custom_fields"`
	}
	// snipeDate is wall time in the server's zone, without an offset.
	snipeDate struct {
		Datetime string `json:"datetime"`
		Date     string `json:"date"`
	}
)

// UnmarshalJSON keeps every field too: the badge may be in any.
func (u *snipeUser) UnmarshalJSON(b []byte) error {
	type bare snipeUser
	if err := json.Unmarshal(b, (*bare)(u)); err != nil {
		return err
	}
	return json.Unmarshal(b, &u.All)
}

// custom returns a custom field by the name that people see.
func (a snipeAsset) custom(name string) string {
	var fields map[string]struct {
		Value any `json:"value"`
	}
	if json.Unmarshal(a.CustomFields, &fields) != nil {
		return ""
	}
	return fieldText(fields[name].Value)
}

// fieldText is a JSON value as text; numbers without an exponent.
func fieldText(v any) string {
	switch v := v.(type) {
	case string:
		return html.UnescapeString(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return ""
}

// UnmarshalJSON takes what is no object, such as "(Invalid … value.)", for no
// date.
func (d *snipeDate) UnmarshalJSON(b []byte) error {
	type bare snipeDate
	if json.Unmarshal(b, (*bare)(d)) != nil {
		*d = snipeDate{}
	}
	return nil
}
