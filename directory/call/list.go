package call

import "fmt"

// listRows is the longest list that we read.
const listRows = 1 << 20

// List collects the rows of a list that comes in pages, each row once.
type List[T any] struct {
	Path string
	Key  func(T) string
	Rows []T
	seen map[string]bool
}

// Add adds a page. A page without anything new comes from a server that ignores
// which page is asked for, and whose list would never end.
func (l *List[T]) Add(page []T) Outcome {
	if l.seen == nil {
		l.seen = map[string]bool{}
	}
	before := len(l.Rows)
	for _, row := range page {
		if key := l.Key(row); !l.seen[key] {
			l.seen[key] = true
			l.Rows = append(l.Rows, row)
		}
	}
	if len(page) > 0 && len(l.Rows) == before {
		return failing("the list %s begins again instead of going on", l.Path)
	}
	if len(l.Rows) > listRows {
		return failing("the list %s has more than %d rows", l.Path, listRows)
	}
	return Outcome{}
}

// Changed is the outcome of a list whose length is not the total that the server
// named. When somebody is deleted between two pages, somebody else moves to the
// page before unseen, and would then seem to have left.
func (l *List[T]) Changed(total int) Outcome {
	return failing("the list %s changed while it was read, or the server counts its rows otherwise (%d of %d)", l.Path, len(l.Rows), total)
}

func failing(format string, a ...any) Outcome {
	return Outcome{Verdict: Failing, Reason: fmt.Sprintf(format, a...)}
}
