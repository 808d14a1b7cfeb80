package console

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"stump/directory"
	"stump/internal/api/wire"
	"stump/internal/books"
	"stump/internal/console/stations"
	"stump/internal/console/ui"
	"stump/internal/hint"
	"stump/internal/identity"
	"stump/internal/jobs"
)

// stationRoutes are the pages of this station's health, its self-test and its scope.
func (c *Console) stationRoutes() []Route {
	return []Route{
		{"GET /stations", identity.Technician, c.stations},
		{"GET /stations/{name}", identity.Technician, c.station},
		{"GET /stations/{name}/wiring.svg", identity.Technician, c.wiring},
		{"GET /stations/{name}/scope", identity.Technician, c.scope},
		{"GET /stations/{name}/lines", identity.Technician, c.lines},
		{"POST /stations/{name}/selftest", identity.Technician, c.beginTest},
		{"GET /stations/{name}/selftest/{id}", identity.Technician, c.test},
		{"POST /stations/{name}/selftest/{id}/answer", identity.Technician, c.answerTest},
		{"POST /stations/{name}/selftest/{id}/end", identity.Technician, c.endTest},
	}
}

// answer takes the answer of the API.
type answer struct {
	head   http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header         { return a.head }
func (a *answer) Write(b []byte) (int, error) { return a.body.Write(b) }
func (a *answer) WriteHeader(status int)      { a.status = status }

// api asks the station's API as whoever asks for the page: what they may see and do is
// decided there alone. out is read from the answer, unless it is nil. header are names of
// headers, each with its value.
func (c *Console) api(r *http.Request, method, path string, in, out any, header ...string) error {
	body := io.Reader(http.NoBody)
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	a := &answer{head: http.Header{}, status: http.StatusOK}
	if err := c.serve(a, r, method, path, body, header...); err != nil {
		return err
	}
	if a.status >= 300 {
		var p wire.Problem
		if err := json.Unmarshal(a.body.Bytes(), &p); err != nil {
			return err
		}
		return &wire.CodedError{Code: p.Code, Err: hint.Errorf(p.Hint, "%s", p.Error)}
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(a.body.Bytes(), out)
}

// serve has the API answer to w.
func (c *Console) serve(w http.ResponseWriter, r *http.Request, method, path string, body io.Reader, header ...string) error {
	asks, err := http.NewRequestWithContext(r.Context(), method, "/v1/"+path, body)
	if err != nil {
		return err
	}
	asks.RemoteAddr = r.RemoteAddr
	for i := 0; i < len(header); i += 2 {
		asks.Header.Set(header[i], header[i+1])
	}
	c.o.API.ServeHTTP(w, asks)
	return nil
}

// stationView is a view of this station, which has the name in the path if there is one.
func (c *Console) stationView(r *http.Request) (v stations.View, err error) {
	if name := r.PathValue("name"); name != "" && name != c.o.Station {
		return v, books.ErrNotFound
	}
	var st wire.Status
	if err := c.api(r, "GET", "status", nil, &st); err != nil {
		return v, err
	}
	f := c.frame(r, "/stations", func(w *ui.Words) string { return st.Station })
	f.Live = true
	v = stations.Made(f, st, c.now())
	if !identity.Of(r.Context()).May(identity.Admin) {
		return v, nil
	}
	var sync directory.Status
	if c.api(r, "GET", "sync", nil, &sync) == nil { // a station without a directory has none
		v.Sync(sync)
	}
	var web wire.Web
	if err := c.api(r, "GET", "web", nil, &web); err != nil {
		return v, err
	}
	v.Web(web, c.now())
	return v, nil
}

func (c *Console) stations(w http.ResponseWriter, r *http.Request) error {
	v, err := c.stationView(r)
	if err != nil {
		return err
	}
	if v.Status.Lab != nil {
		var all struct{ Items []wire.LabStation }
		if err := c.api(r, "GET", "lab/stations", nil, &all); err != nil {
			return err
		}
		v.Lab(all.Items, c.now())
	}
	v.Title = v.Words.Stations
	return send(w, r, http.StatusOK, stations.List(v))
}

func (c *Console) station(w http.ResponseWriter, r *http.Request) error {
	v, err := c.stationView(r)
	if err != nil {
		return err
	}
	var frames struct{ Items []wire.BadFrame }
	if len(v.Readers) > 0 {
		if err := c.api(r, "GET", "frames?limit=20", nil, &frames); err != nil {
			return err
		}
	}
	v.Drawn(frames.Items)
	for i := range v.Readers {
		if c.o.Weeks != nil {
			v.Readers[i].Weeks = c.o.Weeks(v.Readers[i].Name)
		}
	}
	return send(w, r, http.StatusOK, stations.Page(v))
}

// wiring draws which wire goes where at a reader.
func (c *Console) wiring(w http.ResponseWriter, r *http.Request) error {
	if r.PathValue("name") != c.o.Station || c.o.Wiring == nil {
		return books.ErrNotFound
	}
	svg, err := c.o.Wiring(r.URL.Query().Get("reader"))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "image/svg+xml")
	_, err = io.WriteString(w, svg)
	return err
}

func (c *Console) scope(w http.ResponseWriter, r *http.Request) error {
	v, err := c.stationView(r)
	if err != nil {
		return err
	}
	v.Live, v.Title, v.Scope = false, v.T.Scope, r.URL.Query().Get("reader")
	return send(w, r, http.StatusOK, stations.ScopePage(v))
}

// views makes server-sent events of the lines of an answer. What they say of a frame is said
// in the page's language.
type views struct {
	http.ResponseWriter
	words *ui.Words
}

func (views) WriteHeader(int) {}

func (v views) Write(line []byte) (int, error) {
	told := line
	var view map[string]any
	if v.words.Language != "en" && json.Unmarshal(line, &view) == nil {
		if last, ok := view["last"].(map[string]any); ok {
			text, _ := last["text"].(string)
			last["text"] = v.words.Told(text)
			told, _ = json.Marshal(view) // it was read from such
			told = append(told, '\n')
		}
	}
	_, err := fmt.Fprintf(v.ResponseWriter, "data: %s\n", told)
	return len(line), err
}

// Unwrap is for http.ResponseController.
func (v views) Unwrap() http.ResponseWriter { return v.ResponseWriter }

// lines lends a reader's lines to a page, and sends what is to be seen on them while it
// listens.
func (c *Console) lines(w http.ResponseWriter, r *http.Request) error {
	// A link that leads here from elsewhere takes nothing.
	if r.PathValue("name") != c.o.Station || r.Header.Get("Accept") != "text/event-stream" {
		return books.ErrNotFound
	}
	var lease wire.Lease
	err := c.api(r, "POST", "leases", wire.NewLease{Reader: r.URL.Query().Get("reader")}, &lease)
	w.Header().Set("Content-Type", "text/event-stream")
	w.WriteHeader(http.StatusOK)
	if err != nil {
		alert, remedy := ui.In(r, c.o.Language).Tell(err.Error(), hint.Of(err))
		why, err := json.Marshal(map[string]string{"lost": alert + " " + remedy})
		if err == nil {
			_, err = fmt.Fprintf(w, "retry: 2000\ndata: %s\n\n", why) // the page before may have them
		}
		return err
	}
	path := "leases/" + lease.ID
	ctx, leave := context.WithCancel(r.Context())
	var renews sync.WaitGroup
	renews.Go(func() {
		every := time.NewTicker(jobs.Patience / 4)
		defer every.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-every.C:
				_ = c.api(r, "POST", path+"/renew", nil, nil)
			}
		}
	})
	err = c.serve(views{w, ui.In(r, c.o.Language)}, r, "GET", path+"/scope", http.NoBody)
	leave()
	renews.Wait()
	_ = c.api(r.WithContext(context.WithoutCancel(r.Context())), "DELETE", path, nil, nil) // it may have ended
	return err
}

// form reads a form that was posted.
func form(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return hint.Errorf("send it again", "the form can't be read: %w", err)
	}
	return nil
}

func (c *Console) beginTest(w http.ResponseWriter, r *http.Request) error {
	if err := form(w, r); err != nil {
		return err
	}
	in := wire.NewSelfTest{Reader: r.PostForm.Get("reader"), Ask: r.PostForm.Has("ask")}
	var job wire.Job
	if err := c.api(r, "POST", "selftest", in, &job); err != nil {
		return err
	}
	http.Redirect(w, r, string(stations.Path(c.o.Station, "selftest", job.ID)), http.StatusSeeOther)
	return nil
}

// test shows a self-test, and by that lets it go on.
func (c *Console) test(w http.ResponseWriter, r *http.Request) error { return c.showTest(w, r, "") }

// showTest shows a self-test, with what is wrong with an answer to it.
func (c *Console) showTest(w http.ResponseWriter, r *http.Request, alert string) error {
	var t wire.SelfTest
	if err := c.api(r, "GET", "selftest/"+r.PathValue("id"), nil, &t); err != nil {
		return err
	}
	v, err := c.stationView(r)
	if err != nil {
		return err
	}
	v.Tested(t)
	v.Title, v.Alert = v.T.SelfTest+" "+t.Reader, alert
	if v.Live = v.Test.Running(); v.Live {
		v.Follows = v.Test.Events()
		if t.Question == nil {
			v.Again = 2
		}
	}
	return send(w, r, http.StatusOK, stations.TestPage(v))
}

func (c *Console) answerTest(w http.ResponseWriter, r *http.Request) error {
	if err := form(w, r); err != nil {
		return err
	}
	n, _ := strconv.Atoi(r.PostForm.Get("question"))
	err := c.api(r, "POST", "selftest/"+r.PathValue("id")+"/answers", wire.Answer{Question: n, Answer: r.PostForm.Get("answer")}, nil)
	if err != nil && hint.Of(err) != "" {
		return c.showTest(w, r, ui.Sentence(ui.In(r, c.o.Language).Told(err.Error())))
	}
	return c.backToTest(w, r, err)
}

func (c *Console) endTest(w http.ResponseWriter, r *http.Request) error {
	return c.backToTest(w, r, c.api(r, "DELETE", "selftest/"+r.PathValue("id"), nil, nil))
}

func (c *Console) backToTest(w http.ResponseWriter, r *http.Request, err error) error {
	if err == nil {
		http.Redirect(w, r, string(stations.Path(c.o.Station, "selftest", r.PathValue("id"))), http.StatusSeeOther)
	}
	return err
}
