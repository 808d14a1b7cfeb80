package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"stump/internal/api"
	"stump/internal/count"
	"stump/internal/hint"
)

func peopleCmd(g *globals) *cobra.Command {
	cmd := &cobra.Command{Use: "people", Short: "The register of people"}
	var f format
	list := &cobra.Command{
		Use: "list", SuggestFor: []string{"ls", "show"}, Short: "List the people", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return list(cmd, g, "people", nil, f, []string{"ID", "NAME", "EMAIL", "BADGE", "STATUS"}, func(p api.Person) []string {
				return []string{p.ID, text(p.Name), text(p.Email), text(p.Badge), p.Status}
			}, "nobody is in the register")
		},
	}
	f.flags(list)
	var id, name, email, badge, status string
	add := &cobra.Command{
		Use: "add NAME", Short: "Add a person", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			change := api.PersonChange{Name: &args[0], ID: given(cmd, "id", &id), Email: given(cmd, "email", &email), Badge: given(cmd, "badge", &badge)}
			return changed[api.Person](cmd, g, "POST", "people", change, func(p api.Person) string { return "added " + p.ID })
		},
	}
	add.Flags().StringVar(&id, "id", "", "a lasting `id` (default made from the name)")
	edit := &cobra.Command{
		Use: "edit PERSON", SuggestFor: editWords, Short: "Change a person's name, e-mail, badge or status", Args: cobra.ExactArgs(1),
		Long: "Change a person's name, e-mail, badge or status. Who is suspended or retired takes nothing;\n--status active ends that.",
		RunE: func(cmd *cobra.Command, args []string) error {
			change := api.PersonChange{
				Name: given(cmd, "name", &name), Email: given(cmd, "email", &email),
				Badge: given(cmd, "badge", &badge), Status: given(cmd, "status", &status),
			}
			if change == (api.PersonChange{}) {
				return usageError{hint.Errorf("give at least one of --name, --email, --badge, --status", "nothing to change")}
			}
			return changed[api.Person](cmd, g, "PATCH", "people/"+api.Ref(args[0]), change, func(p api.Person) string { return "changed " + p.ID })
		},
	}
	edit.Flags().StringVar(&name, "name", "", "new `name`")
	edit.Flags().StringVar(&status, "status", "", "active, suspended or retired")
	for _, c := range []*cobra.Command{add, edit} {
		c.Flags().StringVar(&email, "email", "", "e-mail `address`")
		c.Flags().StringVar(&badge, "badge", "", "the badge's `credential`, such as H10301:84:31066")
	}
	cmd.AddCommand(list, add, edit, retireCmd(g, "people", "PERSON"), importCmd(g, "people"), exportCmd(g, "people"),
		eraseCmd(g), dossierCmd(g))
	return cmd
}

func devicesCmd(g *globals) *cobra.Command {
	cmd := &cobra.Command{Use: "devices", Short: "The register of devices"}
	var f format
	list := &cobra.Command{
		Use: "list", SuggestFor: []string{"ls", "show"}, Short: "List the devices", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return list(cmd, g, "devices", nil, f, []string{"ID", "NAME", "KIND", "TAG", "STATUS", "WITH"}, func(d api.Device) []string {
				return []string{d.ID, text(d.Name), text(d.Kind), text(d.Tag), d.Status, text(d.Person)}
			}, "no device is in the register")
		},
	}
	f.flags(list)
	var id, name, tag, kind, status string
	add := &cobra.Command{
		Use: "add NAME", Short: "Add a device", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			change := api.DeviceChange{Name: &args[0], ID: given(cmd, "id", &id), Tag: given(cmd, "tag", &tag), Kind: given(cmd, "kind", &kind)}
			return changed[api.Device](cmd, g, "POST", "devices", change, func(d api.Device) string { return "added " + d.ID })
		},
	}
	add.Flags().StringVar(&id, "id", "", "a lasting `id` (default made from the name)")
	edit := &cobra.Command{
		Use: "edit DEVICE", SuggestFor: editWords, Short: "Change a device's name, tag, kind or status", Args: cobra.ExactArgs(1),
		Long: "Change a device's name, tag, kind or status. What is retired is not lent; --status active\nends that, and finds what was lost.",
		RunE: func(cmd *cobra.Command, args []string) error {
			change := api.DeviceChange{
				Name: given(cmd, "name", &name), Tag: given(cmd, "tag", &tag),
				Kind: given(cmd, "kind", &kind), Status: given(cmd, "status", &status),
			}
			if change == (api.DeviceChange{}) {
				return usageError{hint.Errorf("give at least one of --name, --tag, --kind, --status", "nothing to change")}
			}
			return changed[api.Device](cmd, g, "PATCH", "devices/"+api.Ref(args[0]), change, func(d api.Device) string { return "changed " + d.ID })
		},
	}
	edit.Flags().StringVar(&name, "name", "", "new `name`")
	edit.Flags().StringVar(&status, "status", "", "active or retired")
	for _, c := range []*cobra.Command{add, edit} {
		c.Flags().StringVar(&tag, "tag", "", "the tag's `credential`, such as H10301:200:17")
		c.Flags().StringVar(&kind, "kind", "", "`kind` of device, such as tablet")
	}
	cmd.AddCommand(list, add, edit, retireCmd(g, "devices", "DEVICE"), importCmd(g, "devices"), exportCmd(g, "devices"),
		correctCmd(g, "lost", "Say that a device can't be found; nobody has it any more"),
		correctCmd(g, "found", "Say that a lost device is there again"))
	return cmd
}

// editWords are what people call a change, and the way back from retired.
var editWords = []string{"change", "rename", "set", "update", "suspend", "activate", "reactivate", "reinstate", "restore", "unretire", "unsuspend"}

// given is the flag's value if it was set: an empty one clears, an unset one
// leaves alone.
func given(cmd *cobra.Command, flag string, value *string) *string {
	if !cmd.Flags().Changed(flag) {
		return nil
	}
	return value
}

// changed sends a change and says what came of it.
func changed[T any](cmd *cobra.Command, g *globals, method, path string, in any, say func(T) string) error {
	c, done, err := g.connect(cmd.Context(), mayWrite)
	if err != nil {
		return err
	}
	defer done()
	var answer json.RawMessage
	if err := c.Do(cmd.Context(), method, path, in, &answer); err != nil {
		return err
	}
	var out T
	var strange api.Warning
	if err := errors.Join(json.Unmarshal(answer, &out), json.Unmarshal(answer, &strange)); err != nil {
		return err
	}
	warn(cmd, strange)
	if s := say(out); s != "" {
		fmt.Fprintln(cmd.OutOrStdout(), s)
	}
	return nil
}

// warn says what is strange about a change that was made.
func warn(cmd *cobra.Command, w api.Warning) {
	if w.Warning != nil {
		fmt.Fprintln(cmd.ErrOrStderr(), "note: "+*w.Warning)
	}
}

func retireCmd(g *globals, what, arg string) *cobra.Command {
	return &cobra.Command{
		Use: "retire " + arg, SuggestFor: []string{"remove", "delete", "rm"}, Short: "Take out of service; the history stays", Args: cobra.ExactArgs(1),
		Long: "Take out of service; the history stays. The way back is `stump " + what + " edit " + arg + " --status active`.",
		RunE: func(cmd *cobra.Command, args []string) error {
			return changed(cmd, g, "POST", what+"/"+api.Ref(args[0])+"/retire", nil, func(gone struct{ ID string }) string { return "retired " + gone.ID })
		},
	}
}

func importCmd(g *globals, what string) *cobra.Command {
	columns := map[string]string{"people": "id,name,email,badge", "devices": "id,name,tag,kind"}[what]
	return &cobra.Command{
		Use: "import FILE|-", Short: "Add and change from CSV with the columns " + columns, Args: cobra.ExactArgs(1),
		Long: "Import adds the rows whose id is new and changes the others. It is all or nothing:\none bad line, and the register stays as it was. Columns are found by the header:\n" + columns +
			"\nand status, which an export adds if somebody or something is not active. What a missing\ncolumn would say stays as it is.",
		RunE: func(cmd *cobra.Command, args []string) error {
			var in io.Reader = cmd.InOrStdin()
			if args[0] != "-" {
				f, err := os.Open(args[0])
				if err != nil {
					return hint.Wrap(err, "name a CSV file, or - for standard input")
				}
				defer f.Close()
				in = f
			}
			csv, err := io.ReadAll(in)
			if err != nil {
				return hint.Wrap(err, "name a CSV file, or - for standard input")
			}
			c, done, err := g.connect(cmd.Context(), mayWrite)
			if err != nil {
				return err
			}
			defer done()
			answer, err := c.Stream(cmd.Context(), "POST", what+"/import", nil, bytes.NewReader(csv))
			if err != nil {
				return err
			}
			defer answer.Close()
			var n api.Imported
			if err := decodeJSON(answer, &n); err != nil {
				return err
			}
			warn(cmd, n.Warning)
			fmt.Fprintf(cmd.OutOrStdout(), "imported %s: %d added, %d changed, %d unchanged\n", count.Of(n.Rows, "row"), n.Added, n.Changed, n.Unchanged)
			return nil
		},
	}
}

func exportCmd(g *globals, what string) *cobra.Command {
	long := "The CSV can be imported again. The tag column is filled where the number is kept; an\nimport with an empty tag keeps the one that is there. A status column is added if a\ndevice is lost or retired."
	if what == "people" {
		long = "The CSV can be imported again. The badge column is empty, since badge numbers are not\nkept in the clear; an import with an empty badge keeps the one that is there. A status\ncolumn is added if somebody is suspended or retired."
	}
	return &cobra.Command{
		Use: "export", Short: "Print as CSV", Long: long, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, done, err := g.connect(cmd.Context(), mayRead)
			if err != nil {
				return err
			}
			defer done()
			answer, err := c.Stream(cmd.Context(), "GET", what+"/export", nil, nil)
			if err != nil {
				return err
			}
			defer answer.Close()
			_, err = io.Copy(cmd.OutOrStdout(), answer)
			return err
		},
	}
}
