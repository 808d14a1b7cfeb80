package api

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"stump/directory/webhook"
	"stump/internal/api/wire"
	"stump/internal/feed"
)

// eventForm is a form of the stream of events.
type eventForm struct {
	mediaType string
	write     func(w io.Writer, i feed.Item) error
	// hello is sent at once, so that the client learns that it watches, and ping while
	// nothing happens, so that a dead connection is noticed.
	hello, ping string
}

var eventForms = []eventForm{
	{"text/event-stream", func(w io.Writer, i feed.Item) error {
		_, err := fmt.Fprintf(w, "id: %s\nevent: %s\ndata: %s\n\n", i.Key, i.Entry.Kind, i.JSON)
		return err
	}, "retry: 2000\n\n", ": nothing new\n\n"},
	{"application/cloudevents+json", func(w io.Writer, i feed.Item) error {
		return json.NewEncoder(w).Encode(webhook.Wrap(i.Entry.Event))
	}, "\n", "\n"},
	{wire.LineType, func(w io.Writer, i feed.Item) error {
		_, err := fmt.Fprintf(w, "%s\n", i.JSON)
		return err
	}, "\n", "\n"},
}

// eventFormOf is the form that a request accepts; lines of JSON if it does not say.
func eventFormOf(r *http.Request) eventForm {
	accept := r.Header.Get("Accept")
	for _, f := range eventForms {
		if strings.Contains(accept, f.mediaType) {
			return f
		}
	}
	return eventForms[len(eventForms)-1]
}

const (
	eventPing = 15 * time.Second
	// eventPatience is how long a client may take to read what is sent at once.
	eventPatience = 10 * time.Second
)

// events sends the events after a place, and then each that is committed, until the
// client goes. A client that was cut off, or was too slow, goes on where it was.
func (s *Server) events(w http.ResponseWriter, r *http.Request) error {
	q, err := params(r, "after")
	if err != nil {
		return err
	}
	watch, err := s.feed.Watch(cmp.Or(r.Header.Get("Last-Event-ID"), q.Get("after")))
	if errors.Is(err, feed.ErrFull) {
		w.Header().Set("Retry-After", "30")
		return problem(wire.CodeBusy, "ask again in half a minute", "%d clients watch the events already", feed.Most)
	}
	if err != nil {
		return err
	}
	defer watch.Close()
	form, rc := eventFormOf(r), http.NewResponseController(w)
	w.Header().Set("Content-Type", form.mediaType)
	w.Header().Set("Cache-Control", "no-store")
	_, _ = io.WriteString(w, form.hello)
	for {
		if err := rc.Flush(); err != nil {
			return nil // the client has gone
		}
		_ = rc.SetWriteDeadline(time.Now().Add(eventPing + eventPatience))
		switch err := sendNext(r.Context(), w, watch, form); {
		case errors.Is(err, errUnread), errors.Is(err, feed.ErrSlow), r.Context().Err() != nil:
			return nil // it goes on where it was
		case err != nil:
			return err
		}
	}
}

// errUnread is returned for a client that takes nothing more.
var errUnread = errors.New("the client does not read")

// sendNext sends the next event, or a ping if none comes.
func sendNext(ctx context.Context, w io.Writer, watch *feed.Watcher, form eventForm) error {
	wait, cancel := context.WithTimeout(ctx, eventPing)
	defer cancel()
	i, err := watch.Next(wait)
	switch {
	case err == nil:
		err = form.write(w, i)
	case ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded):
		_, err = io.WriteString(w, form.ping)
	default:
		return err
	}
	if err != nil {
		return errUnread
	}
	return nil
}
