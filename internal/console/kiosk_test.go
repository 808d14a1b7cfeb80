package console

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"

	"stump/internal/identity"
	"stump/internal/panel"
)

// kiosk asks for the page of a screen that shows what a display shows after some messages.
func (p *pages) kiosk(messages ...panel.Message) string {
	p.Helper()
	shown := panel.New(panel.Options{})
	ctx, stop := context.WithCancel(p.Context())
	ended := make(chan error)
	go func() { ended <- shown.Run(ctx) }()
	for _, m := range messages {
		p.ok(shown.Answered(ctx, shown.Show(m)))
	}
	p.o.Panel = shown
	w := httptest.NewRecorder()
	hall := identity.Principal{Name: "hall", Role: identity.Board}
	p.ok(p.Kiosk(w, httptest.NewRequestWithContext(identity.With(p.Context(), hall), "GET", "/kiosk", nil)))
	stop()
	p.ok(<-ended)
	return w.Body.String()
}

// TestKiosk: the words of the display are there, unless they name somebody whom the screen
// may not name, or are for who stands at the display alone.
func TestKiosk(t *testing.T) {
	out := panel.Message{Key: "checked-out", Person: "Ann", Device: "iPad"}
	waits := panel.Message{Key: "device-free", Device: "Quest"}
	digits := panel.Message{Key: "log-in", Number: "123456"}
	free := newPages(t, func(o *Options) { o.Holders = identity.Staff })
	free.has("of free devices", free.kiosk(), `<li data-device="quest 3" data-person="">Quest</li>`, "!ipad", "!Ann", "!Pixel", "!<nav", "!/login", `data-live="/changes?panel"`, "!data-again", "!else")
	free.has("somebody takes one", free.kiosk(out), "!Ann", "!class=\"panel\"")
	holders := newPages(t, func(o *Options) { o.Holders = identity.Board })
	page := holders.kiosk(out)
	holders.has("of holders", page, `class="panel"`, "Ann", `<li data-device="ipad" data-person="ann"><b>iPad &amp; Pen</b> <span>Ann Okafor</span>`, "2 d late", "Ben &lt;b&gt;")
	if strings.Index(page, `data-device="pixel"`) > strings.Index(page, `data-device="ipad"`) {
		t.Error("what is due first is not on top")
	}
	holders.has("somebody logs in", holders.kiosk(digits), "!123456", "!123 456")
	free.has("a device waits", free.kiosk(waits), `class="panel"`, "Quest")
}
