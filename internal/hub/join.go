package hub

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"net/http"

	"stump/internal/hint"
	"stump/internal/hub/store"
	"stump/internal/lab/wire"
	"stump/internal/sitekey"
)

// join takes a station into a lab.
func (s *Server) join(w http.ResponseWriter, r *http.Request) {
	joined, err := s.joined(w, r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.answer(w, joined)
}

func (s *Server) joined(w http.ResponseWriter, r *http.Request) (answer wire.Joined, err error) {
	shown, err := s.Store.Code(r.Context(), bearer(r))
	if err != nil {
		return answer, err
	}
	code, err := s.Keys.code(shown.ID, "", nil)
	if err != nil {
		return answer, err
	}
	if !bytes.Equal(code.Proof(), proofOf(bearer(r))) {
		return answer, hint.Errorf("copy hub.key of the hub that made it to this one", "the join code was made by a hub with another key")
	}
	var j wire.Join
	if err := decode(http.MaxBytesReader(w, r.Body, mostJoin), &j); err != nil {
		return answer, err
	}
	if j.Subjects == nil {
		j.Subjects = []wire.Subject{}
	}
	k := &siteKey{keys: s.Keys, lab: shown, code: code}
	if err := k.find(&j); err != nil {
		return answer, err
	}
	if answer, err = s.Store.Join(r.Context(), shown, &j, k.keep); err != nil {
		return answer, err
	}
	if k.key != nil {
		answer.Key = code.Seal(k.key)
	}
	if !j.DryRun {
		s.Log.Info("a station has joined", "lab", answer.Lab, "station", answer.Name)
	}
	return answer, nil
}

// siteKey is the site key of a lab that a station joins: that of the first station.
type siteKey struct {
	keys Keys
	lab  store.Code
	code wire.Code
	key  []byte
}

// find finds the key, here or in what the station sends. A dry run needs none.
func (k *siteKey) find(j *wire.Join) (err error) {
	if k.key, err = k.keys.Site(k.lab.Name); err != nil {
		return err
	}
	file := k.keys.siteKeyFile(k.lab.Name)
	switch {
	case k.key == nil && k.lab.Check != nil:
		return hint.Errorf("copy it from the hub that has it: "+file, "the site key of the lab %s is not at this hub", k.lab.Name)
	case k.key == nil && (j.DryRun || j.Office):
		return nil
	case k.key == nil && j.Key == nil:
		return &store.Problem{Wire: wire.Problem{Code: wire.CodeKey, Error: "the lab has no site key yet", Hint: "the first station sends its own"}}
	case k.key == nil:
		if k.key, err = k.code.Open(j.Key); err != nil || len(k.key) != sitekey.Len {
			return invalid("copy the code once more", "the site key can't be opened")
		}
	}
	if sum, err := check(k.key); err != nil || k.lab.Check != nil && !bytes.Equal(sum, k.lab.Check) {
		return cmp.Or(err, hint.Errorf("copy that of the hub where the lab began to "+file, "the site key at this hub is not that of the lab %s", k.lab.Name))
	}
	return nil
}

// keep keeps the key, unless another is there by now, and returns its check; nil while there
// is none, which only an office does without.
func (k *siteKey) keep() (sum []byte, err error) {
	if k.key == nil {
		return nil, nil
	}
	if k.key, err = k.keys.SetSite(k.lab.Name, k.key); err != nil {
		return nil, err
	}
	return check(k.key)
}

// proofOf is what is kept of a bearer, as wire.Code's Proof.
func proofOf(bearer string) []byte {
	sum := sha256.Sum256([]byte(bearer))
	return sum[:]
}
