// Package markup is what the pages' code, written from templates, writes HTML with.
//
// What goes wrong while a page is written is a connection that ended, which a buffer
// remembers: its end says so, and nobody need ask after each word.
package markup

import (
	"context"
	"io"

	"github.com/a-h/templ"
	"github.com/a-h/templ/runtime"
)

// Context and Buffer are what a part of a page is written with.
type (
	Context = context.Context
	Buffer  = runtime.Buffer
)

// Part is a part of a page, which f writes.
func Part(f func(Context, *Buffer) error) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		b, outer := runtime.GetBuffer(w)
		err := f(templ.InitializeContext(ctx), b)
		if outer {
			return err
		}
		if ended := runtime.ReleaseBuffer(b); err == nil {
			err = ended
		}
		return err
	})
}

// HTML writes what the template has.
func HTML(b *Buffer, s string) { b.WriteString(s) }

// Text writes a value as text, or into an attribute.
func Text[S ~string](b *Buffer, s S) { b.WriteString(templ.EscapeString(string(s))) }

// Link writes an address into an attribute. One that a browser would run is left out.
func Link[S ~string](b *Buffer, s S) { Text(b, templ.URL(string(s))) }
