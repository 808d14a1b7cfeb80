// Package lab is a station's side of a lab of several stations: it joins one, tells the hub
// what happens here, and takes over what people, devices and loans are by the hub's word.
//
// Nothing here is in the way of a bump. The station goes on without its hub for weeks, and
// catches up when it is there again.
package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"stump/internal/hint"
	"stump/internal/safefile"
)

// FileName is the file of the membership in the state folder. It has the token, and is for
// its owner alone.
const FileName = "lab.json"

// Member is what a station keeps of the lab that it has joined.
type Member struct {
	URL   string `json:"url"`
	Pin   []byte `json:"pin,omitempty"`
	Token string `json:"token"`
	Lab   string `json:"lab"`
	Name  string `json:"name"`
	// Chain is the chain that has joined: a copy of this folder that goes another way is
	// found out by it.
	Chain string `json:"chain"`
}

// Load reads the membership in a state folder; nil if the station is in no lab.
func Load(dir string) (*Member, error) {
	b, err := os.ReadFile(filepath.Join(dir, FileName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var m Member
	if err == nil {
		err = json.Unmarshal(b, &m)
	}
	if err != nil {
		return nil, hint.Wrap(fmt.Errorf("read which lab this station is in: %w", err), "join it again: `stump join CODE --replace NAME`")
	}
	return &m, nil
}

func (m *Member) save(dir string) error {
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return safefile.Write(filepath.Join(dir, FileName), append(b, '\n'), 0o600)
}

func remove(dir string) error {
	err := os.Remove(filepath.Join(dir, FileName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return errors.Join(err, safefile.SyncDir(dir))
}
