package api

import (
	"net/url"
	"strings"
	"testing"

	"stump/checkout"
)

// TestStockPage is the same in a browser.
func TestStockPage(t *testing.T) {
	b := newBrowser(t)
	sends := func(path string, typed url.Values) {
		t.Helper()
		if w := b.post(path, typed); w.Code != 303 || !strings.HasPrefix(w.Header().Get("Location"), "/stock?saved") {
			t.Errorf("%s: %d %v %s", path, w.Code, w.Header(), w.Body)
		}
	}
	page := b.get("/stock", 200)
	for _, text := range []string{"No stock was taken yet.", `action="/stock/start"`, `aria-current="page"`} {
		if !strings.Contains(page, text) {
			t.Errorf("at first there is no %s", text)
		}
	}
	b.has("too early", b.post("/stock/finish", nil), 409, `role="alert"`, "no stock-taking is under way", "!stump stock")
	sends("/stock/start", nil)
	b.has("a typing error", b.post("/stock/count", url.Values{"device": {"<toaster>"}}), 404, `role="alert"`, `value="&lt;toaster&gt;"`)
	sends("/stock/count", url.Values{"device": {"ipad"}})
	page = b.get("/stock", 200)
	for _, text := range []string{"Under way: 1 are here.", `<tr data-device="ipad">`, "here, but lent", "Ann", `action="/stock/finish"`, `href="/stock.csv"`} {
		if !strings.Contains(page, text) {
			t.Errorf("under way there is no %s: %s", text, page)
		}
	}
	if strings.Contains(page, "/stock/correct") {
		t.Error("it can be put right before its end")
	}
	sends("/stock/finish", nil)
	if csv := b.get("/stock.csv", 200); !strings.HasPrefix(csv, "found,device,device_id,kind,place,person,person_id,number\n") || !strings.Contains(csv, "\nhere,iPad,ipad,,,Ann,ann,\n") {
		t.Errorf("%s", csv)
	}
	page = b.get("/stock", 200)
	if !strings.Contains(page, `action="/stock/correct"`) {
		t.Errorf("it can't be put right: %s", page)
	}
	sends("/stock/correct", nil)
	if d := b.device("ipad"); d.Holder != "" || d.Status != checkout.Active {
		t.Errorf("the iPad is with %s", d.Holder)
	}
}
