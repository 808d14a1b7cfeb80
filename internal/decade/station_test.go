package decade

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing/synctest"
	"time"

	"stump/checkout"
	"stump/internal/config"
	"stump/internal/daemon"
	"stump/internal/identity"
)

// configuration is the station's.
const configuration = `
station = "lab-1"
[[reader]]
name = "stump"
formats = ["H10301"]
badge = { facilities = [17] }
device = { facilities = [200] }
[display]
size = "20x4"
[backup]
keep = 0
[loans]
length = "14d"
days = ["mon", "tue", "wed", "thu", "fri"]
until = "18:00"
holidays = "%s"
remind_at = "10:00"
[privacy]
retain_closed_loans = "180d"
[directory]
kind = "snipeit"
url = "http://snipe.lab.example"
token_file = "%s"
pull_every = "12h"
loans_every = "0s"
proxy = "none"
[mail]
server = "` + mailServer + `"
from = "lab@lab.example"
tls = "none"
`

// mailServer is where the reminders go.
const mailServer = "mail.lab.example:25"

// station is a daemon that runs.
type station struct {
	*daemon.Daemon
	cable *cable
	stop  context.CancelFunc
	ended chan error
}

// config is the station's, with the network at the end of a cable; nil for none.
func (w *world) config(lines *cable) *config.Config {
	cfg, err := config.Parse("stump.toml", fmt.Sprintf(configuration, filepath.Join(w.dir, "holidays.ics"), w.token()))
	w.must(err)
	if lines != nil {
		cfg.Directory.TestDial, cfg.Mail.TestDial = lines.dial, lines.dial
	}
	return cfg
}

// start starts the daemon.
func (w *world) start() {
	lines := &cable{network: w.net}
	cfg := w.config(lines)
	d, err := daemon.New(daemon.Options{
		Config: cfg, StateDir: w.state(), StateNamed: true, Sim: true, TestNow: w.machine.now, Version: "decade", Log: w.log.logger(),
	})
	w.must(err)
	ctx, stop := context.WithCancel(context.Background())
	w.st = &station{d, lines, stop, make(chan error, 1)}
	go func(s *station) { s.ended <- s.Run(ctx) }(w.st)
	synctest.Wait()
	w.figures.starts++
	w.desk, w.excused, w.worn = desk{}, time.Time{}, false
}

// halt stops the daemon as an admin or the system does.
func (w *world) halt() {
	w.st.stop()
	if err := <-w.st.ended; err != nil {
		w.differ("the daemon ended with %v", err)
	}
	w.st = nil
	w.machine.end()
}

// state is the folder of the disk that the station has now.
func (w *world) state() string { return filepath.Join(w.dir, fmt.Sprint("disk", w.disk)) }

// cut cuts the power, or kills the daemon: what is on the disk now is all that is left.
// What the daemon does from then on, it does to a disk that nobody sees again.
func (w *world) cut() {
	lost := w.state()
	w.disk++
	w.must(copyDir(w.state(), lost))
	w.net.cut(w.st.cable)
	w.gone(lost)
}

// gone is the end of a daemon whose disk was kept already.
func (w *world) gone(lost string) {
	w.halt()
	w.must(os.RemoveAll(lost))
	w.figures.cuts++
}

func copyDir(to, from string) error {
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		return err
	}
	return os.Chmod(filepath.Join(to, "site.key"), 0o600)
}

// rows are what the display shows.
func (w *world) rows() []string {
	synctest.Wait()
	rows := w.st.Panel.State().Rows
	out := make([]string, len(rows))
	for i, r := range rows {
		out[i] = strings.TrimRight(r, " ")
	}
	return out
}

// get asks the station's API as an admin does.
func (w *world) get(path string, to any) {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r = r.WithContext(identity.With(r.Context(), identity.Principal{Name: "admin", Role: identity.Admin, Source: checkout.SourceAPI, Fresh: true, ID: "uid:0"}))
	got := httptest.NewRecorder()
	w.st.API.ServeHTTP(got, r)
	if got.Code != http.StatusOK {
		w.differ("GET %s: %d %s", path, got.Code, got.Body)
		return
	}
	w.must(json.Unmarshal(got.Body.Bytes(), to))
}

// sleep lets time pass.
func sleep(until time.Time) { time.Sleep(time.Until(until)) }
