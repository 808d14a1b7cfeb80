package boltpages

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"
)

var le = binary.LittleEndian

// boltFile is a file that bbolt wrote: buckets "big" with many keys, one of them with a
// long value, "small" with three, and "none".
func boltFile(t *testing.T) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "b.db")
	db, err := bolt.Open(path, 0o600, &bolt.Options{PageSize: PageSize, NoFreelistSync: false})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // so that both meta pages are written
		err = errors.Join(err, db.Update(func(tx *bolt.Tx) error {
			for _, name := range []string{"big", "small", "none"} {
				b, err := tx.CreateBucketIfNotExists([]byte(name))
				if err != nil {
					return err
				}
				for i := range map[string]int{"big": 2000, "small": 3}[name] {
					value := fmt.Appendf(nil, "value %d", i)
					if i == 1000 {
						value = bytes.Repeat([]byte("long"), PageSize)
					}
					if err := b.Put(fmt.Appendf(nil, "%06d", i), value); err != nil {
						return err
					}
				}
			}
			return nil
		}))
	}
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func newest(t *testing.T, file []byte) (m Meta) {
	t.Helper()
	for slot := range int64(2) {
		got, err := ReadMeta(bytes.NewReader(file), slot)
		if err != nil {
			t.Fatal(err)
		}
		if got.Txid > m.Txid {
			m = got
		}
	}
	return m
}

// content reads a bucket: its keys in order and whether all could be read. Each value
// lies where it is said to lie.
func content(t *testing.T, file []byte, root uint64, name string) (keys []string, whole bool) {
	t.Helper()
	f := &File{R: bytes.NewReader(file), High: uint64(len(file)) / PageSize}
	for _, b := range f.Buckets(root) {
		if b.Name != name {
			continue
		}
		whole = b.Content(func(g Found) {
			keys = append(keys, string(g.Key))
			if !bytes.Equal(file[g.Off:][:len(g.Value)], g.Value) {
				t.Errorf("the value of %q is not at %d", g.Key, g.Off)
			}
		})
	}
	return keys, whole
}

// pagesOf returns the pages of the tree below a page with their flags, the page first.
func pagesOf(file []byte, id uint64) (all []uint64) {
	p := file[id*PageSize:]
	all = append(all, id)
	if le.Uint16(p[8:]) == pageBranch {
		for i := range int(le.Uint16(p[10:])) {
			all = append(all, pagesOf(file, le.Uint64(p[pageHeader+i*element+8:]))...)
		}
	}
	return all
}

// rootOf returns the root page of a bucket.
func rootOf(t *testing.T, file []byte, name string) (root uint64) {
	t.Helper()
	f := &File{R: bytes.NewReader(file), High: uint64(len(file)) / PageSize, seen: map[uint64]bool{}}
	f.tree(newest(t, file).Root, func(g Found) {
		if string(g.Key) == name {
			root = le.Uint64(g.Value)
		}
	})
	return root
}

// TestWholeFile reads what bbolt wrote: long values, a bucket within its parent's page,
// and an empty one.
func TestWholeFile(t *testing.T) {
	file := boltFile(t)
	root := newest(t, file).Root
	for name, n := range map[string]int{"big": 2000, "small": 3, "none": 0} {
		keys, whole := content(t, file, root, name)
		if len(keys) != n || !whole || !slices.IsSorted(keys) {
			t.Errorf("%s: %d keys, whole: %v", name, len(keys), whole)
		}
	}
	if all := pagesOf(file, rootOf(t, file, "big")); len(all) < 5 {
		t.Errorf("the big bucket has only pages %v", all)
	}
	if rootOf(t, file, "small") != 0 {
		t.Error("the small bucket has a page of its own")
	}
}

// TestDamagedPages damages a leaf in each way: its keys are missing, all others are
// read, and the bucket is not whole.
func TestDamagedPages(t *testing.T) {
	file := boltFile(t)
	root, big := newest(t, file).Root, pagesOf(file, rootOf(t, file, "big"))
	leaf := big[len(big)-2]
	lost := int(le.Uint16(file[leaf*PageSize+10:]))
	for what, tc := range map[string]struct {
		damage func(page []byte)
		lost   int
	}{
		"zeroed":               {func(p []byte) { clear(p) }, lost},
		"another page's id":    {func(p []byte) { le.PutUint64(p, leaf+1) }, lost},
		"no kind":              {func(p []byte) { le.PutUint16(p[8:], 0) }, lost},
		"a freelist":           {func(p []byte) { le.PutUint16(p[8:], 0x10) }, lost},
		"two kinds":            {func(p []byte) { le.PutUint16(p[8:], pageBranch|pageLeaf) }, lost},
		"too many elements":    {func(p []byte) { le.PutUint16(p[10:], math.MaxUint16) }, lost},
		"an endless overflow":  {func(p []byte) { le.PutUint32(p[12:], math.MaxUint32) }, lost},
		"a long overflow":      {func(p []byte) { le.PutUint32(p[12:], maxOverflow) }, lost},
		"one key far away":     {func(p []byte) { le.PutUint32(p[pageHeader+4:], math.MaxUint32) }, 1},
		"one key too long":     {func(p []byte) { le.PutUint32(p[pageHeader+8:], math.MaxUint32) }, 1},
		"one value too long":   {func(p []byte) { le.PutUint32(p[pageHeader+12:], PageSize) }, 1},
		"lengths that overrun": {func(p []byte) { le.PutUint32(p[pageHeader+8:], math.MaxUint32-10) }, 1},
	} {
		b := bytes.Clone(file)
		tc.damage(b[leaf*PageSize : (leaf+1)*PageSize])
		keys, whole := content(t, b, root, "big")
		if whole || len(keys) != 2000-tc.lost {
			t.Errorf("%s: %d keys, whole: %v, want %d", what, len(keys), whole, 2000-tc.lost)
		}
		if keys, whole := content(t, b, root, "small"); len(keys) != 3 || !whole {
			t.Errorf("%s: the other bucket has %d keys, whole: %v", what, len(keys), whole)
		}
	}
}

// TestBadBranches points the pages of a branch elsewhere: reading ends, and reads no
// page twice.
func TestBadBranches(t *testing.T) {
	file := boltFile(t)
	root, branch := newest(t, file).Root, rootOf(t, file, "big")
	leaves := pagesOf(file, branch)[1:]
	first := int(le.Uint16(file[leaves[0]*PageSize+10:]))
	last := int(le.Uint16(file[leaves[len(leaves)-1]*PageSize+10:]))
	at := func(b []byte, i int) []byte { return b[branch*PageSize+pageHeader+uint64(i)*element+8:] }
	for what, tc := range map[string]struct {
		to   uint64
		lost int
	}{
		"itself":             {branch, first},
		"the root":           {root, first},
		"the last leaf":      {leaves[len(leaves)-1], first}, // once, and not a second time
		"a meta page":        {1, first},
		"page 0":             {0, first},
		"after the file":     {uint64(len(file)) / PageSize, first},
		"far after the file": {math.MaxUint64, first},
	} {
		b := bytes.Clone(file)
		le.PutUint64(at(b, 0), tc.to)
		keys, whole := content(t, b, root, "big")
		if whole || len(keys) != 2000-tc.lost {
			t.Errorf("to %s: %d keys, whole: %v, want %d (the last leaf has %d)", what, len(keys), whole, 2000-tc.lost, last)
		}
		slices.Sort(keys)
		if n := len(slices.Compact(keys)); n != len(keys) {
			t.Errorf("to %s: %d keys are read twice", what, len(keys)-n)
		}
	}
}

// TestBadBuckets: a bucket's own row can be wrong.
func TestBadBuckets(t *testing.T) {
	file := boltFile(t)
	root := newest(t, file).Root
	page := file[root*PageSize : (root+1)*PageSize]
	for i := range int(le.Uint16(page[10:])) {
		e := pageHeader + i*element
		start := e + int(le.Uint32(page[e+4:]))
		key := string(page[start : start+int(le.Uint32(page[e+8:]))])
		value := start + len(key)
		for what, damage := range map[string]func(p []byte){
			"its row is short":      func(p []byte) { le.PutUint32(p[e+12:], bucketValue-1) },
			"its root is a meta":    func(p []byte) { le.PutUint64(p[value:], 1) },
			"its root is far away":  func(p []byte) { le.PutUint64(p[value:], math.MaxUint64) },
			"its root is the root":  func(p []byte) { le.PutUint64(p[value:], root) },
			"its page is cut short": func(p []byte) { le.PutUint64(p[value:], 0); le.PutUint32(p[e+12:], bucketValue+3) },
		} {
			b := bytes.Clone(file)
			damage(b[root*PageSize:])
			if keys, whole := content(t, b, root, key); whole || len(keys) > 0 {
				t.Errorf("%s: %s: %d keys, whole: %v", key, what, len(keys), whole)
			}
		}
	}
}

// TestCutFile cuts the file at every page: what lies before the cut is read, nothing
// panics, and a tree that goes beyond it is not whole.
func TestCutFile(t *testing.T) {
	file := boltFile(t)
	root := newest(t, file).Root
	lastUsed := slices.Max(append(pagesOf(file, rootOf(t, file, "big")), root))
	for page := uint64(2); page <= lastUsed; page++ {
		keys, whole := content(t, file[:page*PageSize], root, "big")
		if whole || len(keys) == 2000 {
			t.Errorf("cut at page %d of %d: %d keys, whole: %v", page, lastUsed, len(keys), whole)
		}
	}
	// The disk may know fewer bytes than the file is said to have.
	f := &File{R: bytes.NewReader(file[:3*PageSize+100]), High: uint64(len(file)) / PageSize}
	for _, b := range f.Buckets(root) {
		if b.Name == "big" && b.Content(func(Found) {}) {
			t.Error("whole, though it can't be read")
		}
	}
}

// TestMetas: a meta page counts only if all of it holds.
func TestMetas(t *testing.T) {
	file := boltFile(t)
	sign := func(b []byte) { // as bbolt does
		h := fnv.New64a()
		h.Write(b[metaAt : metaAt+56])
		le.PutUint64(b[metaAt+56:], h.Sum64())
	}
	for what, tc := range map[string]struct {
		damage func(b []byte)
		want   string
	}{
		"zeroed":       {func(b []byte) { clear(b[:PageSize]) }, "not a meta page"},
		"magic":        {func(b []byte) { b[metaAt]++; sign(b) }, "not a meta page"},
		"version":      {func(b []byte) { b[metaAt+4] = 7; sign(b) }, "bbolt version 7"},
		"page size":    {func(b []byte) { le.PutUint32(b[metaAt+8:], 16384); sign(b) }, "page size 16384, not 4096"},
		"root":         {func(b []byte) { b[metaAt+16]++ }, "the checksum of a meta page does not match"},
		"high":         {func(b []byte) { b[metaAt+40]++ }, "the checksum of a meta page does not match"},
		"its checksum": {func(b []byte) { b[metaAt+56]++ }, "the checksum of a meta page does not match"},
	} {
		b := bytes.Clone(file)
		tc.damage(b)
		if m, err := ReadMeta(bytes.NewReader(b), 0); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %+v, %v", what, m, err)
		}
		if _, err := ReadMeta(bytes.NewReader(b), 1); err != nil {
			t.Errorf("%s: the other meta page: %v", what, err)
		}
	}
	if m, err := ReadMeta(bytes.NewReader(file[:PageSize+20]), 1); err == nil {
		t.Errorf("a meta page that is cut: %+v", m)
	}
	// A meta page that lies about its root reads as no bucket, or another's.
	for _, root := range []uint64{0, 1, rootOf(t, file, "big"), uint64(len(file)) / PageSize, math.MaxUint64} {
		if keys, whole := content(t, file, root, "small"); whole || len(keys) > 0 {
			t.Errorf("from root %d: %d keys", root, len(keys))
		}
	}
	m := newest(t, file)
	if m.Freelist == NoPage || m.Freelist >= m.High || m.Root >= m.High || m.High > uint64(len(file))/PageSize {
		t.Errorf("%+v", m)
	}
}

func FuzzPages(f *testing.F) {
	f.Add([]byte("a page"), uint16(2))
	f.Fuzz(func(_ *testing.T, b []byte, at uint16) {
		file := make([]byte, 8*PageSize)
		copy(file[int(at)%len(file):], b)
		for root := range uint64(9) {
			p := &File{R: bytes.NewReader(file), High: 8}
			for _, bucket := range p.Buckets(root) {
				bucket.Content(func(Found) {})
			}
		}
	})
}
