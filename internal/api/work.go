package api

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"stump/internal/api/wire"
	"stump/internal/hint"
	"stump/internal/identity"
	"stump/internal/jobs"
)

// work is what a job of the API has to tell: its Detail. All jobs have the same routes,
// below the one that begins them.
type work interface {
	// path is where the job's resource is, below /v1.
	path() string
	// object is what the resource answers; head is what all of them have.
	object(head wire.Job, st jobs.Status) any
}

// start begins a job, and answers 202 with its resource.
func (s *Server) start(w http.ResponseWriter, r *http.Request, spec jobs.Spec) error {
	spec.Owner = identity.Of(r.Context())
	j, err := s.jobs.Start(spec)
	if err != nil {
		return err
	}
	path := "/v1/" + j.Detail.(work).path() + "/" + j.ID
	w.Header().Set("Location", path)
	return writeStatus(w, http.StatusAccepted, s.resource(r, j))
}

// taken answers with the resource of a job as soon as that has what it needs; a job that
// can't have it was none.
func (s *Server) taken(w http.ResponseWriter, r *http.Request, j *jobs.Job, has <-chan error, status int) error {
	if err := s.granted(r, j, has); err != nil {
		return err
	}
	w.Header().Set("Location", "/v1/"+j.Detail.(work).path()+"/"+j.ID)
	return writeStatus(w, status, s.resource(r, j))
}

// granted returns as soon as a job has what it needs.
func (s *Server) granted(r *http.Request, j *jobs.Job, has <-chan error) (err error) {
	select {
	case err = <-has:
	case <-r.Context().Done():
		err = r.Context().Err()
	}
	if err != nil {
		j.End(jobs.ErrCancelled)
		_ = j.Wait(context.Background())
		s.jobs.Forget(j)
	}
	return err
}

// resource is a job as its route answers it to who asks.
func (s *Server) resource(r *http.Request, j *jobs.Job) any {
	st := j.Status()
	head := head(j, st)
	if st.Err != nil && st.Err != jobs.ErrCancelled {
		code, remedy := s.explain(st.Err)
		err := st.Err
		if hint.Of(err) == "" && remedy != "" {
			err = hint.Wrap(err, remedy)
		}
		p := wire.NewProblem(code, withheld(identity.Of(r.Context()), code, err))
		head.Problem = &p
	}
	return j.Detail.(work).object(head, st)
}

func head(j *jobs.Job, st jobs.Status) wire.Job {
	return wire.Job{ID: j.ID, State: string(st.State), By: j.Owner.Name, Began: j.Began, Ended: someTime(st.Ended), Expires: someTime(st.Expires)}
}

func someTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// job is the one in the path of a request, if who asks may see it. What its owner asks
// lets it go on, but for a lease, which is renewed expressly.
func (s *Server) job(r *http.Request) (*jobs.Job, error) {
	who := identity.Of(r.Context())
	j, err := s.jobs.Find(r.PathValue("id"), who)
	if err != nil {
		return nil, err
	}
	// What has the lines is also ended as a lease.
	_, holds := j.Detail.(holding)
	ends := holds && r.Method == http.MethodDelete && strings.HasPrefix(r.URL.Path, "/v1/leases/")
	if !ends && !strings.HasPrefix(r.URL.Path, "/v1/"+j.Detail.(work).path()+"/") {
		return nil, jobs.ErrNotFound
	}
	if _, lease := j.Detail.(*scope); !lease && s.owns(r, j) {
		j.Renew()
	}
	return j, nil
}

// owns reports whether who asks has begun the job.
func (s *Server) owns(r *http.Request, j *jobs.Job) bool {
	return identity.Of(r.Context()).ID == j.Owner.ID
}

// jobShown answers with a job.
func (s *Server) jobShown(r *http.Request) (any, error) {
	j, err := s.job(r)
	if err != nil {
		return nil, err
	}
	return s.resource(r, j), nil
}

// jobPatience is how long the end of a job is waited for.
const jobPatience = 10 * time.Second

// jobEnded ends a job and answers with what came of it; one that has ended is forgotten.
func (s *Server) jobEnded(r *http.Request) (any, error) {
	j, err := s.job(r)
	if err != nil {
		return nil, err
	}
	if j.Status().State != jobs.Running {
		defer s.jobs.Forget(j)
		return s.resource(r, j), nil
	}
	cause := jobs.ErrCancelled
	if !s.owns(r, j) {
		cause = &jobs.EndedError{By: identity.Of(r.Context()).Name}
	}
	j.End(cause)
	ctx, cancel := context.WithTimeout(r.Context(), jobPatience)
	defer cancel()
	if err := j.Wait(ctx); r.Context().Err() != nil {
		return nil, err
	}
	return s.resource(r, j), nil
}

// jobEvents sends what happened in a job, and what happens, until it has ended: as
// server-sent events, or lines. The last one is "end", with the job.
func (s *Server) jobEvents(w http.ResponseWriter, r *http.Request) error {
	q, err := params(r, "after")
	if err != nil {
		return err
	}
	after := 0
	if n := cmp.Or(r.Header.Get("Last-Event-ID"), q.Get("after")); n != "" {
		if after, err = strconv.Atoi(n); err != nil || after < 0 {
			return refuse("give the n of the event before", "after: %q is not the number of an event", n)
		}
	}
	j, err := s.job(r)
	if err != nil {
		return err
	}
	sse := strings.Contains(r.Header.Get("Accept"), "text/event-stream")
	if st := j.Status(); sse && st.State != jobs.Running && after > st.Last {
		w.WriteHeader(http.StatusNoContent) // so that a browser does not ask again
		return nil
	}
	kind := map[bool]string{true: "text/event-stream", false: wire.LineType}[sse]
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "no-store")
	return s.sendEvents(w, r, j, after, sse)
}

// stopPatience is how long the end of a job is waited for when the station stops: an answer
// under way has half a second.
const stopPatience = 300 * time.Millisecond

func (s *Server) sendEvents(w http.ResponseWriter, r *http.Request, j *jobs.Job, after int, sse bool) error {
	rc, own := http.NewResponseController(w), s.owns(r, j)
	if own {
		defer j.Left()
	}
	for {
		if err := rc.Flush(); err != nil {
			return nil // the client has gone
		}
		_ = rc.SetWriteDeadline(time.Now().Add(eventPing + eventPatience))
		wait, cancel := context.WithTimeout(r.Context(), eventPing)
		events, ended, err := j.Next(wait, after)
		cancel()
		if r.Context().Err() != nil { // the client has gone, or the station stops and so does the job
			wait, cancel = context.WithTimeout(context.WithoutCancel(r.Context()), stopPatience)
			events, ended, err = j.Next(wait, after)
			cancel()
		}
		switch {
		case r.Context().Err() != nil && !ended:
			return nil
		case err != nil: // nothing happened
			if own {
				j.Renew()
			}
			if _, err := io.WriteString(w, map[bool]string{true: ": nothing new\n\n", false: "\n"}[sse]); err != nil {
				return nil
			}
			continue
		}
		if ended {
			end, err := json.Marshal(s.resource(r, j))
			if err != nil {
				return err
			}
			events = append(slices.Clip(events), jobs.Event{N: j.Status().Last + 1, What: "end", Data: end})
		}
		for _, e := range events {
			if err := sendEvent(w, e, sse); err != nil {
				return nil
			}
			after = e.N
		}
		if ended {
			return nil
		}
	}
}

func sendEvent(w io.Writer, e jobs.Event, sse bool) error {
	if !sse {
		return json.NewEncoder(w).Encode(e)
	}
	_, err := fmt.Fprintf(w, "id: %d\nevent: %s\ndata: %s\n\n", e.N, e.What, e.Data)
	return err
}
