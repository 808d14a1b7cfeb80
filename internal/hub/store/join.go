package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"stump/checkout"
	"stump/internal/books"
	"stump/internal/hint"
	"stump/internal/lab/wire"
)

// Lab returns the lab of a name, which is made if make is set.
func (s *Store) Lab(ctx context.Context, name string, create bool) (id int64, err error) {
	find := func() error {
		return s.pool.QueryRow(ctx, `select id from lab where name = $1`, name).Scan(&id)
	}
	if err = find(); !errors.Is(err, pgx.ErrNoRows) {
		return id, err
	}
	if !create {
		return 0, hint.Errorf("`stump-hub setup` makes the one that the configuration names", "there is no lab %q", name)
	}
	if err := checkout.CheckID(name); err != nil {
		return 0, err
	}
	err = s.write(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `insert into lab (id, name, epoch, seq, ver, members_ver, newest)
select coalesce(max(id), 0) + 1, $1, $2, 0, 0, 0, $3 from lab on conflict do nothing`, name, time.Now().UnixMicro(), epochStart)
		return err
	})
	if err == nil {
		err = find()
	}
	return id, err
}

// CodeLife is how long a join code may be used.
const CodeLife = time.Hour

// AddCode keeps how the code of one station is recognised.
func (s *Store) AddCode(ctx context.Context, lab int64, c wire.Code) error {
	return s.write(ctx, func(tx pgx.Tx) error {
		b := &pgx.Batch{}
		b.Queue(`delete from join_code where expires < now() - interval '1 day'`)
		b.Queue(`insert into join_code (id, lab, proof, expires) values ($1, $2, $3, now() + $4)`, c.ID, lab, c.Proof(), CodeLife)
		return tx.SendBatch(ctx, b).Close()
	})
}

// Code is a join code that somebody has shown, and that is good.
type Code struct {
	ID    string
	Lab   int64
	Name  string // of the lab
	Check []byte // of its site key; nil if it has none yet
}

var errSpent = problem(wire.CodeSpent, "make a new one with `stump-hub join-code`", "the join code was used, or is older than an hour")

// Code returns the code of a bearer.
func (s *Store) Code(ctx context.Context, bearer string) (Code, error) {
	id, _, _ := strings.Cut(bearer, ".")
	c := Code{ID: id}
	var (
		proof []byte
		good  bool
	)
	err := s.pool.QueryRow(ctx, `select c.lab, l.name, l.key_check, c.proof, c.spent is null and c.expires > now() from join_code c join lab l on l.id = c.lab where c.id = $1`, id).
		Scan(&c.Lab, &c.Name, &c.Check, &proof, &good)
	sum := sha256.Sum256([]byte(bearer))
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return c, errSpent
	case err != nil:
		return c, err
	case subtle.ConstantTimeCompare(sum[:], proof) != 1:
		return c, problem(wire.CodeNotHere, "copy the whole last word that `stump-hub join-code` prints", "that is not a join code of this hub")
	case !good:
		return c, errSpent
	}
	return c, nil
}

// joining is a join that is under way.
type joining struct {
	group
	*wire.Join
	code    Code
	key     func() (check []byte, err error)
	genesis checkout.Hash
	token   string
}

// Join makes a station a member of a lab, and spends its code. key is called when nothing
// speaks against that; it keeps the lab's site key, and returns its check. A dry run only
// tells of clashes.
func (s *Store) Join(ctx context.Context, c Code, j *wire.Join, key func() (check []byte, err error)) (wire.Joined, error) {
	x := joining{Join: j, code: c, key: key}
	if err := x.valid(); err != nil {
		return wire.Joined{}, err
	}
	var (
		answer wire.Joined
		done   lab
	)
	err := s.write(ctx, func(tx pgx.Tx) (err error) {
		l, err := s.lock(ctx, tx, c.Lab)
		if err != nil {
			return err
		}
		x.group = *newGroup(ctx, tx, c.Lab)
		x.lab = l
		answer = wire.Joined{Lab: l.name, Name: j.Name, Clashes: []wire.Clash{}}
		if answer.Clashes, err = x.clashes(); err != nil {
			return err
		}
		if err := x.enter(len(answer.Clashes)); err != nil {
			return err
		}
		answer.Token, answer.Head = x.token, wire.Head{Epoch: l.epoch, Ver: uint64(l.ver), At: l.now, Name: j.Name}
		done = *l
		return x.headOf(&answer.Head)
	})
	if err != nil {
		return wire.Joined{}, err
	}
	if !j.DryRun {
		s.tell(c.Lab, done.epoch, done.ver)
	}
	return answer, nil
}

// mostSubjects is how many people and devices a station may have that joins.
const mostSubjects = 200_000

func (x *joining) valid() error {
	ok := true
	if x.Chain != "" {
		x.genesis, ok = parseHash(x.Chain)
	}
	switch {
	case !ok:
		return invalid("a chain is named by the hash of its first event")
	case len(x.Subjects) > mostSubjects:
		return invalid("the station has %d people and devices, and at most %d can join", len(x.Subjects), mostSubjects)
	case !plainText(x.Version) || checkout.CheckID(x.Name) != nil:
		return problem(wire.CodeInvalid, "set station in its configuration to a short name", "the station can't be called %q", x.Name)
	}
	for i := range x.Subjects {
		sub := &x.Subjects[i]
		if err := checkPatch(&wire.Patch{Kind: sub.Kind, ID: sub.ID, Fields: sub.Fields}); err != nil {
			return err
		}
	}
	return nil
}

// clashes are people and devices of the station that are others in the lab.
func (x *joining) clashes() ([]wire.Clash, error) {
	var want, tags, owners keysOf
	for _, s := range x.Subjects {
		want.subject(x.id, subjectKey{s.Kind, s.ID})
		for name := range s.Fields {
			if tag, ok := strings.CutPrefix(name, tagField); ok {
				tags.name(x.id, tag)
			}
		}
	}
	all := []wire.Clash{}
	b := &pgx.Batch{}
	loadSubjects(b, x.only(), &want)
	loadTags(b, x.only(), &tags)
	if err := x.tx.SendBatch(x.ctx, b).Close(); err != nil {
		return nil, err
	}
	for _, owner := range x.tags {
		if x.subjects[owner] == nil {
			owners.subject(x.id, owner)
		}
	}
	b = &pgx.Batch{}
	loadSubjects(b, x.only(), &owners)
	if err := x.tx.SendBatch(x.ctx, b).Close(); err != nil {
		return nil, err
	}
	for _, s := range x.Subjects {
		own := subjectKey{s.Kind, s.ID}
		if has := x.subjects[own]; has != nil && !has.is(&s) {
			all = append(all, wire.Clash{Kind: s.Kind, ID: s.ID, Why: "id", Other: s.ID, Name: has.doc[nameField].Value})
		}
		for name, value := range s.Fields {
			tag, ok := strings.CutPrefix(name, tagField)
			if owner, taken := x.tags[tag]; ok && value != "" && taken && owner != own {
				clash := wire.Clash{Kind: s.Kind, ID: s.ID, Why: "tag", Other: owner.id}
				if has := x.subjects[owner]; has != nil {
					clash.Name = has.doc[nameField].Value
				}
				all = append(all, clash)
			}
		}
	}
	return all, nil
}

// is reports whether the lab's one is that of a station: they share a name, or a tag.
func (has *subject) is(s *wire.Subject) bool {
	if has.erased || books.PlainName(has.doc[nameField].Value) == books.PlainName(s.Fields[nameField]) {
		return true
	}
	for name, value := range s.Fields {
		if strings.HasPrefix(name, tagField) && value != "" && has.doc[name].Value != "" {
			return true
		}
	}
	return false
}

// enter looks whether the station may be a member, and makes it one.
func (x *joining) enter(clashes int) error {
	var spent bool
	if err := x.tx.QueryRow(x.ctx, `select spent is not null from join_code where id = $1 for update`, x.code.ID).Scan(&spent); err != nil {
		return err
	}
	if spent {
		return errSpent
	}
	var (
		there, member bool
		had           []byte
		owner         *string
	)
	err := x.tx.QueryRow(x.ctx, `select true, token is not null, chain from station where lab = $1 and name = $2`, x.id, x.Name).Scan(&there, &member, &had)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return err
	}
	err = x.tx.QueryRow(x.ctx, `select name from station where lab = $1 and chain = $2 and token is not null and name <> $3 limit 1`, x.id, x.genesis[:], x.Name).Scan(&owner)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return err
	}
	switch {
	case member && !x.Replace:
		return problem(wire.CodeTaken, "give this one another name with --as NAME; if its card was replaced, use --replace "+x.Name, "a station called %s is in the lab", x.Name)
	case !there && x.Replace:
		return problem(wire.CodeInvalid, "`stump-hub stations` lists those that are", "no station called %s is in the lab to be replaced", x.Name)
	case owner != nil && !x.As:
		return problem(wire.CodeForked, "join this board with --as NAME, and it begins a chain of its own", "the card of this board is a copy of that of the station %s", *owner)
	case clashes > 0 && !x.DryRun:
		return problem(wire.CodeClash, "`stump join CODE --dry-run` lists them; give those that are the same the lab's name, and one of two with a tag another tag", "%d of the station's people and devices are others in the lab", clashes)
	case x.DryRun:
		return nil
	}
	if x.As && owner != nil {
		x.genesis = checkout.Hash{} // it begins its own
	}
	return x.write()
}

func (x *joining) write() error {
	check, err := x.key()
	if err != nil {
		return err
	}
	b := make([]byte, 32)
	rand.Read(b) // never fails, see crypto/rand
	x.token = base64.RawURLEncoding.EncodeToString(b)
	sum := digest(x.token)
	var genesis []byte
	if !x.genesis.IsZero() {
		genesis = x.genesis[:]
	}
	x.members = x.next()
	x.rows.Queue(`insert into station (lab, name, chain, token, joined, heard, epoch, since, version, fault, office) values ($1, $2, $3, $4, $5, $5, 0, 0, $6, '', $7)
on conflict (lab, name) do update set chain = excluded.chain, token = excluded.token, joined = excluded.joined, heard = excluded.heard, epoch = 0, since = 0, version = excluded.version, fault = '', url = '', office = excluded.office`,
		x.id, x.Name, genesis, sum[:], x.now, x.Version, x.Office)
	x.rows.Queue(`update join_code set spent = $2 where id = $1`, x.code.ID, x.now)
	x.rows.Queue(`update lab set key_check = $2 where id = $1 and key_check is null`, x.id, check)
	save(x.rows, x.lab)
	return x.tx.SendBatch(x.ctx, x.rows).Close()
}

// headOf says what the lab has of the station's chain.
func (x *joining) headOf(h *wire.Head) error {
	var (
		seq  int64
		hash []byte
	)
	err := x.tx.QueryRow(x.ctx, `select seq, hash from chain where lab = $1 and genesis = $2`, x.id, x.genesis[:]).Scan(&seq, &hash)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	p := placeOf(hash, &seq)
	h.Newest = wire.Link{Seq: p.Seq, Hash: p.Chain.String()}
	return err
}
