package bookcmd

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"stump/checkout"
	"stump/internal/api/client"
	"stump/internal/api/wire"
	"stump/internal/command"
	"stump/internal/count"
	"stump/internal/hint"
)

// shelf is what the commands about people and those about devices differ in.
type shelf struct {
	list, one  string
	flags      [][2]string // of add and edit, with their help
	more       [][2]string // of edit alone
	changes    string      // what edit changes
	edit       string      // what edit says of statuses
	statuses   string
	columns    string // of a CSV file
	optional   string // further ones
	exportHelp string // what export says of tags and statuses
}

var people = shelf{
	list: "people", one: "person",
	flags: [][2]string{{"email", "e-mail `address`"}, {"badge", "the badge's `credential`, such as H10301:84:31066"},
		{"groups", "the `groups` that the person is in, such as 'trained, crew'"},
		{"language", "the `language` of mails to the person: de, en, es or fr; '' is the station's"}},
	changes: "name, e-mail, badges, groups, language or status",
	edit: `Who is
suspended or retired takes nothing; --status active ends that. --badge takes the place of the
first badge, which then no longer works; --add-badge adds one. A lost badge is refused until
--found-badge. Both take the credential, or the end of its number as "people list"
shows it. --groups takes the place of all groups but those that the directory says.`,
	more:     [][2]string{{"add-badge", "another badge's `credential`"}, {"lost-badge", "a `badge` that was lost"}, {"found-badge", "a lost or replaced `badge` that is there again"}},
	statuses: "active, suspended or retired",
	columns:  "id,name,email,badge",
	optional: "groups, language and status",
	exportHelp: `The badge column is empty, since badge numbers are not
kept in the clear; an import with an empty badge keeps the one that is there. Columns for
groups, a language and a status are added if somebody is in a group, has a language, or is
suspended or retired.`,
}

var devices = shelf{
	list: "devices", one: "device",
	flags: [][2]string{{"tag", "the tag's `credential`, such as H10301:200:17"}, {"kind", "`kind` of device, such as tablet"},
		{"kit", "the `device` that it is a part of; \"none\" takes it out"},
		{"serial", "serial `number`"}, {"place", "`where` it stands while it is free"}, {"note", "what else is to be known, in `words`"},
		{"link", "the `address` of its page where assets are managed"}, {"out-until", "out of service until this `day`, such as friday"},
		{"condition", "`state`: ok, damaged or incomplete, and words"}},
	changes: "name, tag, kind, kit, details or status",
	edit: `What is retired is
not lent; --status active ends that, and finds what was lost. What is out of service
is lent again on that day, or with --out-until ''. "devices list --repair" has
both, and what is damaged.`,
	statuses: "active or retired",
	columns:  "id,name,tag,kind",
	optional: "kit, serial, place, note,\nlink, out_until, condition, person, since, due and status",
	exportHelp: `The tag column is filled where the number is kept; an
import with an empty tag keeps the one that is there. Columns for kits, serial numbers,
places, notes, links, conditions, the end of a repair and a status are added if a device has one.`,
}

func peopleCmd(b *Books) *cobra.Command {
	cmd := people.command(b)
	cmd.AddCommand(showPersonCmd(b), mergeCmd(b), eraseCmd(b), dossierCmd(b), listCmd(b, people, []string{"ID", "NAME", "EMAIL", "BADGE", "STATUS"}, func(p *wire.Person) []string {
		return []string{p.ID, command.Text(p.Name), command.Text(p.Email), command.Text(p.Badge), p.Status}
	}, "nobody is in the register", ""))
	return cmd
}

func devicesCmd(b *Books) *cobra.Command {
	cmd := devices.command(b)
	cmd.AddCommand(showDeviceCmd(b), correctCmd(b, "lost", "Say that a device can't be found; nobody has it any more"),
		correctCmd(b, "found", "Say that a lost device is there again"),
		listCmd(b, devices, []string{"ID", "NAME", "KIND", "TAG", "STATUS", "WITH"}, func(d *wire.Device) []string {
			return []string{d.ID, command.Text(d.Name), command.Text(d.Kind), command.Text(d.Tag), d.Status, command.Text(d.Person)}
		}, "no device is in the register", "only what is damaged, incomplete or out of service"))
	return cmd
}

// command returns the command with all that both have below it but list.
func (s shelf) command(b *Books) *cobra.Command {
	cmd := &cobra.Command{Use: s.list, Short: "The register of " + s.list}
	cmd.AddCommand(s.addCmd(b), s.editCmd(b), s.retireCmd(b), s.importCmd(b), s.exportCmd(b))
	return cmd
}

func listCmd[P any](b *Books, s shelf, columns []string, cells func(P) []string, empty, repair string) *cobra.Command {
	var f command.Format
	var broken bool
	cmd := command.New("list", "List the "+s.list, func(cmd *cobra.Command, _ []string) error {
		if broken {
			return listRepair(cmd, b, f)
		}
		return List(cmd, b, s.list, nil, f, columns, cells, empty)
	})
	if repair != "" {
		cmd.Flags().BoolVar(&broken, "repair", false, repair)
	}
	cmd.SuggestFor = []string{"ls"}
	f.Flags(cmd)
	return cmd
}

func (s shelf) addCmd(b *Books) *cobra.Command {
	cmd := command.New("add NAME", "Add a "+s.one, func(cmd *cobra.Command, args []string) error {
		change, err := s.given(cmd, "id")
		if err != nil {
			return err
		}
		change["name"] = args[0]
		return changed(cmd, b, "POST", s.list, change, func(o outcome) string { return "added " + o.ID })
	})
	cmd.Flags().String("id", "", "a lasting `id` (default made from the name)")
	addFlags(cmd, s.flags)
	return cmd
}

func (s shelf) editCmd(b *Books) *cobra.Command {
	cmd := command.New("edit "+strings.ToUpper(s.one), "Change a "+s.one+"'s "+s.changes, func(cmd *cobra.Command, args []string) error {
		change, err := s.given(cmd)
		if err != nil {
			return err
		}
		if len(change) == 0 {
			return command.Misuse("give at least one of --"+strings.Join(s.names(), ", --"), "nothing to change")
		}
		return changed(cmd, b, "PATCH", s.path(args[0]), change, func(o outcome) string { return "changed " + o.ID })
	})
	cmd.Long = cmd.Short + ". " + s.edit
	// what people call a change, and the way back from retired
	cmd.SuggestFor = []string{"change", "rename", "set", "update", "suspend", "activate", "reactivate", "reinstate", "restore", "unretire", "unsuspend"}
	cmd.Flags().String("name", "", "new `name`")
	cmd.Flags().String("status", "", s.statuses)
	addFlags(cmd, s.flags)
	addFlags(cmd, s.more)
	return cmd
}

func addFlags(cmd *cobra.Command, flags [][2]string) {
	for _, f := range flags {
		cmd.Flags().String(f[0], "", f[1])
	}
}

// path is the route of one person or device.
func (s shelf) path(ref string) string { return s.list + "/" + client.Ref(ref) }

// names are all flags that say what changes.
func (s shelf) names() []string {
	all := []string{"name", s.flags[0][0], s.flags[1][0], "status"}
	for _, f := range slices.Concat(s.flags[2:], s.more) {
		all = append(all, f[0])
	}
	return all
}

// given has the values of the flags that were set, an empty one too: it clears.
func (s shelf) given(cmd *cobra.Command, more ...string) (change map[string]any, err error) {
	change = map[string]any{}
	for _, name := range append(s.names(), more...) {
		f := cmd.Flag(name)
		if f == nil || !f.Changed {
			continue
		}
		var value any = f.Value.String()
		switch name {
		case "kit":
			if value == "none" {
				value = ""
			}
		case "groups":
			value = append([]string{}, checkout.ParseGroups(f.Value.String()).Names()...)
		case "out-until":
			t, err := command.OptionalTime("--out-until", f.Value.String(), command.FromNow)
			if err != nil {
				return nil, err
			}
			value = ""
			if t != nil {
				value = checkout.DayOf(t.Local())
			}
		}
		change[strings.ReplaceAll(name, "-", "_")] = value
	}
	return change, nil
}

// listRepair lists what somebody must see to.
func listRepair(cmd *cobra.Command, b *Books, f command.Format) error {
	return List(cmd, b, devices.list, query("repair", "true"), f, []string{"ID", "NAME", "CONDITION", "OUT UNTIL", "PLACE", "WITH"}, func(d *wire.Device) []string {
		return []string{d.ID, command.Text(d.Name), orEmpty(d.Condition), orEmpty(d.Out), orEmpty(d.Place), command.Text(d.Person)}
	}, "nothing needs repair")
}

func (s shelf) retireCmd(b *Books) *cobra.Command {
	arg := strings.ToUpper(s.one)
	cmd := command.New("retire "+arg, "Take out of service; the history stays", func(cmd *cobra.Command, args []string) error {
		return changed(cmd, b, "POST", s.path(args[0])+"/retire", nil, func(o outcome) string { return "retired " + o.ID })
	})
	cmd.SuggestFor = []string{"remove", "delete", "rm"}
	cmd.Long = cmd.Short + ". The way back is `" + s.list + " edit " + arg + " --status active`."
	return cmd
}

func (s shelf) exportCmd(b *Books) *cobra.Command {
	cmd := command.New("export", "Print as CSV", func(cmd *cobra.Command, _ []string) error {
		return b.download(cmd, s.list+"/export")
	})
	cmd.Long = "The CSV can be imported again. " + s.exportHelp
	return cmd
}

func eraseCmd(b *Books) *cobra.Command {
	var yes bool
	cmd := command.New("erase PERSON", "Erase all that is personal about somebody", func(cmd *cobra.Command, args []string) error {
		if !yes {
			return wouldErase(cmd, b, args[0])
		}
		if err := b.Ask(cmd, MayWrite, "POST", people.path(args[0])+"/erase", nil, nil); err != nil {
			return err
		}
		_, err := fmt.Fprintln(cmd.OutOrStdout(), "erased "+args[0])
		return err
	})
	cmd.Long = `Erase a person from the register and from the history. Without --yes it only says
what would be erased. Their devices must be back. The devices' history stays, and the
chain of events still verifies. It can't be undone; backups made before keep what they
have until they are rotated away.`
	cmd.Flags().BoolVar(&yes, "yes", false, "do it")
	return cmd
}

// wouldErase says what erasing somebody would take away.
func wouldErase(cmd *cobra.Command, b *Books, person string) error {
	var d struct {
		Person        wire.Person
		Loans         []wire.Who
		Events, Named []json.RawMessage
	}
	if err := b.Ask(cmd, MayRead, "GET", people.path(person)+"/dossier", nil, &d); err != nil {
		return err
	}
	if len(d.Loans) > 0 {
		var held []string
		for _, l := range d.Loans {
			held = append(held, command.Text(l.Device))
		}
		return hint.Errorf("have it returned, then erase", "%s still has %s", command.Text(d.Person.Name), strings.Join(held, ", "))
	}
	_, err := fmt.Fprintf(cmd.OutOrStdout(), `%s would be erased from the register and from %s; it can't be undone
nothing was changed; look with "%s people dossier %s"; add --yes to do it
`, command.Text(d.Person.Name), count.Of(len(d.Events)+len(d.Named), "event"), cmd.Root().Name(), d.Person.ID)
	return err
}

func dossierCmd(b *Books) *cobra.Command {
	return command.New("dossier PERSON", "Print all that is held about somebody, as JSON", func(cmd *cobra.Command, args []string) error {
		var dossier json.RawMessage
		if err := b.Ask(cmd, MayRead, "GET", people.path(args[0])+"/dossier", nil, &dossier); err != nil {
			return err
		}
		enc := json.NewEncoder(cmd.OutOrStdout())
		enc.SetIndent("", "  ")
		return enc.Encode(dossier)
	})
}
