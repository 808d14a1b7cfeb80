package api

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"

	"stump/checkout"
	"stump/internal/api/wire"
	"stump/internal/books"
	"stump/internal/console"
	"stump/internal/console/enrol"
	"stump/internal/credential"
	"stump/internal/hint"
	"stump/internal/identity"
	"stump/internal/jobs"
	"stump/internal/station"
)

// whom a tag will be given to.
type whom struct {
	id, name string
	isNew    bool // not in the register
	tagged   bool // has a tag already
}

// enrolment is a tag that somebody is to show.
type enrolment struct {
	reg     *register
	reader  *station.Reader
	warning string

	mu     sync.Mutex
	who    whom
	tag    checkout.Tag // that was given
	mask   string
	undone bool
}

func (*enrolment) path() string { return "enrolments" }

func (e *enrolment) object(head wire.Job, st jobs.Status) any {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.undone:
		head.State = "undone"
	case st.State == jobs.Running:
		head.State = "waiting"
	case errors.Is(st.Err, station.ErrNotShown):
		head.State = string(jobs.Expired)
	case errors.Is(st.Err, station.ErrReplaced):
		head.State = string(jobs.Cancelled)
	}
	now := wire.Enrolment{
		Job: head, Kind: e.reg.kind.String(), Name: e.who.name, New: e.who.isNew,
		Reader: e.reader.Name, Tag: known(e.mask), Warning: wire.Warning{Warning: known(e.warning)},
	}
	if e.reg.kind == checkout.KindPerson {
		now.PersonID = known(e.who.id)
	} else {
		now.DeviceID = known(e.who.id)
	}
	return now
}

// enrol begins to wait for the tag of a person or device: the next unknown one is theirs.
func (s *Server) enrol(w http.ResponseWriter, r *http.Request) error {
	var in wire.NewEnrolment
	if err := readJSON(w, r, &in); err != nil {
		return err
	}
	e, err := s.enrolment(r, in)
	if err != nil {
		return err
	}
	j, asked, err := s.begin(r, e)
	if err != nil {
		return err
	}
	return s.taken(w, r, j, asked, http.StatusAccepted)
}

// begin begins an enrolment. asked is told when the station waits for the tag.
func (s *Server) begin(r *http.Request, e *enrolment) (_ *jobs.Job, asked chan error, err error) {
	asked = make(chan error, 1)
	j, err := s.jobs.Start(jobs.Spec{
		Kind: "an enrolment", Owner: identity.Of(r.Context()), On: "enrolment at " + e.reader.Name, Replace: true, Detail: e,
		Run: func(ctx context.Context, _ *jobs.Job) error { return e.wait(ctx, asked) },
	})
	return j, asked, err
}

// enrolPages are what the page of enrolments does.
func (s *Server) enrolPages() console.Enrol {
	found := func(r *http.Request, id string) (*jobs.Job, *enrolment, error) {
		j, err := s.jobs.Find(id, identity.Of(r.Context()))
		if err != nil {
			return nil, nil, err
		}
		if e, ok := j.Detail.(*enrolment); ok {
			return j, e, s.mayEnrol(r, e.reg)
		}
		return nil, nil, jobs.ErrNotFound
	}
	return console.Enrol{
		Begin: func(r *http.Request, kind, name string) (string, error) {
			e, err := s.enrolment(r, wire.NewEnrolment{Kind: kind, Name: strings.TrimSpace(name)})
			if err != nil {
				return "", s.said(r, err)
			}
			j, asked, err := s.begin(r, e)
			if err == nil {
				err = s.granted(r, j, asked)
			}
			if err != nil {
				return "", s.said(r, err)
			}
			return j.ID, nil
		},
		Show: func(r *http.Request, id string) (enrol.State, error) {
			j, _, err := found(r, id)
			if err != nil {
				return enrol.State{}, err
			}
			now := s.resource(r, j).(wire.Enrolment)
			st := enrol.State{ID: j.ID, Is: now.State, Kind: now.Kind, Subject: cmp.Or(str(now.PersonID), str(now.DeviceID)), Name: now.Name, Reader: now.Reader, Tag: str(now.Tag), Warning: str(now.Warning.Warning)}
			if now.Problem != nil {
				st.Problem, st.Remedy = now.Problem.Error, now.Problem.Hint
			}
			return st, nil
		},
		Undo: func(r *http.Request, id string) error {
			_, e, err := found(r, id)
			if err == nil {
				err = s.undo(r, e)
			}
			return s.said(r, err)
		},
	}
}

// enrolment is what a request asks for.
func (s *Server) enrolment(r *http.Request, in wire.NewEnrolment) (*enrolment, error) {
	e := &enrolment{reg: s.people}
	switch in.Kind {
	case "person":
	case "device":
		e.reg = s.devices
	default:
		return nil, refuse(`use "person" or "device"`, "%q can't be enrolled", in.Kind)
	}
	if err := s.mayEnrol(r, e.reg); err != nil {
		return nil, err
	}
	if in.Name == "" {
		return nil, refuse("name who or what the tag is for", "no name")
	}
	var err error
	if e.reader, err = s.reader(in.Reader); err != nil {
		return nil, err
	}
	if e.who, err = s.expected(e.reg, in.Name); err == nil && e.who.isNew {
		e.warning = s.namesakes(e.reg, in.Name, in.Name)
	}
	return e, err
}

// mayEnrol refuses who may not give or take tags of a kind: a badge takes devices in its
// owner's name.
func (s *Server) mayEnrol(r *http.Request, reg *register) error {
	if reg.kind == checkout.KindPerson {
		return s.needs(r, identity.Admin)
	}
	return nil
}

// wait waits until the tag was shown. asked is told when the station waits for it.
func (e *enrolment) wait(ctx context.Context, asked chan<- error) error {
	done, err := e.reader.Enrol(ctx, e.reg.kind, cmp.Or(e.who.id, e.who.name), e.who.name, identity.Of(ctx).Name)
	asked <- err
	if err != nil {
		return err
	}
	var got station.Enrolled
	select {
	case got = <-done:
	case <-ctx.Done():
		got = <-done // the tag may have been shown just now
	}
	switch {
	case errors.Is(got.Err, jobs.ErrReplaced):
		return station.ErrReplaced
	case got.Err != nil:
		return got.Err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.who.id, e.who.name = got.Record.ID, cmp.Or(got.Record.Name, e.who.name)
	e.tag, e.mask = got.Record.Tag, credential.Mask(got.Record.Tag, e.reader.Formats)
	return nil
}

// undoEnrolment takes the tag of an enrolment away again, and retires whom it has added to
// the register. The events of both stay.
func (s *Server) undoEnrolment(r *http.Request) (any, error) {
	j, err := s.job(r)
	if err != nil {
		return nil, err
	}
	e := j.Detail.(*enrolment)
	if err := s.mayEnrol(r, e.reg); err != nil {
		return nil, err
	}
	if err := s.undo(r, e); err != nil {
		return nil, err
	}
	return s.resource(r, j), nil
}

func (s *Server) undo(r *http.Request, e *enrolment) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.undone || e.tag.IsZero():
		return problem(wire.CodeTooLate, "look at its state", "no tag was given, or it was taken away again")
	case e.reg.kind == checkout.KindPerson && s.o.Worker != nil && s.o.Worker.EnrolsPeople():
		return problem(wire.CodeRefused, "take it away there", "the directory has given the badge, and would give it again")
	}
	who := identity.Of(r.Context())
	edit, retired := books.Edit{Untag: e.tag}, checkout.Retired
	if e.who.isNew {
		edit.Status = &retired
	}
	change := s.o.Books.EditPerson
	if e.reg.kind == checkout.KindDevice {
		change = s.o.Books.EditDevice
	}
	if err := change(e.who.id, edit, who.Name, who.Source); err != nil {
		return err
	}
	e.undone = true
	e.warning = ""
	if e.reg.kind == checkout.KindDevice && e.who.tagged {
		e.warning = "the tag that it had before does not come back: give it again"
	}
	s.poke()
	return nil
}

// expected is whose the next unknown tag will be. The directory may know a name that
// the register does not have; otherwise the name is added when the tag is shown.
func (s *Server) expected(reg *register, ref string) (whom, error) {
	p, err := reg.find(ref)
	if errors.Is(err, books.ErrNotFound) {
		if err := checkout.CheckName(ref); err != nil {
			return whom{}, err
		}
		return s.alike(reg, ref, err)
	}
	p.name = cmp.Or(p.name, ref)
	if err == nil && p.status == checkout.Retired {
		err = &checkout.RefusedError{Subject: checkout.Subject{Kind: reg.kind, ID: p.id, Name: p.name, Status: p.status}}
	}
	return whom{id: p.id, name: p.name, tagged: len(p.tags) > 0}, err
}

// alike looks for whom or what a name that the register does not have may mean. A
// name in other capitals is found, as it is when the tag is shown; a slip must not
// become a new person.
func (s *Server) alike(reg *register, ref string, missing error) (whom, error) {
	unknown := whom{name: ref, isNew: true}
	add := "what is new is added first with `stump devices add`"
	if reg.kind == checkout.KindPerson {
		if s.o.Worker != nil && s.o.Worker.EnrolsPeople() {
			return unknown, nil
		}
		add = "who is new is added first with `stump people add`"
	}
	same, near, err := reg.near(ref)
	switch {
	case err != nil || len(same)+len(near) == 0:
		return unknown, err
	case len(same) == 1:
		return whom{id: same[0].id, name: same[0].name, tagged: len(same[0].tags) > 0}, nil
	}
	return unknown, hint.Wrap(missing, didYouMean(append(same, near...))+" "+add)
}
