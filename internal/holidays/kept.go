package holidays

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"stump/checkout/loan/ical"
	"stump/internal/safefile"
)

// FileName is the file in the state folder that has the newest calendar.
const FileName = "holidays.json"

// kept is that file.
type kept struct {
	// Source is the hash of where the calendar is from: an address may be a secret.
	Source string    `json:"source"`
	At     time.Time `json:"at"` // by the machine's clock
	tags
	Calendar string `json:"calendar"`
}

// tags say which calendar a server has sent, so that it sends only a newer one.
type tags struct {
	ETag     string `json:"etag,omitempty"`
	Modified string `json:"modified,omitempty"`
}

const longestTag = 1000

func (t *tags) from(h http.Header) {
	if tag := h.Get("ETag"); len(tag) < longestTag {
		t.ETag = tag
	}
	if at := h.Get("Last-Modified"); len(at) < longestTag {
		t.Modified = at
	}
}

// ask asks for a calendar unless it is still this one.
func (t tags) ask(h http.Header) {
	if t.ETag != "" {
		h.Set("If-None-Match", t.ETag)
	}
	if t.Modified != "" {
		h.Set("If-Modified-Since", t.Modified)
	}
}

func hash(source string) string {
	sum := sha256.Sum256([]byte(source))
	return hex.EncodeToString(sum[:])
}

// recall takes up the calendar that was kept, if it is from the same source.
func (h *Holidays) recall() {
	raw, err := os.ReadFile(filepath.Join(h.o.Dir, FileName))
	var k kept
	if err == nil {
		err = json.Unmarshal(raw, &k)
	}
	if errors.Is(err, fs.ErrNotExist) || err == nil && k.Source != hash(h.o.Source) {
		return
	}
	if err == nil {
		var c *ical.Calendar
		if c, err = ical.Read([]byte(k.Calendar), h.o.Zone); err == nil {
			h.kept, h.written = k, k
			h.days.Store(c)
			return
		}
	}
	h.o.Log.Warn("the calendar of holidays that was kept can't be read", "err", err)
}

// keep writes the calendar into its file, if it is another one.
func (h *Holidays) keep() {
	h.mu.Lock()
	k := h.kept
	same := k.Source == h.written.Source && k.tags == h.written.tags && k.Calendar == h.written.Calendar
	h.mu.Unlock()
	if same {
		return
	}
	raw, err := json.Marshal(k)
	if err == nil {
		err = safefile.Write(filepath.Join(h.o.Dir, FileName), raw, 0o600)
	}
	if err != nil { // that the disk saves nothing is said elsewhere
		h.o.Log.Warn("the calendar of holidays is not kept", "err", err)
		return
	}
	h.mu.Lock()
	h.written = k
	h.mu.Unlock()
}
