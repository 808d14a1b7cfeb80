package office

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"

	"stump/internal/books"
	"stump/internal/hint"
	"stump/internal/hub/store"
	"stump/internal/inbox"
)

// disputes are the conflicts of the lab, as rows of the inbox.
type disputes struct{ *Office }

// disputeID begins the id of a conflict among the rows of the inbox.
const disputeID = "lab-"

// Waiting is api.Disputes'.
func (d disputes) Waiting(ctx context.Context) (rows []inbox.Row) {
	ctx, cancel := context.WithTimeout(ctx, answerIn)
	defer cancel()
	lab, err := d.o.Store.Lab(ctx, d.o.Config.Hub.Name, false)
	var all []store.Conflict
	if err == nil {
		all, err = d.o.Store.Conflicts(ctx, lab)
	}
	if err != nil {
		d.o.Log.Warn("the conflicts of the lab can't be read", "err", err)
		return []inbox.Row{{ID: "lab", Kind: inbox.Fault, What: "the database of the lab does not answer: what its stations do not agree on is not listed",
			Remedy: known("`stump-hub check` and the hub's log tell more"), Answers: []inbox.Answer{}}}
	}
	for i := range all {
		rows = append(rows, d.row(&all[i]))
	}
	return rows
}

// Accept is api.Disputes'.
func (d disputes) Accept(ctx context.Context, id, actor string) (bool, error) {
	number, is := strings.CutPrefix(id, disputeID)
	if !is {
		return false, nil
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return true, hint.Errorf("look again: somebody may have accepted it", "%q is no conflict: %w", id, books.ErrNotFound)
	}
	ctx, cancel := context.WithTimeout(ctx, answerIn)
	defer cancel()
	lab, err := d.o.Store.Lab(ctx, d.o.Config.Hub.Name, false)
	if err != nil {
		return true, err
	}
	return true, d.o.Store.Settle(ctx, lab, n, actor)
}

const (
	lookAtDevice  = "see who has it, then accept what is so here, or give or return it"
	lookAtSubject = "accept it where the lab is right; else change it on its page first"
)

// row is a conflict in the inbox.
func (d disputes) row(c *store.Conflict) inbox.Row {
	r := inbox.Row{ID: disputeID + strconv.FormatInt(c.ID, 10), Kind: inbox.Conflict, At: &c.At, DeviceID: c.DeviceID, Answers: []inbox.Answer{inbox.Accept}, Remedy: known(lookAtSubject)}
	of := d.subject(c)
	switch c.Kind {
	case "unseen", "doubtful":
		r.Remedy, r.Here, r.There = known(lookAtDevice), holder(c.Then), holder(c.Before)
		if c.Before != nil {
			r.Place = known(c.Before.Station)
		}
		r.What, r.Why = fmt.Sprintf("%s was moved at %s, which did not know who had it", of, c.Station), known("who bumped last has it")
		if c.Kind == "doubtful" {
			r.What, r.Why = fmt.Sprintf("%s was taken at %s by who had it already", of, c.Station), known("it has probably been brought back")
		}
	case "tag":
		r.Place, r.Here, r.There = known(c.Station), c.Kept, known(store.Shown(c.Refused))
		r.What, r.Why = fmt.Sprintf("%s was given a tag at %s that is another's", of, c.Station), known("a tag has one owner, and a device one tag")
	default:
		r.Place, r.Here, r.There = known(c.Station), known(store.Shown(c.Kept)), known(store.Shown(c.Refused))
		r.What, r.Why = fmt.Sprintf("the field %s of %s was changed at %s, too", c.FieldName(), of, c.Station), known("somebody had changed it since, and that counts")
	}
	if c.Subject != nil && *c.SubjectKind == "person" {
		r.PersonID = c.Subject
	}
	return r
}

// subject is what a conflict is about, by its name in the lab.
func (d disputes) subject(c *store.Conflict) string {
	if c.Subject != nil && *c.SubjectKind == "person" {
		p, err := d.station.Ledger.FindPerson(*c.Subject)
		if err != nil || p.ID != *c.Subject {
			return *c.Subject
		}
		return cmp.Or(p.Name, p.ID)
	}
	id := *cmp.Or(c.DeviceID, c.Subject, new(string))
	if of, err := d.station.Ledger.FindDevice(id); err == nil && of.ID == id {
		return cmp.Or(of.Name, of.ID)
	}
	return id
}

// holder is who has a device after an event; "free" for nobody.
func holder(s *store.Story) *string {
	switch {
	case s == nil:
		return nil
	case s.Kind == "checkout" || s.Kind == "handover":
		return known(cmp.Or(s.Person, s.PersonID, "somebody"))
	}
	return known("free")
}

func known(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
