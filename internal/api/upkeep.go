package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"sync"

	"stump/checkout/ledger"
	"stump/directory"
	"stump/hw/selftest"
	"stump/internal/api/wire"
	"stump/internal/identity"
	"stump/internal/jobs"
)

// verification is a check of the ledger.
type verification struct {
	mu     sync.Mutex
	report *wire.Verdict
}

func (*verification) path() string { return "verifications" }

func (v *verification) object(head wire.Job, st jobs.Status) any {
	v.mu.Lock()
	defer v.mu.Unlock()
	return wire.Verification{Job: head, Done: st.Done, Total: st.Total, Report: v.report}
}

// verify begins a check of the ledger.
func (s *Server) verify(w http.ResponseWriter, r *http.Request) error {
	v := &verification{}
	return s.start(w, r, jobs.Spec{Kind: "a check of the ledger", On: "check", Detail: v, Run: func(ctx context.Context, j *jobs.Job) error {
		report, err := s.o.Ledger.Verify(ctx, ledger.VerifyOptions{Check: s.o.Check, Note: true, Progress: j.Progress})
		if err != nil {
			return err
		}
		j.Progress(report.Events, report.Events)
		v.mu.Lock()
		defer v.mu.Unlock()
		v.report = &wire.Verdict{
			OK: report.OK(), Sentence: report.String(), Events: report.Events, Loans: report.Loans, Gaps: report.Gaps,
			Faults: []string{}, Hint: known(report.Hint()),
		}
		for _, f := range report.Faults {
			v.report.Faults = append(v.report.Faults, f.What+": "+f.Detail)
		}
		return nil
	}})
}

// backupKept is how long a backup can be read after it was made: it takes the disk's room.
const backupKept = 10 * jobs.Patience

// backup is a consistent copy of the ledger.
type backup struct {
	file  *os.File // nil where a copy can't be made: then the ledger itself is read
	bytes *int64
	mu    sync.Mutex
}

func (*backup) path() string { return "backups" }

func (b *backup) object(head wire.Job, st jobs.Status) any {
	b.mu.Lock()
	defer b.mu.Unlock()
	made := wire.BackupCopy{Job: head, Done: st.Done, Total: st.Total, Bytes: b.bytes}
	if st.State == jobs.Done {
		made.File = known("/v1/backups/" + head.ID + "/file")
	}
	return made
}

// backup begins a consistent copy of the ledger, while taps go on. An older one of the
// same asker gives way.
func (s *Server) backup(w http.ResponseWriter, r *http.Request) error {
	for _, j := range s.jobs.All(identity.Of(r.Context())) {
		if _, ok := j.Detail.(*backup); ok && j.Owner.ID == identity.Of(r.Context()).ID {
			s.jobs.Forget(j)
		}
	}
	b := &backup{}
	return s.start(w, r, jobs.Spec{
		Kind: "a backup", Detail: b, Keep: backupKept,
		Run: func(ctx context.Context, j *jobs.Job) error {
			f, err := s.o.Ledger.Snapshot(ctx, j.Progress)
			if err != nil || f == nil {
				return err
			}
			st, err := f.Stat()
			if err != nil {
				f.Close()
				return err
			}
			b.mu.Lock()
			defer b.mu.Unlock()
			size := st.Size()
			b.file, b.bytes = f, &size
			return nil
		},
		Forget: func() {
			b.mu.Lock()
			defer b.mu.Unlock()
			if b.file != nil {
				b.file.Close()
			}
		},
	})
}

// backupFile sends a backup that was made.
func (s *Server) backupFile(w http.ResponseWriter, r *http.Request) error {
	j, err := s.job(r)
	if err != nil {
		return err
	}
	b, _ := j.Detail.(*backup)
	switch st := j.Status(); {
	case st.State == jobs.Running:
		return problem(wire.CodeBusy, "ask again when its state is done; its events tell of that", "the copy is being made")
	case st.State != jobs.Done:
		return problem(wire.CodeNotFound, "begin another one", "this backup was not made")
	}
	b.mu.Lock()
	f := b.file
	b.mu.Unlock()
	w.Header().Set("Content-Type", "application/octet-stream")
	if f == nil {
		return s.o.Ledger.Backup(w)
	}
	http.ServeContent(w, r, "", j.Status().Ended, io.NewSectionReader(f, 0, *b.bytes))
	return nil
}

// pull reads the register from the directory.
type pull struct{ force bool }

func (*pull) path() string { return "pulls" }

func (p *pull) object(head wire.Job, _ jobs.Status) any { return wire.Pull{Job: head, Force: p.force} }

// pull begins to read the register from the directory.
func (s *Server) pull(w http.ResponseWriter, r *http.Request) error {
	var in wire.NewPull
	if err := readJSON(w, r, &in); err != nil {
		return err
	}
	return s.start(w, r, jobs.Spec{Kind: "a pull", On: "pull", Detail: &pull{in.Force}, Run: func(ctx context.Context, _ *jobs.Job) error {
		err := s.o.Worker.Pull(ctx, in.Force)
		switch {
		case err != nil && ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, directory.ErrUnsupported):
			return refuse("docs/directory.md tells which directories have one", "%w", err)
		}
		return err
	}})
}

// syncCheck tries everything that the directory and the webhooks need, once.
type syncCheck struct {
	mu      sync.Mutex
	results []selftest.Result
	summary *selftest.Summary
}

func (*syncCheck) path() string { return "sync/checks" }

func (c *syncCheck) object(head wire.Job, _ jobs.Status) any {
	c.mu.Lock()
	defer c.mu.Unlock()
	return wire.SyncCheck{Job: head, Results: append([]selftest.Result{}, c.results...), Summary: c.summary}
}

// syncCheck begins to try what the directory and the webhooks need. Its events are those of
// a self-test.
func (s *Server) syncCheck(w http.ResponseWriter, r *http.Request) error {
	c := &syncCheck{}
	return s.start(w, r, jobs.Spec{Kind: "a check of the directory", On: "sync check", Detail: c, Run: func(ctx context.Context, j *jobs.Job) error {
		sum := selftest.Summary{Summary: true, Result: selftest.Pass, Causes: []string{}}
		s.o.Worker.Check(ctx, func(made directory.Check) {
			if ctx.Err() != nil {
				return // what was broken off proves nothing
			}
			res := selftest.Result{Check: made.Check, Result: selftest.Verdict(made.Result), Measured: made.Measured, Causes: []string{}, Remedy: made.Remedy}
			if res.Result == selftest.Fail || res.Result == selftest.Warn && sum.Result == selftest.Pass {
				sum.Result = res.Result
			}
			c.mu.Lock()
			c.results = append(c.results, res)
			c.mu.Unlock()
			j.Emit("result", res)
		})
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		c.mu.Lock()
		c.summary = &sum
		c.mu.Unlock()
		j.Emit("summary", sum)
		return nil
	}})
}
