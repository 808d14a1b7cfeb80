// Package grouped has in memory which ids are in a group, such as the devices of a kind: a
// tap must not take longer the more devices there are. It may have more than are in it.
package grouped

// IDs are the ids that were in a group since they were read. The zero value was not read. It
// is for one goroutine.
type IDs struct {
	by   map[string]map[string]bool // nil: not read
	size int
	most int // they are read again when there are more
}

// Note adds an id to a group; "" is no group.
func (s *IDs) Note(group, id string) {
	if s.by == nil || group == "" || s.by[group][id] {
		return
	}
	if s.by[group] == nil {
		s.by[group] = map[string]bool{}
	}
	s.by[group][id] = true
	s.size++
}

// Of returns the ids of a group, which are not to be changed. read, which has to note all, is
// called the first time, and when they have become twice as many since.
func (s *IDs) Of(group string, read func()) map[string]bool {
	if s.by == nil || s.size > s.most {
		*s = IDs{by: map[string]map[string]bool{}}
		read()
		s.most = 2*s.size + 1000
	}
	return s.by[group]
}
