package call

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// Limits on what is kept of a list while it is read.
const (
	// headLimit is for a member of the answer beside its rows: a total, a message.
	headLimit = 4 << 10
	// rowLimit is for the members of one row that are needed. Those of a user with
	// fifty custom fields take 5 kB; what is longer is not meant for a person's eye.
	rowLimit = 64 << 10
	// nameLimit is for the name of a member; a longer one is cut.
	nameLimit = 128
)

// errSyntax: the answer is not JSON, or not of the form that a list has.
var errSyntax = errors.New("not the JSON of a list")

// scanner reads JSON as it arrives. Of what it is not asked to keep it holds
// nothing, however long that is: encoding/json holds a whole value, or a whole
// string, and a server could make it need any amount of memory. It finds where
// values begin and end; whether what is kept is JSON, its reader finds out.
type scanner struct{ in *bufio.Reader }

func newScanner(in io.Reader) scanner { return scanner{bufio.NewReaderSize(in, 16<<10)} }

// next returns the next byte that is not a space, without taking it.
func (s scanner) next() (byte, error) {
	for {
		b, err := s.in.ReadByte()
		if err != nil {
			return 0, cut(err)
		}
		if b != ' ' && b != '\n' && b != '\r' && b != '\t' {
			return b, s.in.UnreadByte()
		}
	}
}

// cut makes the end of an answer within a value an error of its form. (The end of a
// connection is io.ErrUnexpectedEOF.)
func cut(err error) error {
	if errors.Is(err, io.EOF) {
		return errSyntax
	}
	return err
}

// take takes the next byte if it is b.
func (s scanner) take(b byte) (bool, error) {
	got, err := s.next()
	if err != nil || got != b {
		return false, err
	}
	_, err = s.in.ReadByte()
	return true, err
}

// value is what is known of a value that was read.
type value struct {
	first byte // of its text
	blank bool // null, "", [] or {}
	long  bool // more than was to be kept
}

// plain reports whether it is a text or a number, and not empty.
func (v value) plain() bool { return !v.blank && strings.IndexByte(`"-0123456789`, v.first) >= 0 }

// keeper keeps up to limit bytes.
type keeper struct {
	into  *[]byte // nil keeps nothing
	limit int
	n     int
}

func (k *keeper) add(b ...byte) {
	if k.n += len(b); k.into != nil && k.n <= k.limit {
		*k.into = append(*k.into, b...)
	}
}

// value reads a value, and appends at most limit bytes of it to into, unless that
// is nil.
func (s scanner) value(into *[]byte, limit int) (v value, err error) {
	if v.first, err = s.next(); err != nil {
		return v, err
	}
	k := keeper{into: into, limit: limit}
	begin := 0
	if into != nil {
		begin = len(*into)
	}
	switch v.first {
	case '"':
		err = s.text(&k)
		v.blank = k.n == 2
	case '{', '[':
		v.blank, err = s.nested(&k)
	case ']', '}', ',', ':':
		return v, errSyntax
	default:
		err = s.word(&k)
		v.blank = v.first == 'n'
	}
	if v.long = k.n > limit; v.long && into != nil {
		*into = (*into)[:begin]
	}
	return v, err
}

// text reads a string. Long ones are what fat rows are made of: it takes all that
// has come up to the next quote at once.
func (s scanner) text(k *keeper) error {
	first := true
	for {
		if _, err := s.in.Peek(1); err != nil {
			return cut(err)
		}
		come, _ := s.in.Peek(s.in.Buffered())
		begin := 0
		if first {
			first, begin = false, 1
		}
		end := bytes.IndexByte(come[begin:], '"')
		part := come
		if end >= 0 {
			part = come[:begin+end]
		}
		if i := bytes.IndexByte(part, '\\'); i >= 0 {
			k.add(come[:i]...)
			_, _ = s.in.Discard(i)
			pair, err := s.in.Peek(2)
			if err != nil {
				return cut(err)
			}
			k.add(pair...)
			_, _ = s.in.Discard(2)
			continue
		}
		if end >= 0 {
			part = come[:begin+end+1]
		}
		k.add(part...)
		_, _ = s.in.Discard(len(part))
		if end >= 0 {
			return nil
		}
	}
}

// nested reads an object or an array; blank: there is nothing in it.
func (s scanner) nested(k *keeper) (blank bool, err error) {
	blank = true
	for depth := 0; ; {
		b, err := s.next()
		if err != nil {
			return blank, err
		}
		if b == '"' {
			blank = false
			if err := s.text(k); err != nil {
				return blank, err
			}
			continue
		}
		_, _ = s.in.ReadByte() // next has seen it
		k.add(b)
		switch b {
		case '{', '[':
			blank = blank && depth == 0
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return blank, nil
			}
		default:
			blank = false
		}
	}
}

// word reads a number, true, false or null. Another than these is kept, too, and
// found to be none by whoever reads it.
func (s scanner) word(k *keeper) error {
	for {
		b, err := s.in.ReadByte()
		if err != nil {
			return cut(err)
		}
		if strings.IndexByte(" \n\r\t,]}:", b) >= 0 {
			return s.in.UnreadByte()
		}
		k.add(b)
	}
}

// object reads an object. member must read the value of the member that it is
// called for.
func (s scanner) object(member func(name string) error) error {
	if ok, err := s.take('{'); !ok {
		return orSyntax(err)
	}
	if ok, err := s.take('}'); ok || err != nil {
		return err
	}
	var raw []byte
	for {
		raw = raw[:0]
		key, err := s.value(&raw, nameLimit)
		if err != nil {
			return err
		}
		var name string
		if key.first != '"' || !key.long && json.Unmarshal(raw, &name) != nil {
			return errSyntax
		}
		if ok, err := s.take(':'); !ok {
			return orSyntax(err)
		}
		if err := member(name); err != nil {
			return err
		}
		if more, err := s.more('}'); !more {
			return err
		}
	}
}

// array reads an array. item must read the next value.
func (s scanner) array(item func() error) error {
	if ok, err := s.take('['); !ok {
		return orSyntax(err)
	}
	if ok, err := s.take(']'); ok || err != nil {
		return err
	}
	for {
		if err := item(); err != nil {
			return err
		}
		if more, err := s.more(']'); !more {
			return err
		}
	}
}

// more reads the comma before the next part, or the end.
func (s scanner) more(end byte) (bool, error) {
	if comma, err := s.take(','); comma || err != nil {
		return comma, err
	}
	ok, err := s.take(end)
	if !ok {
		return false, orSyntax(err)
	}
	return false, err
}

func orSyntax(err error) error {
	if err == nil {
		return errSyntax
	}
	return err
}

// row reads a row of a list into raw: an object of the members that are kept. Of
// those with a text or a number, seen is told the names. long: what was to be kept is
// too long; then raw lacks it. A row that is no object is kept as it is.
func (s scanner) row(raw []byte, most int, keep func(name string) bool, seen func(name string)) (_ []byte, long bool, err error) {
	raw = raw[:0]
	first, err := s.next()
	if err != nil {
		return raw, false, err
	}
	if first != '{' {
		v, err := s.value(&raw, most)
		return raw, v.long, err
	}
	raw = append(raw, '{')
	err = s.object(func(name string) error {
		if name == "" || !keep(name) {
			v, err := s.value(nil, 0)
			if v.plain() {
				seen(name)
			}
			return err
		}
		before := len(raw)
		key, _ := json.Marshal(name) // a string always can be
		raw = append(append(raw, key...), ':')
		v, err := s.value(&raw, most-len(raw))
		switch {
		case v.long:
			long, raw = true, raw[:before]
		case err == nil:
			raw = append(raw, ',')
		}
		if v.plain() {
			seen(name)
		}
		return err
	})
	if raw[len(raw)-1] == ',' {
		raw = raw[:len(raw)-1]
	}
	return append(raw, '}'), long, err
}
