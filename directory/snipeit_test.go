package directory

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"stump/checkout"
	"stump/directory/call"
	"stump/directory/directorytest"
	"stump/directory/snipeit"
	"stump/internal/testkit"
)

// newSnipe has the people and devices of newOriginal.
func newSnipe() *directorytest.Snipe {
	return &directorytest.Snipe{
		Users:  []directorytest.SnipeUser{{ID: 1, Name: "Ann", Num: annBadge.Decimal()}, {ID: 2, Name: "Bob", Num: bobBadge.Decimal()}},
		Assets: []*directorytest.SnipeAsset{{ID: 11, Name: "iPad Mini G1 (inky)", Tag: ipadTag.Decimal()}, {ID: 12, Name: "Pixel", Tag: pixelTag.Decimal()}},
	}
}

func openSnipe(base, tokenFile string, h call.HTTP, settle time.Duration) (*snipeit.SnipeIT, error) {
	return snipeit.New(snipeit.Config{SettleTime: settle}, call.API{URL: base, TokenFile: tokenFile}, call.Badges{}, h, decimal26)
}

// decimal26 reads a plain decimal as 26 bits.
func decimal26(s string) (checkout.Tag, error) {
	v, err := strconv.ParseUint(s, 10, 26)
	return testkit.Tag(v, 26), err
}

// tokenFile writes a token as an admin does, with a line end.
func tokenFile(t testing.TB, token string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// After every fault each event is done once, in order per device.
func TestSnipeITUnderFaults(t *testing.T) {
	for _, x := range []fault{resetAtOnce, hangAtOnce, hangAfterCommit, hangInBody, resetAfterCommit, status500, status500Commit,
		status429After, status401, status403, htmlPage, redirectLogin, halfJSON, hugeBody, slowDrip} {
		for _, only := range []bool{false, true} {
			name := string(x)
			if only {
				name += ", to what changes something only"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				s := newSnipe()
				f := newFaultServer(s)
				if only {
					f.only = func(r *http.Request) bool { return r.Method == http.MethodPost }
				}
				srv := f.serve(t)
				d, err := openSnipe(srv.URL, tokenFile(t, "secret-token"), x.timeouts(), 20*time.Millisecond)
				if err != nil {
					t.Fatal(err)
				}
				l := newBox(t, Main)
				w, _ := start(t, Options{Directory: d, Ledger: l, backoff: impatient})
				eventually(t, "pulled", func() bool { m, _ := ownerOf(l, annBadge); return m.ID != "" })
				f.set(x)
				l.bump(annBadge, ipadTag)  // out
				l.bump(bobBadge, ipadTag)  // handed over
				l.bump(bobBadge, pixelTag) // another device
				l.bump(bobBadge, ipadTag)  // back
				eventually(t, "the display's mark", w.Behind)
				u, _ := url.Parse(srv.URL)
				t.Logf("stump sync says:\n%s", sayings(t, w, u.Host))
				time.Sleep(50 * time.Millisecond)
				f.set(healthy)
				eventually(t, "all delivered after healing", func() bool {
					w.Hurry()
					n, err := l.Backlog(Main)
					return n == 0 && err == nil
				})
				got := slices.DeleteFunc(s.Done(), func(s string) bool { return s == "out 12 to 2" })
				if want := []string{"out 11 to 1", "in 11 from 1", "out 11 to 2", "in 11 from 2"}; !slices.Equal(got, want) || len(s.Done()) != 5 {
					t.Errorf("Snipe-IT did %q, want %q", s.Done(), want)
				}
			})
		}
	}
}
