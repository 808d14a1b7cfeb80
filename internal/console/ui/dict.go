package ui

// Dict is words by a key. It is a list, which the compiler lays out: for a map it makes code
// that fills it, entry by entry.
type Dict [][2]string

// Of returns the word of a key, "" if there is none.
func (d Dict) Of(key string) string {
	for _, e := range d {
		if e[0] == key {
			return e[1]
		}
	}
	return ""
}
