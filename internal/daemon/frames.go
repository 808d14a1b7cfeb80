package daemon

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"stump/internal/station"
	"stump/wiegand"
)

// keepFrames replaces the VCD files in dir by the worst frames that a reader has
// refused, if there are any. Only the owner may read them, because a damaged
// frame may still hold a number.
func keepFrames(dir string, r *station.Reader) error {
	worst := r.Stats().Worst
	if len(worst) == 0 {
		return nil
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	old, err := filepath.Glob(filepath.Join(dir, r.Name+"-*.vcd"))
	if err != nil {
		return err
	}
	for _, f := range old {
		err = errors.Join(err, os.Remove(f))
	}
	for i, f := range worst {
		name := fmt.Sprintf("%s-%02d-%s.vcd", r.Name, i+1, f.Read.Fault)
		err = errors.Join(err, writeFrame(filepath.Join(dir, name), f.Edges))
	}
	return err
}

func writeFrame(path string, edges []wiegand.Edge) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	vcd := wiegand.NewVCDWriter(f, false)
	for _, e := range edges {
		err = errors.Join(err, vcd.Write(e))
	}
	return errors.Join(err, vcd.Close(), f.Close())
}
