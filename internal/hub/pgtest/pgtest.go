// Package pgtest starts a PostgreSQL of its own for the tests of a package: of the programs
// that the distribution has, in a folder that goes with the tests, at a unix socket alone.
// Each test has a database of its own, copied from one that has the tables already.
package pgtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"stump/internal/testkit"
)

// Server is a PostgreSQL that runs.
type Server struct {
	dir  string // what it has, and its socket
	bin  string
	sync bool
	cmd  *exec.Cmd
	done chan struct{}

	once     sync.Once
	template string
	failed   error
	last     atomic.Int64
}

// Main runs the tests of a package, and stops the server that they share. For TestMain.
func Main(m *testing.M) {
	code := m.Run()
	if shared != nil {
		shared.Remove()
	}
	os.Exit(code)
}

var (
	sharedOnce sync.Once
	shared     *Server
	sharedErr  error
)

// Shared is the server that all tests of a package share. It does not wait for the disk.
func Shared(tb testing.TB) *Server {
	tb.Helper()
	sharedOnce.Do(func() { shared, sharedErr = Start(false) })
	return need(tb, shared, sharedErr)
}

// Own is a server for one test, which may kill it. It waits for the disk as a real one does.
func Own(tb testing.TB) *Server {
	tb.Helper()
	s, err := Start(true)
	need(tb, s, err)
	tb.Cleanup(s.Remove)
	return s
}

func need(tb testing.TB, s *Server, err error) *Server {
	tb.Helper()
	testkit.Need(tb, !errors.Is(err, errMissing), fmt.Sprint("PostgreSQL: ", err))
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

var errMissing = errors.New("no /usr/lib/postgresql/*/bin/postgres (scripts/setup installs it)")

// Start makes a server and starts it. sync: it waits for the disk.
func Start(sync bool) (*Server, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if len(found) == 0 {
		return nil, errMissing
	}
	slices.SortFunc(found, func(a, b string) int { return len(a) - len(b) })
	dir, err := os.MkdirTemp("", "pg") // the socket's path must be short
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, bin: filepath.Dir(found[len(found)-1]), sync: sync}
	if err := s.prepare(); err != nil {
		s.Remove()
		return nil, err
	}
	if err := s.Run(); err != nil {
		s.Remove()
		return nil, err
	}
	return s, nil
}

// prepare makes an empty cluster.
func (s *Server) prepare() error {
	if os.Geteuid() == 0 {
		u, err := user.Lookup("postgres")
		if err != nil {
			return fmt.Errorf("%w: %v", errMissing, err)
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		if err := errors.Join(os.Chmod(s.dir, 0o755), os.Chown(s.dir, uid, gid)); err != nil {
			return err
		}
	}
	out, err := s.command("initdb", "--pgdata", s.data(), "--username", "stump", "--auth", "trust", "--encoding", "UTF8", "--no-locale", "--no-sync").CombinedOutput()
	if err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return nil
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// command is a program of PostgreSQL, which none of them runs as root.
func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.bin, name), args...)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "LC_ALL=C", "TZ=UTC")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if os.Geteuid() == 0 {
		info, err := os.Stat(s.dir)
		if st, ok := info.Sys().(*syscall.Stat_t); err == nil && ok {
			cmd.SysProcAttr.Credential = &syscall.Credential{Uid: st.Uid, Gid: st.Gid}
		}
	}
	return cmd
}

// Run starts a server that was stopped or killed, and waits until it answers.
func (s *Server) Run() error {
	flags := []string{"-D", s.data(), "-k", s.dir, "-c", "listen_addresses=", "-c", "max_connections=100", "-c", "shared_buffers=32MB", "-c", "unix_socket_permissions=0777"}
	if !s.sync {
		flags = append(flags, "-c", "fsync=off", "-c", "full_page_writes=off")
	}
	cmd := s.command("postgres", flags...)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	// It ends with the tests, however these end. The kernel goes by the thread that began it.
	cmd.SysProcAttr.Pdeathsig = syscall.SIGQUIT
	began := make(chan error, 1)
	done := make(chan struct{})
	go func() {
		runtime.LockOSThread()
		err := cmd.Start()
		began <- err
		if err == nil {
			_ = cmd.Wait()
			close(done)
		}
	}()
	if err := <-began; err != nil {
		return err
	}
	s.cmd, s.done = cmd, done
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		err := s.try()
		select {
		case <-done:
			return fmt.Errorf("postgres ended at once:\n%s", log.String())
		default:
		}
		if err == nil {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("postgres does not answer: %w", err)
		}
	}
}

func (s *Server) try() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}

// URL is where a database is.
func (s *Server) URL(database string) string {
	return fmt.Sprintf("postgres:///%s?host=%s&user=stump", database, s.dir)
}

// Kill kills the server and all its processes, as a power cut would.
func (s *Server) Kill() {
	for _, pid := range append(children(s.cmd.Process.Pid), s.cmd.Process.Pid) {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	<-s.done
}

// children are the processes that a process has begun.
func children(pid int) (all []int) {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	for _, word := range strings.Fields(string(b)) {
		if child, err := strconv.Atoi(word); err == nil {
			all = append(all, child)
		}
	}
	return all
}

// Stop stops the server in order.
func (s *Server) Stop() {
	_ = s.cmd.Process.Signal(syscall.SIGINT)
	<-s.done
}

// Remove stops the server and removes all that it has.
func (s *Server) Remove() {
	if s.cmd != nil {
		_ = s.cmd.Process.Signal(syscall.SIGQUIT)
		<-s.done
	}
	os.RemoveAll(s.dir)
}

// Exec runs SQL in a database.
func (s *Server) Exec(database, sql string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.URL(database))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, sql)
	return err
}

// Database returns the address of a new database. The first time, prepare makes its tables;
// later ones are copies of that one.
func (s *Server) Database(tb testing.TB, prepare func(url string) error) string {
	tb.Helper()
	s.once.Do(func() {
		s.template = "template_stump"
		if s.failed = s.Exec("postgres", "create database "+s.template); s.failed == nil {
			s.failed = prepare(s.URL(s.template))
		}
	})
	if s.failed != nil {
		tb.Fatal(s.failed)
	}
	return s.Copy(tb, s.template)
}

// Copy returns the address of a new database that is a copy of another.
func (s *Server) Copy(tb testing.TB, of string) string {
	tb.Helper()
	name := fmt.Sprintf("test_%d", s.last.Add(1))
	if err := s.Exec("postgres", "create database "+name+" template "+of); err != nil {
		tb.Fatal(err)
	}
	return s.URL(name)
}
