package call

import (
	"fmt"
	"hash/maphash"
	"maps"
	"net/http"
	"slices"
	"strings"

	"stump/internal/count"
)

// fieldsKept is how many names of members are remembered.
const fieldsKept = 200

// counter counts the rows of a list, to see whether all of them came.
type counter struct {
	List
	page int32 // that is read, from 1
	from int   // rows before it
	raw  []byte

	seen   map[string]int32 // on which page a key came first
	fields map[string]bool

	sizes  []int // of the pages
	total  int   // that the server counts; -1: it doesn't say
	counts []int // the totals that it said, each once
	again  int   // rows that came again on a later page, among new ones
	same   int   // pages that were as long as the first, and had nothing new
	beside int   // rows that came twice on one page
	fresh  int   // pages with something new
	empty  int   // pages in a row with nothing new, where more was promised
	stuck  bool  // the server does not turn pages, or goes in a circle
	broken bool
	cut    string

	unread  map[string]bool
	unknown int // rows that can't be read and have no key
	words   []string
}

func newCounter(l List) *counter {
	return &counter{List: l, page: 1, total: -1, seen: map[string]int32{}, fields: map[string]bool{}, unread: map[string]bool{}}
}

var seed = maphash.MakeSeed()

// isNew notes a row that came, and reports whether it came for the first time. A row
// without a key is known by what it says.
func (c *counter) isNew(key string, p *page) bool {
	if key == "" {
		key = fmt.Sprintf("\x00%x", maphash.Bytes(seed, c.raw))
	}
	switch on, twice := c.seen[key]; {
	case !twice:
		c.seen[key] = c.page
		p.fresh++
		return true
	case on == c.page:
		c.beside++
	default:
		p.again++
	}
	return false
}

// field notes that some row has something in a member.
func (c *counter) field(name string) {
	if len(c.fields) < fieldsKept {
		c.fields[name] = true
	}
}

// unreadable notes a row that can't be read: its key, or else where it is.
func (c *counter) unreadable(key string, at int, why error) {
	if key == "" {
		c.unknown++
	} else {
		c.unread[key] = true
	}
	if len(c.words) == 3 { // enough to find out what is wrong
		return
	}
	who := Plain(key)
	if key == "" {
		who = fmt.Sprintf("the %d. of page %d", at, c.page)
	}
	c.words = append(c.words, fmt.Sprintf("%s (%v)", who, why))
}

// count counts a page.
func (c *counter) count(p page) {
	c.cut = p.cut
	c.sizes = append(c.sizes, p.rows)
	if p.total >= 0 && (p.rows > 0 || c.page == 1) { // beyond the end some count nothing
		c.total = p.total
		if !slices.Contains(c.counts, p.total) && len(c.counts) < 4 {
			c.counts = append(c.counts, p.total)
		}
	}
}

// beyond reports whether a failed call only says that there is no such page: all
// that the server counts came before. (Not a missing right, or a rate limit.)
func (c *counter) beyond(r Reply) bool {
	switch r.Status {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusRequestedRangeNotSatisfiable, http.StatusUnprocessableEntity:
		return c.page > 1 && c.Next == "" && c.from >= c.total
	}
	return false
}

// ended reports whether the list ends with page p, and otherwise goes on to the
// next. A server's count is not believed, since it may be that of the page: the list
// ends with a page that brings nothing new, unless more was promised.
func (c *counter) ended(p page, cursor string) bool {
	if c.empty++; p.fresh > 0 {
		c.fresh++
		c.empty = 0
		c.again += p.again
	} else if p.rows > 0 && p.rows == c.sizes[0] {
		c.same++
	}
	c.from += p.rows
	switch {
	case c.page == mostPages:
		c.cut = fmt.Sprintf("it has more than %d pages", mostPages)
		return true
	case c.Next != "":
		c.stuck = p.next != "" && (p.next == cursor || c.empty == emptyPages)
		return c.stuck || p.next == ""
	case p.fresh > 0:
		return false
	}
	if p.rows > 0 && c.fresh == 1 && c.PageRows > 0 && c.sizes[0] >= c.PageRows {
		c.stuck = true
	}
	// A page of which nothing is shown is stepped over.
	c.from += max(c.PageRows-p.rows, 0)
	return c.PageRows == 0 || c.from >= c.total || c.empty == emptyPages
}

// came is how many different rows there are. Rows that come twice on one page are
// two to the server; but where one comes again on a later page, another may have
// slipped by.
func (c *counter) came() int { return len(c.seen) + c.beside }

// listing is what the count comes to.
func (c *counter) listing() Listing {
	l := Listing{Rows: len(c.seen), Unread: c.unread, Broken: c.broken || c.cut != ""}
	for _, name := range slices.Sorted(maps.Keys(c.fields)) {
		l.Fields = append(l.Fields, Plain(name))
	}
	whose, stay := "the list "+c.Path, "; who was not seen stays as it is here"
	note := func(format string, a ...any) {
		l.Partial = true
		l.Notes = append(l.Notes, whose+": "+fmt.Sprintf(format, a...)+stay)
	}
	came := c.came()
	switch rows := count.Of(came, c.What); {
	case c.broken:
		note("%s came, then it broke off on page %d", rows, c.page)
	case c.cut != "":
		note("%s came, and the rest is left out: %s", rows, c.cut)
	case came == 0 && c.total > 0:
		note("the server counts %d and shows none: give the token's user the right to see them", c.total)
	case len(c.counts) > 1:
		note("%s came, and the server counts %s: it counts each page, or the list changed while it was read", rows, numbers(c.counts))
	case c.total > came:
		note("%d of %d came%s", came, c.total, c.short())
	case c.total >= 0 && c.total < came:
		note("%s came, and the server counts only %d", rows, c.total)
	case c.stuck:
		note("%s came, and then the same page again: the server may have more than it shows", rows)
	case c.again+c.beside > 0:
		l.Notes = append(l.Notes, fmt.Sprintf("%s: %s twice in it", whose, comes(c.again+c.beside, c.What)))
	}
	if n := len(c.unread) + c.unknown; n > 0 {
		l.Partial = l.Partial || c.unknown > 0
		stays := "stays as it is here"
		if n > 1 {
			stays = "stay as they are here"
		}
		l.Notes = append(l.Notes, fmt.Sprintf("%s: %s can't be read and %s: %s", whose, count.Of(n, c.What), stays, c.named(n)))
	}
	return l
}

// named lists the rows that can't be read.
func (c *counter) named(n int) string {
	text := strings.Join(c.words, ", ")
	if more := n - len(c.words); more > 0 {
		text += fmt.Sprintf(", and %d more", more)
	}
	return text
}

// short names the first page that had fewer rows than a page has.
func (c *counter) short() string {
	if c.same > 0 && c.same == len(c.sizes)-1 {
		return ", then the same page again"
	}
	full, before := slices.Max(c.sizes), 0
	if c.fresh < 2 && c.PageRows > 0 {
		full = c.PageRows
	}
	for i, n := range c.sizes {
		if n < min(full, c.total-before) {
			return fmt.Sprintf(", page %d was short", i+1)
		}
		before += n
	}
	return ""
}

func comes(n int, what string) string {
	if n == 1 {
		return count.Of(n, what) + " is"
	}
	return count.Of(n, what) + " are"
}

func numbers(all []int) string {
	return strings.Trim(strings.Join(strings.Fields(fmt.Sprint(all)), ", then "), "[]")
}
