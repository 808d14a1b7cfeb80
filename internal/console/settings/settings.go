// Package settings is the page of what the station is told, and of the tokens of scripts.
package settings

import (
	"time"

	"stump/internal/console/ui"
	"stump/internal/identity"
)

// View is the page.
type View struct {
	ui.Frame
	Config string // without secrets, as `stump config show` prints it
	Tokens []Token
	Roles  []string
	Secret string // of the token that was just made, shown this once
	Name   string // what was typed for one that was refused
}

// Token is a token of a script.
type Token struct {
	identity.Token
	Used, Ends string
}

// Make makes the page.
func Make(v View, tokens []identity.Token, now time.Time) View {
	when := func(t *time.Time) string {
		if t == nil {
			return "–"
		}
		return v.At(t.In(now.Location()), now)
	}
	for _, t := range tokens {
		v.Tokens = append(v.Tokens, Token{t, when(t.Used), when(t.Expires)})
	}
	v.Roles = identity.Roles()
	return v
}
