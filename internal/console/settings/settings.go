// Package settings is the page of what the station is told, of who may get in, and of the
// tokens of scripts.
package settings

import (
	"context"
	"io"
	"regexp"
	"strings"
	"time"

	"stump/directory/call"
	"stump/internal/books"
	"stump/internal/console/ui"
	"stump/internal/hint"
	"stump/internal/identity"
)

// Station is what the page asks of the station. What is nil is left out.
type Station struct {
	// Config writes the configuration, without secrets.
	Config func(io.Writer) error
	// Check reads its file as a start would, and says what `stump config check` says.
	Check func() (says string, err error)
	// Mail sends a test to somebody.
	Mail func(ctx context.Context, to books.Person) []call.Step
}

// View is the page.
type View struct {
	ui.Frame
	T        *Words
	Config   string   // without secrets, as `stump config show` prints it
	Says     []string // of the configuration's file, if it is right
	Wrong    []Wrong
	Tokens   []Token
	Sessions []Session
	Roles    []string
	Secret   string // of the token that was just made, shown this once
	Typed    string // the name of one that was refused
	Mails    bool   // whether the station sends mails
	Email    string // of who asks; empty for none
	Steps    []call.Step
}

// Wrong is a mistake in the configuration's file.
type Wrong struct{ Where, What, Remedy string }

// place is where a mistake is: the file, its line and the key.
var place = regexp.MustCompile(`^\S+: ([\w.\[\]]+: )?`)

// wrongs are the mistakes of an error, each with what to do.
func wrongs(err error) (all []Wrong) {
	list := []error{err}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		list = many.Unwrap()
	}
	for _, e := range list {
		where := place.FindString(e.Error())
		all = append(all, Wrong{where, e.Error()[len(where):], hint.Of(e)})
	}
	return all
}

// Token is a token of a script.
type Token struct {
	identity.Token
	Used, Ends string
}

// Session is a browser that has logged in.
type Session struct {
	identity.Session
	Since, Last string
	Own         bool
}

// Make makes the page for who asks.
func Make(v View, access *identity.Store, who identity.Principal, now time.Time) View {
	v.T = wordsIn(v.Words)
	at := func(t time.Time) string { return v.At(t.In(now.Location()), now) }
	when := func(t *time.Time) string {
		if t == nil {
			return "–"
		}
		return at(*t)
	}
	for _, t := range access.Tokens() {
		v.Tokens = append(v.Tokens, Token{t, when(t.Used), when(t.Expires)})
	}
	for _, s := range access.Sessions() {
		v.Sessions = append(v.Sessions, Session{s, at(s.Begun), at(s.Seen), s.ID == who.ID})
	}
	v.Roles = identity.Roles()
	return v
}

// Read adds what the station says of its configuration.
func (v *View) Read(s Station) error {
	v.Mails = s.Mail != nil
	if s.Config != nil {
		var text strings.Builder
		if err := s.Config(&text); err != nil {
			return err
		}
		v.Config = text.String()
	}
	if s.Check != nil {
		says, err := s.Check()
		if err != nil {
			v.Wrong = wrongs(err)
		} else {
			v.Says = strings.Split(strings.TrimSpace(says), "\n")
		}
	}
	return nil
}
