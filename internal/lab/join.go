package lab

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"time"

	"stump/checkout/ledger/record"
	"stump/internal/hint"
	"stump/internal/lab/wire"
)

// JoinOptions say how to join.
type JoinOptions struct {
	// Name is the station's in the lab.
	Name string
	// DryRun only tells of clashes.
	DryRun bool
	// As: the card is a copy of another station's, and gets a chain of its own under Name.
	As bool
	// Replace: this is the station Name with a new card.
	Replace bool
	// Office: it is a hub's own station, without readers. It brings no site key, which is that
	// of the first station with cards.
	Office bool
}

// lastOf is the number of the last of some records.
func lastOf(records [][]byte) (uint64, error) {
	ev, err := record.Decode(records[len(records)-1])
	return ev.Seq, err
}

// Join makes the station one of the lab of a code. The clashes are those of its register
// with the lab's; nothing changes if there are any.
func (l *Link) Join(ctx context.Context, word string, o JoinOptions) (joined wire.Joined, err error) {
	code, err := wire.ParseCode(word)
	if err != nil {
		return joined, err
	}
	l.mu.Lock()
	was := l.member
	l.mu.Unlock()
	if was != nil && !o.DryRun {
		return joined, hint.Errorf("`stump leave` first", "this station is in the lab %q", was.Lab)
	}
	ctx, end := context.WithTimeout(ctx, 2*time.Minute)
	defer end()
	c := l.client(code.URL, code.Pin, code.Bearer())
	defer c.http.CloseIdleConnections()
	j, err := l.wish(o)
	if err != nil {
		return joined, err
	}
	key, err := l.labKey(ctx, c, code, j)
	if err != nil && hint.Of(err) == "" {
		err = hint.Wrap(err, "does stump-hub run there, and does this machine reach "+code.URL+"? The address is that of url in the hub's table [web]")
	}
	if err != nil {
		return joined, err
	}
	if j.Subjects, err = l.o.Ledger.LabRegister(key); err != nil {
		return joined, err
	}
	if key == nil && !o.Office {
		j.Key = code.Seal(l.o.Key()) // the first station brings the lab its key
	}
	j.DryRun = o.DryRun
	if err := c.ask(ctx, http.MethodPost, wire.PathJoin, j, &joined); err != nil {
		return joined, err
	}
	if o.DryRun || len(joined.Clashes) > 0 {
		return joined, nil
	}
	return joined, l.joins(code, j, joined)
}

// wish is what the station asks for.
func (l *Link) wish(o JoinOptions) (*wire.Join, error) {
	chain, _, err := l.o.Ledger.OwnChain()
	return &wire.Join{Name: o.Name, Chain: chain.String(), Version: l.o.Version, As: o.As, Replace: o.Replace, Office: o.Office}, err
}

// labKey is the site key of the lab; nil if it has none yet.
func (l *Link) labKey(ctx context.Context, c *client, code wire.Code, j *wire.Join) ([]byte, error) {
	ask := *j
	ask.DryRun, ask.Subjects = true, []wire.Subject{}
	var first wire.Joined
	err := c.ask(ctx, http.MethodPost, wire.PathJoin, &ask, &first)
	if is(err, wire.CodeKey) || err == nil && first.Key == nil {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return code.Open(first.Key)
}

// joins begins the membership.
func (l *Link) joins(code wire.Code, j *wire.Join, joined wire.Joined) error {
	if len(joined.Key) > 0 { // else the lab has none, and this is an office
		key, err := code.Open(joined.Key)
		if err != nil {
			return errors.New("the site key of the lab can't be opened: ask for a new code")
		}
		if err := l.Rekey(key); err != nil {
			return err
		}
	}
	if err := l.o.Ledger.JoinLab(); err != nil {
		return err
	}
	m := &Member{URL: code.URL, Pin: code.Pin, Token: joined.Token, Lab: joined.Lab, Name: joined.Name, Chain: j.Chain}
	if err := m.save(l.o.Dir); err != nil {
		return err
	}
	l.set(m)
	l.o.Log.Info("this station has joined a lab", "lab", m.Lab, "name", m.Name)
	return nil
}

// Rekey makes the site key of the lab that of the station, if it is not.
func (l *Link) Rekey(key []byte) error {
	if bytes.Equal(key, l.o.Key()) {
		return nil
	}
	return l.o.Rekey(key)
}

// Leave ends the membership. The hub is told if it can be.
func (l *Link) Leave(ctx context.Context) (m *Member, told error, err error) {
	l.mu.Lock()
	m = l.member
	l.mu.Unlock()
	if m == nil {
		return nil, nil, hint.Errorf("`stump join CODE` joins one", "this station is in no lab")
	}
	ctx, end := context.WithTimeout(ctx, 10*time.Second)
	defer end()
	c := l.client(m.URL, m.Pin, m.Token)
	defer c.http.CloseIdleConnections()
	told = c.ask(ctx, http.MethodPost, wire.PathLeave, nil, nil)
	if err := remove(l.o.Dir); err != nil {
		return m, told, err
	}
	l.set(nil)
	return m, told, l.o.Ledger.LeaveLab()
}

// set changes the membership of the running link.
func (l *Link) set(m *Member) {
	l.mu.Lock()
	l.member, l.members, l.failure, l.heard, l.mono = m, nil, nil, time.Time{}, l.o.Now().Mono
	l.mu.Unlock()
	select {
	case l.again <- struct{}{}:
	default:
	}
}
