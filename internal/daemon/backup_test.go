package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"stump/checkout/ledger"
	"stump/internal/api/wire"
	"stump/internal/config"
	"stump/internal/sitekey"
	"stump/internal/testkit"
)

// desk is a ledger with backups of its own.
type desk struct {
	*testing.T
	dir string
	l   *ledger.Ledger
	b   *backups
	log *testkit.Log
	n   int
}

func newDesk(t *testing.T, cfg config.Backup) *desk {
	t.Helper()
	d := &desk{T: t, dir: t.TempDir(), log: new(testkit.Log)}
	var err error
	d.l, err = ledger.Create(filepath.Join(d.dir, "ledger.db"), ledger.Options{Station: "lab", SiteKey: sitekey.New()})
	d.ok(err)
	t.Cleanup(func() { d.l.Close() })
	d.restart(cfg)
	return d
}

func (d *desk) ok(err error) {
	d.Helper()
	if err != nil {
		d.Fatal(err)
	}
}

// restart begins anew with what the last daemon has left.
func (d *desk) restart(cfg config.Backup) {
	d.b = newBackups(cfg, d.dir, d.l, slog.New(slog.NewTextHandler(d.log, nil)))
}

// day makes an event and the day's backups, and has the command run.
func (d *desk) day() {
	d.Helper()
	addPerson(d.T, d.l, string(rune('a'+d.n)))
	d.n++
	d.backUp()
}

func (d *desk) backUp() {
	d.b.daily(d.Context())
	select {
	case <-d.b.due:
		d.b.takeAway(d.Context())
	default:
	}
}

// wants compares the names of the faults.
func (d *desk) wants(names ...string) {
	d.Helper()
	var got []string
	for _, f := range d.b.faults() {
		got = append(got, f.Name)
		if f.Remedy == "" {
			d.Errorf("%s: no remedy", f.Name)
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(names) {
		d.Errorf("faults %v, want %v: %v", got, names, d.b.faults())
	}
}

func (d *desk) files(dir string) []string {
	d.Helper()
	all, err := filepath.Glob(filepath.Join(dir, "*"))
	d.ok(err)
	return all
}

// TestFailedBackupIsTold has the backups' disk away for a day.
func TestFailedBackupIsTold(t *testing.T) {
	away := filepath.Join(t.TempDir(), "usb")
	d := newDesk(t, config.Backup{Keep: 3, Dir: filepath.Join(away, "stump")})
	d.ok(os.WriteFile(away, nil, 0o600))
	d.day()
	d.wants("no-backup")
	if f := d.b.faults()[0]; !strings.Contains(f.Text, "not a directory") || !strings.Contains(f.Remedy, "mount the disk") {
		t.Errorf("the failure: %+v", f)
	}
	if s := d.b.status()[0]; s.File != nil {
		t.Errorf("a good backup: %+v", s)
	}
	d.ok(os.Remove(away))
	d.b.hourly(t.Context())
	d.wants()
	s := d.b.status()[0]
	if all := d.files(s.Folder); len(all) != 1 || *s.File != all[0] || s.Event != 1 || time.Since(*s.At) > time.Minute {
		t.Errorf("with the disk back: %v, %+v", all, s)
	}
}

// TestBackupIsGone: a backup that somebody took away is made again.
func TestBackupIsGone(t *testing.T) {
	d := newDesk(t, config.Backup{Keep: 3})
	d.day()
	file := *d.b.status()[0].File
	d.b.hourly(t.Context())
	if d.log.Count("msg=backup ") != 1 {
		t.Errorf("an hour without news made a backup:\n%s", d.log)
	}
	d.ok(os.Remove(file))
	d.b.hourly(t.Context())
	if again := *d.b.status()[0].File; len(d.files(filepath.Dir(again))) != 1 {
		t.Errorf("it is still gone: %s", again)
	}
}

// TestStopIsChecked: what a stop wrote without a check is checked by the next
// daemon, once, and counts as good from then on.
func TestStopIsChecked(t *testing.T) {
	d := newDesk(t, config.Backup{Keep: 3})
	d.day()
	first := *d.b.status()[0].File
	addPerson(t, d.l, "zoe")
	d.b.atStop()
	d.restart(config.Backup{Keep: 3})
	if s := d.b.status()[0]; *s.File != first || s.Event != 1 {
		t.Errorf("after the stop the good one is %+v", s)
	}
	if all := d.files(filepath.Dir(first)); len(all) != 2 {
		t.Fatalf("after the stop there is %v", all)
	}
	d.backUp()
	second := d.b.status()[0]
	if *second.File == first || second.Event != 2 || d.log.Count("msg=backup ") != 1 {
		t.Errorf("checked: %+v\n%s", second, d.log)
	}
	d.restart(config.Backup{Keep: 3})
	d.backUp()
	if s := d.b.status()[0]; *s.File != *second.File || !s.At.Equal(*second.At) {
		t.Errorf("checked twice: %+v, %+v", s, second)
	}
	// Notes that nobody can read are made anew.
	d.ok(os.WriteFile(filepath.Join(d.dir, "backup.json"), []byte("{"), 0o600))
	d.restart(config.Backup{Keep: 3})
	if s := d.b.status()[0]; s.File != nil {
		t.Errorf("from bad notes: %+v", s)
	}
	d.backUp()
	if s := d.b.status()[0]; *s.File != *second.File {
		t.Errorf("after bad notes: %+v", s)
	}
}

// TestBackupsOfOthersAreTold once, and are left alone.
func TestBackupsOfOthersAreTold(t *testing.T) {
	dir := t.TempDir()
	other := newDesk(t, config.Backup{Keep: 3, Dir: dir})
	for range 5 {
		other.day()
	}
	d := newDesk(t, config.Backup{Keep: 2, Dir: dir})
	for range 4 {
		d.day()
	}
	if s := d.b.status()[0]; s.Others != 3 || len(d.files(dir)) != 5 {
		t.Errorf("%+v; there is %v", s, d.files(dir))
	}
	if n := d.log.Count("another ledger's; they are left alone"); n != 1 {
		t.Errorf("told %d times", n)
	}
	d.wants()
}

// TestBackupAlso has a second folder on another disk, which comes and goes.
func TestBackupAlso(t *testing.T) {
	usb, err := os.MkdirTemp("/dev/shm", "st")
	testkit.Need(t, err == nil, fmt.Sprint("another file system than the temporary folder's: ", err))
	t.Cleanup(func() { os.RemoveAll(usb) })
	out := filepath.Join(t.TempDir(), "out")
	cfg := config.Backup{Keep: 2, Also: filepath.Join(usb, "stump"), Run: []string{"sh", "-c", `echo "$1 $2" >>"$0"`, out, "{file}", "as {name}"}}
	d := newDesk(t, cfg)
	d.day()
	d.wants("no-backup")
	if f := d.b.faults()[0]; !strings.Contains(f.Text, "no such file") || !strings.HasPrefix(f.Remedy, "mount the disk, and make the folder") {
		t.Errorf("%+v", f)
	}
	d.ok(os.Mkdir(cfg.Also, 0o700))
	d.b.hourly(t.Context())
	d.wants()
	d.day()
	for _, s := range d.b.status() {
		if all := d.files(s.Folder); len(all) == 0 || s.Event != 2 {
			t.Errorf("%+v: %v", s, all)
		}
	}
	// The command takes each good backup once.
	raw, err := os.ReadFile(out)
	d.ok(err)
	lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
	if want := *d.b.status()[0].File; len(lines) != 2 || lines[1] != want+" as "+filepath.Base(want) {
		t.Errorf("the command was run with %q", lines)
	}
}

// TestBackupCommandFails is told, and tried again with the next backup, also by
// the next daemon.
func TestBackupCommandFails(t *testing.T) {
	flag := filepath.Join(t.TempDir(), "remote")
	cfg := config.Backup{Keep: 2, Run: []string{"sh", "-c", `printf '\033[1mno route\033[0m'; test -e "$0"`, flag}}
	d := newDesk(t, cfg)
	d.day()
	d.wants("backup-command")
	if f := d.b.faults()[0]; !strings.Contains(f.Text, "exit status 1") {
		t.Errorf("%+v", f)
	}
	if !strings.Contains(d.log.String(), `output="no route"`) {
		t.Errorf("the log:\n%s", d.log)
	}
	d.ok(os.WriteFile(flag, nil, 0o600))
	d.restart(cfg)
	d.backUp()
	d.wants()
	if d.log.Count("succeeded") != 1 {
		t.Errorf("the log:\n%s", d.log)
	}
	d.restart(cfg)
	d.backUp()
	if d.log.Count("succeeded") != 1 {
		t.Errorf("the same backup is taken twice:\n%s", d.log)
	}
	d.ok(os.Remove(flag))
	d.day()
	d.wants("backup-command")
	d.b.limit, d.b.command = 50*time.Millisecond, []string{"sleep", "100"}
	d.day()
	if f := d.b.faults()[0]; !strings.Contains(f.Text, "it was killed after 50ms") {
		t.Errorf("%+v", f)
	}
}

// TestStopDuringCommand ends it at once, and calls that no failure.
func TestStopDuringCommand(t *testing.T) {
	d := newDesk(t, config.Backup{Keep: 2, Run: []string{"sh", "-c", "sleep 100; true"}})
	addPerson(t, d.l, "ann")
	d.b.daily(t.Context())
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		d.b.runCommands(ctx)
		close(ended)
	}()
	time.Sleep(100 * time.Millisecond)
	begin := time.Now()
	stop()
	<-ended
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("the stop took %v", took)
	}
	d.wants()
}

func TestBackupsOff(t *testing.T) {
	d := newDesk(t, config.Backup{})
	d.day()
	d.b.atStop()
	if s := d.b.status(); len(s) != 0 || s == nil {
		t.Errorf("%+v", s)
	}
	if _, err := os.Stat(filepath.Join(d.dir, "backups")); err == nil {
		t.Error("there are backups")
	}
	var _ []wire.Backup = d.b.status()
}
