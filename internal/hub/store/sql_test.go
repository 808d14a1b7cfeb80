package store

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// lacks is what one of CockroachDB, YugabyteDB and Citus does not have, or not for what it
// would be used here.
var lacks = map[string]string{
	`\b(un)?listen\s+\w|\bnotify\s+\w|pg_notify`:            "LISTEN and NOTIFY",
	`pg_(try_)?advisory`:                                    "advisory locks",
	`\b(big|small)?serial\b|nextval|create sequence`:        "sequences: their numbers become visible out of order",
	`generated (always|by default) as identity`:             "sequences: their numbers become visible out of order",
	`create (or replace )?(function|procedure|trigger)`:     "code in the database",
	`create extension`:                                      "extensions",
	`\bxmin\b|\bctid\b|txid_|pg_current_xact`:               "what PostgreSQL knows of rows",
	`lock table|for (no key update|key share)|skip locked`:  "other locks than FOR UPDATE",
	`create temp|unlogged|inherits|partition by|tablespace`: "other tables",
	`\bmerge into\b`:                                        "MERGE",
	`exclude using|using gist|deferrable`:                   "other constraints than unique ones",
	`isolation level read uncommitted`:                      "READ UNCOMMITTED",
	`declare .* cursor`:                                     "cursors",
}

// TestSQL: no statement uses what a distributed engine lacks.
func TestSQL(t *testing.T) {
	var files []string
	for _, pattern := range []string{"*.go", "schema/*.sql"} {
		some, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, some...)
	}
	statements := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, sql := range sqlOf(file, string(b)) {
			statements++
			for pattern, what := range lacks {
				if found := regexp.MustCompile(`(?is)` + pattern).FindString(sql); found != "" {
					t.Errorf("%s: %q: a distributed engine lacks %s", file, found, what)
				}
			}
		}
	}
	if statements < 30 {
		t.Errorf("only %d statements were found", statements)
	}
	for pattern := range lacks {
		if regexp.MustCompile(`(?is)` + pattern).MatchString("select id from lab where id = $1 for update") {
			t.Errorf("%s finds too much", pattern)
		}
	}
	for _, sql := range []string{"listen lab", "select pg_advisory_lock(1)", "id bigserial primary key", "select 1 for update skip locked"} {
		if found := false; !found {
			for pattern := range lacks {
				found = found || regexp.MustCompile(`(?is)`+pattern).MatchString(sql)
			}
			if !found {
				t.Errorf("%q is not found", sql)
			}
		}
	}
}

var quotedSQL = regexp.MustCompile("(?s)`([^`]*)`")

// sqlOf are the statements in a file, without what only people read.
func sqlOf(file, text string) (all []string) {
	if strings.HasSuffix(file, ".sql") {
		text = regexp.MustCompile(`--[^\n]*`).ReplaceAllString(text, "")
		for s := range strings.SplitSeq(text, ";") {
			all = append(all, s)
		}
		return all
	}
	for _, m := range quotedSQL.FindAllStringSubmatch(text, -1) {
		if regexp.MustCompile(`(?i)\b(select|insert|update|delete|where)\b`).MatchString(m[1]) {
			all = append(all, m[1])
		}
	}
	return all
}
