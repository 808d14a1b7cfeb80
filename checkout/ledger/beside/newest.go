package beside

import (
	"errors"
	"os"
	"syscall"

	"stump/checkout/ledger/record"
)

// NewestPath returns the path of the note of the newest event; see [record.Newest].
func NewestPath(path string) string { return path + ".newest" }

// ReadNewest reads the note. A note that a power cut has torn counts as none, as does one
// that can't be read.
func ReadNewest(path string) (n record.Newest, ok bool) {
	b, _ := os.ReadFile(NewestPath(path))
	return record.ParseNewest(b)
}

// Note is the note of the newest event, open for writing. Nil notes nothing.
type Note struct {
	path string // of the ledger
	file *os.File
}

// OpenNote opens the note beside the ledger at path. It returns nil with an error.
func OpenNote(path string) (*Note, error) {
	f, err := os.OpenFile(NewestPath(path), os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o640)
	if err != nil {
		return nil, err
	}
	return &Note{path, f}, nil
}

// Write notes an event.
func (n *Note) Write(newest record.Newest) error {
	if n == nil {
		return nil
	}
	_, err := n.file.WriteAt(newest.Line(), 0)
	return err
}

// End notes that no event follows the one in the note, and closes it.
func (n *Note) End() (err error) {
	if n == nil {
		return nil
	}
	defer n.Close()
	if newest, ok := ReadNewest(n.path); ok {
		newest.Clean = true
		err = n.Write(newest)
	}
	return err
}

// Close closes the note as it is.
func (n *Note) Close() {
	if n != nil {
		n.file.Close()
	}
}

// forgetNewest removes the note.
func forgetNewest(path string) error {
	if err := os.Remove(NewestPath(path)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
