package bookcmd

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"stump/internal/api/wire"
	"stump/internal/command"
	"stump/internal/count"
	"stump/internal/hint"
)

func (s shelf) importCmd(b *Books) *cobra.Command {
	var dryRun bool
	var mapped []string
	cmd := command.New("import FILE|-", "Add and change from CSV with the columns "+s.columns, func(cmd *cobra.Command, args []string) error {
		const remedy = "name a CSV file, or - for standard input"
		in, err := command.OpenInput(cmd, args[0])
		if err != nil {
			return hint.Wrap(err, remedy)
		}
		defer in.Close()
		csv := bufio.NewReader(in)
		if _, err := csv.Peek(1); err != nil && !errors.Is(err, io.EOF) {
			return hint.Wrap(err, remedy)
		}
		q := url.Values{"map": mapped}
		if dryRun {
			q.Set("dry_run", "true")
		}
		return b.Stream(cmd, MayWrite, "POST", s.list+"/import", q, csv, func(answer io.Reader) error {
			var n wire.Imported
			if err := json.NewDecoder(answer).Decode(&n); err != nil {
				return err
			}
			Warn(cmd, n.Warning)
			return printImported(cmd.OutOrStdout(), n, dryRun)
		})
	})
	cmd.Long = `Import adds the rows whose id is new and changes the others. It is all or nothing:
one bad line, and the register stays as it was; all bad lines are named. Columns are
found by the header: ` + s.columns + `, and if need be
` + s.optional + `. What a missing column would say stays as
it is. Commas, semicolons or tabs, UTF-8, UTF-16 or Latin-1, titles above the header and
empty rows and columns are read as what they are. --map '*=-' leaves out all columns that no
other --map names.`
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "say what would change, and change nothing")
	cmd.Flags().StringArrayVar(&mapped, "map", nil, "take a column of another name, such as `'Mail=email'`; may be repeated")
	return cmd
}

// printImported says what was imported, or would be.
func printImported(w io.Writer, n wire.Imported, dryRun bool) error {
	what := fmt.Sprintf("%s: %d added, %d changed, %d unchanged", count.Of(n.Rows, "row"), n.Added, n.Changed, n.Unchanged)
	if !dryRun {
		_, err := fmt.Fprintln(w, "imported "+what)
		return err
	}
	var b strings.Builder
	fmt.Fprintln(&b, "would import "+what)
	for _, c := range n.Changes {
		fmt.Fprintf(&b, "%s: %s\n", c.ID, command.Text(&c.What))
	}
	if more := n.Changed - len(n.Changes); more > 0 {
		fmt.Fprintf(&b, "and %s more\n", count.Of(more, "change"))
	}
	fmt.Fprintln(&b, "nothing was changed")
	_, err := io.WriteString(w, b.String())
	return err
}
