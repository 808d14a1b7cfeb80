// Package store keeps labs in PostgreSQL, or in a distributed engine that speaks its
// protocol. Any number of hubs may use one database: all that must not happen twice happens
// under the lock on the row of a lab, and a hub keeps nothing that another one needs.
//
// The statements keep to what CockroachDB, YugabyteDB and Citus have, too: no LISTEN and
// NOTIFY, no advisory locks, no sequences. Transactions that these engines break off (40001)
// are made again.
package store

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"golang.org/x/sync/singleflight"

	"stump/internal/hint"
)

//go:embed schema/*.sql
var schema embed.FS

// Store is the database. It is safe for concurrent use.
type Store struct {
	pool *pgxpool.Pool
	log  *slog.Logger
	keys func(lab string) (func(person string) []byte, error)
	end  context.CancelFunc
	done sync.WaitGroup

	leaseTime     time.Duration
	testOnlyClock func() time.Time // nil: the database's

	asking  singleflight.Group // for changes
	arrived arrivals

	mu    sync.Mutex
	queue queue
	labs  map[int64]*desk
	known map[[32]byte]known // tokens, for a while
	asked map[place]asked    // what stations have asked, until it is written
}

// Options are what a store can be told.
type Options struct {
	URL string       // of the database, or key=value words
	Log *slog.Logger // nil is silent
	// Whose returns what makes of the id of a person what stands for it in the event of its
	// erasure, under the site key of a lab. Where it is nil, stations' erasures stay theirs.
	Whose func(lab string) (func(person string) []byte, error)
	// Lease is how long a station has what it does for all without asking again; 2 min if zero.
	Lease time.Duration
}

// Open returns the store of a database, which is asked when something is wanted of it.
func Open(o Options) (*Store, error) {
	cfg, err := pgxpool.ParseConfig(o.URL)
	if err != nil {
		return nil, hint.Errorf(`write it as url = "postgres://user@host/database" in the table [database]`, "the database's address can't be read: %w", hideURL(err))
	}
	cfg.AfterConnect = setPlanner
	if !strings.Contains(o.URL, "pool_max_conns") {
		cfg.MaxConns = maxConns
	}
	pool, err := pgxpool.NewWithConfig(context.Background(), cfg)
	if err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	ctx, end := context.WithCancel(context.Background())
	s := &Store{pool: pool, log: o.Log, keys: o.Whose, leaseTime: cmp.Or(o.Lease, leaseTime), end: end, queue: queue{taking: map[int64]bool{}}, labs: map[int64]*desk{}, known: map[[32]byte]known{}, asked: map[place]asked{}}
	s.done.Go(func() { s.watch(ctx) })
	s.done.Go(func() { s.note(ctx) })
	return s, nil
}

// maxConns is how many connections a hub has, unless the address says pool_max_conns.
const maxConns = 16

// setPlanner is for a new connection. All statements find rows by their keys. To plan one
// anew for its values, as PostgreSQL does where it takes lists, costs more than to run it;
// and a plan that was made while a table was small must be good when it is large. An engine
// that lacks a setting plans as it does.
func setPlanner(ctx context.Context, conn *pgx.Conn) error {
	for _, set := range []string{"plan_cache_mode = force_generic_plan", "enable_seqscan = off", "enable_hashjoin = off", "enable_mergejoin = off", "jit = off"} {
		_, err := conn.Exec(ctx, "set "+set)
		if _, ofServer := errors.AsType[*pgconn.PgError](err); err != nil && !ofServer {
			return err
		}
	}
	return nil
}

// hideURL keeps a password out of an error.
func hideURL(err error) error {
	if parse, ok := errors.AsType[*pgconn.ParseConfigError](err); ok {
		if cause := parse.Unwrap(); cause != nil {
			return cause
		}
	}
	return err
}

// Close ends what is under way.
func (s *Store) Close() {
	s.end()
	s.done.Wait()
	s.pool.Close()
}

// Unreachable says that the database does not answer, with what to do.
func Unreachable(err error) error {
	if err == nil {
		return nil
	}
	if refused, ok := errors.AsType[*pgconn.PgError](err); ok && strings.HasPrefix(refused.Code, "28") {
		return hint.Errorf("run it as the user that the database knows: `sudo runuser -u stump-hub -- stump-hub …`; or is the url in the table [database] wrong?", "the database does not let this user in: %w", err)
	}
	return hint.Errorf("is PostgreSQL running, and is the url in the table [database] right? `stump-hub check` tells more", "%w: %w", ErrAway, err)
}

// ErrAway is the base of the error of a database that does not answer at all.
var ErrAway = errors.New("the database can't be reached")

// Away is err, as an ErrAway if the database did not answer.
func Away(err error) error {
	var connect *pgconn.ConnectError
	var network net.Error
	if errors.As(err, &connect) || errors.As(err, &network) || errors.Is(err, io.ErrUnexpectedEOF) || hasCode(err, "57P01", "57P02", "57P03") {
		return fmt.Errorf("%w: %w", ErrAway, err)
	}
	return err
}

// errSchema says that the tables are not those of this program.
var errSchema = errors.New("the tables of the database are not those of this version")

// provider is what makes the tables.
func (s *Store) provider() (*goose.Provider, *sql.DB, error) {
	dir, err := fs.Sub(schema, "schema")
	if err != nil {
		return nil, nil, err
	}
	db := stdlib.OpenDBFromPool(s.pool)
	p, err := goose.NewProvider(goose.DialectPostgres, db, dir, goose.WithTableName("stump_schema"))
	return p, db, err
}

// Migrate makes the tables, or changes those of an earlier version. It returns how many
// steps that took.
func (s *Store) Migrate(ctx context.Context) (steps int, err error) {
	if err := Unreachable(s.pool.Ping(ctx)); err != nil {
		return 0, err
	}
	p, db, err := s.provider()
	if err != nil {
		return 0, err
	}
	defer db.Close()
	all, err := p.Up(ctx)
	if err != nil {
		return len(all), hint.Errorf("may this user make tables in the database, and does no other hub do the same just now?", "the tables can't be made: %w", err)
	}
	return len(all), nil
}

// Health is what `check` tells of a database.
type Health struct {
	Server         string // its version
	Schema, Wanted int64  // the version of the tables, and that of this program
	Labs, Stations int64
}

// Check looks at the database. Its error says what is wrong and what to do.
func (s *Store) Check(ctx context.Context) (h Health, err error) {
	if err := s.pool.QueryRow(ctx, `select version()`).Scan(&h.Server); err != nil {
		return h, Unreachable(err)
	}
	p, db, err := s.provider()
	if err != nil {
		return h, err
	}
	defer db.Close()
	sources := p.ListSources()
	h.Wanted = sources[len(sources)-1].Version
	if err := s.pool.QueryRow(ctx, `select coalesce(max(version_id), 0) from stump_schema where is_applied`).Scan(&h.Schema); err != nil && !isUndefined(err) {
		return h, err
	}
	switch {
	case h.Schema < h.Wanted:
		return h, hint.Errorf("run `stump-hub migrate` (or `stump-hub setup`, the first time)", "%w: they are of version %d, and this program needs %d", errSchema, h.Schema, h.Wanted)
	case h.Schema > h.Wanted:
		return h, hint.Errorf("install the newer stump-hub here, too", "%w: they are of version %d, which is newer than %d", errSchema, h.Schema, h.Wanted)
	}
	err = s.pool.QueryRow(ctx, `select (select count(*) from lab), (select count(*) from station where token is not null)`).Scan(&h.Labs, &h.Stations)
	return h, err
}

func isUndefined(err error) bool { return hasCode(err, "42P01") }

// hasCode reports whether the database's error has one of these codes.
func hasCode(err error, codes ...string) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		for _, c := range codes {
			if pg.Code == c {
				return true
			}
		}
	}
	return false
}

// tries is how often a transaction is made before its error is returned.
const tries = 8

// again makes a transaction, and makes it again when the database has broken it off so that
// another could be made: 40001 is a distributed engine's everyday, 40P01 a deadlock.
func again(ctx context.Context, f func() error) (err error) {
	for try := range tries {
		if try > 0 {
			wait := time.Duration(rand.Int64N(int64(5*time.Millisecond) << try))
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-time.After(wait):
			}
		}
		if err = f(); !hasCode(err, "40001", "40P01") {
			return err
		}
	}
	return fmt.Errorf("after %d tries: %w", tries, err)
}

// tx runs f in a transaction.
func (s *Store) tx(ctx context.Context, o pgx.TxOptions, f func(pgx.Tx) error) error {
	return again(ctx, func() error { return pgx.BeginTxFunc(ctx, s.pool, o, f) })
}

// write is tx for what changes something.
func (s *Store) write(ctx context.Context, f func(pgx.Tx) error) error {
	return s.tx(ctx, pgx.TxOptions{}, f)
}

// read is tx for what sees one moment.
func (s *Store) read(ctx context.Context, f func(pgx.Tx) error) error {
	return s.tx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, f)
}

// digest is what the database has of a token.
func digest(token string) [32]byte { return sha256.Sum256([]byte(token)) }
