package sheet

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"stump/checkout"
	"stump/internal/books"
	"stump/internal/hint"
)

// plainly is a column's name without what people write differently: "E-Mail" is "email".
func plainly(name string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, name)
}

// layout is where the header of a file is, and what separates its columns.
type layout struct {
	comma rune
	line  int // of the header
	names []string
	from  *meter // the lines from the header on
}

var sepLine = regexp.MustCompile(`(?i)^"?sep=([^"\r\n])"?[,;\t]*$`)

// maxTitle is how many lines above the header are passed over.
const maxTitle = 20

// headBytes is how much of a file is looked at to find its header.
const headBytes = 64 << 10

// find looks for the header, the first line with the columns id and name, and moves in
// to its beginning. Without one, the first line is it.
func (f form) find(in *bufio.Reader, mapped map[string]string) (layout, error) {
	head, _ := in.Peek(headBytes)
	commas, skip := []rune{',', ';', '\t'}, 0
	first, _, _ := bytes.Cut(head, []byte("\n"))
	if m := sepLine.FindSubmatch(bytes.TrimRight(first, "\r")); m != nil {
		commas, skip = []rune(string(m[1]))[:1], 1
		in.ReadString('\n')
		head = head[min(len(head), len(first)+1):]
	}
	var best layout
	most := -1
	for _, comma := range commas {
		if l, known := f.look(head, comma, mapped); known > most {
			best, most = l, known
		}
	}
	for range best.line - 1 {
		if _, err := in.ReadString('\n'); err != nil {
			return best, err
		}
	}
	best.line += skip
	return best, nil
}

// look returns the header of a file whose columns are separated by comma, and how many
// columns of it are known.
func (f form) look(head []byte, comma rune, mapped map[string]string) (first layout, known int) {
	c := csv.NewReader(bytes.NewReader(head))
	c.Comma, c.FieldsPerRecord, c.LazyQuotes = comma, -1, true
	for n := range maxTitle {
		names, err := c.Read()
		if err != nil {
			break
		}
		line, _ := c.FieldPos(0)
		if n == 0 {
			first = layout{comma: comma, line: line, names: names}
		}
		index, _ := f.index(names, mapped)
		_, id := index["id"]
		if _, name := index["name"]; id && name {
			return layout{comma: comma, line: line, names: names}, len(index)
		}
		if n == 0 {
			known = len(index)
		}
	}
	if known == 0 && len(first.names) < 2 {
		known = -1
	}
	return first, min(known, 1)
}

// index returns where each column is. mapped has columns by the plain names that the
// file calls them.
func (f form) index(header []string, mapped map[string]string) (map[string]int, error) {
	index, left := map[string]int{}, maps.Clone(mapped)
	delete(left, Others)
	var err error
	for i, h := range header {
		name, ok := mapped[plainly(h)]
		if delete(left, plainly(h)); !ok {
			name = cmp.Or(mapped[Others], plainly(h))
		}
		if name == LeftOut {
			continue
		}
		if !f.has(name) {
			continue
		}
		if at, twice := index[name]; twice && err == nil {
			err = fmt.Errorf("the column %q is there twice", name)
			if header[at] != h {
				err = fmt.Errorf("the columns %q and %q are both %q", strings.TrimSpace(header[at]), strings.TrimSpace(h), name)
			}
		}
		index[name] = i
	}
	for _, need := range f.columns[:2] {
		if _, ok := index[need]; !ok && err == nil {
			err = hint.Errorf(fmt.Sprintf("if it has another name: --map 'NAME=%s'", need), "the column %q is missing: the columns are %s", need, f.list())
		}
	}
	for _, name := range slices.Sorted(maps.Keys(left)) {
		if err == nil {
			err = hint.Errorf("its columns: "+strings.Join(header, ", "), "the file has no column %q to map", name)
		}
	}
	return index, err
}

// has reports whether there is a column with a plain name.
func (f form) has(name string) bool {
	return slices.ContainsFunc(slices.Concat(f.columns, f.more), func(column string) bool { return plainly(column) == name })
}

func (f form) list() string { return strings.Join(f.columns, ",") }

// LeftOut stands in a mapping for a column of a file that is not wanted.
const LeftOut = "-"

// Others stands in a mapping for all columns of a file that it does not name, which can only
// be left out.
const Others = "*"

// Mapping reads "HEADER=column" pairs. Of "HEADER=-" the column is left out, of "*=-" all that
// no pair names.
func Mapping(kind checkout.SubjectKind, pairs []string) (map[string]string, error) {
	f, mapped := formOf(kind), map[string]string{}
	for _, pair := range pairs {
		if pair == Others+"="+LeftOut {
			mapped[Others] = LeftOut
			continue
		}
		i := strings.LastIndex(pair, "=")
		if i < 1 || plainly(pair[:i]) == "" {
			return nil, hint.Errorf("write --map 'E-Mail=email'", "%q maps no column", pair)
		}
		to := plainly(pair[i+1:])
		if pair[i+1:] == LeftOut {
			to = LeftOut
		} else if !f.has(to) {
			return nil, hint.Errorf("the columns are "+strings.Join(slices.Concat(f.columns, f.more), ","), "there is no column %q to map to", pair[i+1:])
		}
		mapped[plainly(pair[:i])] = to
	}
	return mapped, nil
}

// refuseHeader is a RowError of the header.
func refuseHeader(l layout, err error) error { return &books.RowError{Line: max(l.line, 1), Err: err} }

// begin finds the header and returns a reader of what follows it.
func (f form) begin(r io.Reader, mapped map[string]string) (c *csv.Reader, l layout, index map[string]int, err error) {
	in := bufio.NewReaderSize(text(r), headBytes)
	if l, err = f.find(in, mapped); err != nil {
		return nil, l, nil, err
	}
	l.from = &meter{r: in}
	l.from.row()
	c = csv.NewReader(l.from)
	if l.comma != 0 {
		c.Comma = l.comma
	}
	c.FieldsPerRecord, c.ReuseRecord = -1, true // counted below, with a better message
	header, err := c.Read()
	if errors.Is(err, io.EOF) {
		return nil, l, nil, refuseHeader(l, fmt.Errorf("no header: the columns are %s", f.list()))
	}
	if err != nil {
		return nil, l, nil, csvError(err, l.line-1, 0)
	}
	l.names = slices.Clone(header)
	if all := strings.Join(header, ""); strings.Contains(all, "\x00") || !readable(all) {
		return nil, l, nil, refuseHeader(l, hint.Errorf(checkout.SaveUTF8, "the header is not valid UTF-8"))
	}
	if index, err = f.index(l.names, mapped); err != nil {
		return nil, l, nil, refuseHeader(l, err)
	}
	return c, l, index, nil
}
