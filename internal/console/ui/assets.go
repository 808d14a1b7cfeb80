package ui

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io"
	"net/http"
	"path"
	"strings"

	"github.com/a-h/templ"
)

//go:embed packed
var files embed.FS // those of the folder assets, which a test packs

// asset is a file for browsers.
type asset struct{ plain, packed []byte }

var assets, names = load()

// load reads the files, and names each by what is in it: a browser may keep it for ever.
func load() (map[string]asset, map[string]string) {
	all, names := map[string]asset{}, map[string]string{}
	entries, err := files.ReadDir("packed")
	if err != nil {
		panic(err)
	}
	for _, e := range entries {
		packed, err := files.ReadFile("packed/" + e.Name())
		if err != nil {
			panic(err)
		}
		b, file := unpack(packed), strings.TrimSuffix(e.Name(), ".gz")
		sum := sha256.Sum256(b)
		ext := path.Ext(file)
		name := strings.TrimSuffix(file, ext) + "." + hex.EncodeToString(sum[:4]) + ext
		names[file], all[name] = "/assets/"+name, asset{b, packed}
	}
	return all, names
}

// unpack unpacks what is in the program.
func unpack(packed []byte) []byte {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		panic(err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		panic(err)
	}
	return b
}

// Pack packs a page or file.
func Pack(b []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, _ = z.Write(b)
	_ = z.Close()
	return out.Bytes()
}

// File is what is in a file.
func File(name string) []byte { return assets[path.Base(names[name])].plain }

// Asset is the address of a file.
func Asset(name string) string { return names[name] }

var types = map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}

// ServeAsset sends the file of a request's path; false if there is none.
func ServeAsset(w http.ResponseWriter, r *http.Request) bool {
	name := strings.TrimPrefix(r.URL.Path, "/assets/")
	a, ok := assets[name]
	if !ok {
		return false
	}
	h := w.Header()
	h.Set("Content-Type", types[path.Ext(name)])
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Vary", "Accept-Encoding")
	if Packs(r) {
		h.Set("Content-Encoding", "gzip")
		_, _ = w.Write(a.packed)
	} else {
		_, _ = w.Write(a.plain)
	}
	return true
}

// Packs reports whether a browser reads what is packed.
func Packs(r *http.Request) bool { return strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") }

// Send sends a page, which is packed already if the browser can read that.
func Send(w http.ResponseWriter, r *http.Request, status int, page []byte) error {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Vary", "Accept-Encoding, Accept-Language, Stump-Part")
	if Packs(r) {
		h.Set("Content-Encoding", "gzip")
	}
	w.WriteHeader(status)
	_, err := w.Write(page)
	return err
}

// Render is a page as it is sent.
func Render(r *http.Request, page templ.Component) ([]byte, error) {
	b := templ.GetBuffer()
	defer templ.ReleaseBuffer(b)
	if err := page.Render(r.Context(), b); err != nil {
		return nil, err
	}
	if Packs(r) {
		return Pack(b.Bytes()), nil
	}
	return bytes.Clone(b.Bytes()), nil
}
