package bookcmd

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"stump/internal/api/client"
	"stump/internal/api/wire"
	"stump/internal/books"
	"stump/internal/command"
)

func reserveCmd(b *Books) *cobra.Command {
	var in wire.Reserve
	var from, to, weekly string
	var asJSON bool
	cmd := command.New("reserve DEVICE|KIND PERSON", "Reserve a device, or any of a kind, for a person", func(cmd *cobra.Command, args []string) (err error) {
		in.Person = args[1]
		for _, f := range []struct {
			name, typed string
			at          **time.Time
		}{{"--from", from, &in.From}, {"--to", to, &in.To}, {"--weekly-until", weekly, &in.Weekly}} {
			if *f.at, err = command.OptionalTime(f.name, f.typed, command.FromNow); err != nil {
				return err
			}
		}
		if in.Device, in.Kind, err = deviceOrKind(cmd, b, args[0]); err != nil {
			return err
		}
		var made books.ReservationJSON
		if err := b.Ask(cmd, MayWrite, "POST", "reservations", in, &made); err != nil {
			return err
		}
		if asJSON {
			return json.NewEncoder(cmd.OutOrStdout()).Encode(made)
		}
		_, err = fmt.Fprintln(cmd.OutOrStdout(), said(made, in.Weekly))
		return err
	})
	cmd.Long = "Reserve a device for a person, or any device of a kind, from a time until another. Without\n--from and --to the person is the next in the line: told when it is back, and it is kept for them."
	cmd.SuggestFor = []string{"book", "hold"}
	cmd.Flags().StringVar(&from, "from", "", "`when` it begins")
	cmd.Flags().StringVar(&to, "to", "", "`when` it is over")
	cmd.Flags().StringVar(&weekly, "weekly-until", "", "reserve it in each week after it, too, that begins before `then`")
	cmd.Flags().StringVar(&in.Note, "note", "", "what for, for the history")
	cmd.Flags().BoolVar(&asJSON, "json", false, "the reservation as one line of JSON")
	return cmd
}

// deviceOrKind is what a word reserves: the device that is called so, or a kind.
func deviceOrKind(cmd *cobra.Command, b *Books, word string) (device, kind string, err error) {
	err = b.Ask(cmd, MayRead, "GET", devices.path(word), nil, nil)
	var status *client.StatusError
	if errors.As(err, &status) && status.Code == wire.CodeNotFound {
		return "", word, nil
	}
	return word, "", err
}

// said is a reservation in one line.
func said(r books.ReservationJSON, weekly *time.Time) string {
	line := fmt.Sprintf("%s: %s for %s", r.ID, what(&r), command.Text(r.Person))
	if r.From == nil {
		return line + ", who is told when it is back"
	}
	line += fmt.Sprintf(", from %s to %s", command.When(r.From, true), command.When(r.To, true))
	if weekly != nil {
		line += ", and every week until " + command.When(weekly, true)
	}
	return line
}

// what is what is reserved: the device, or the kind.
func what(r *books.ReservationJSON) string {
	if r.DeviceID == nil {
		return "any " + command.Text(r.Kind)
	}
	return command.Text(r.Device)
}

func reservationsCmd(b *Books) *cobra.Command {
	var f command.Format
	var person, device, kind string
	cmd := command.New("reservations", "List what is reserved", func(cmd *cobra.Command, _ []string) error {
		q := query("person", person, "device", device, "kind", kind)
		return List(cmd, b, "reservations", q, f, []string{"ID", "WHAT", "PERSON", "FROM", "TO"}, func(r *books.ReservationJSON) []string {
			row := []string{r.ID, what(r), command.Text(r.Person), "next", ""}
			if r.From != nil {
				row[3], row[4] = command.When(r.From, true), command.When(r.To, true)
			}
			return row
		}, "nothing is reserved")
	})
	cmd.Long = "List what is reserved, in the order in which it begins. Who waits in the line comes first."
	cmd.SuggestFor = []string{"bookings", "holds"}
	f.Flags(cmd)
	cmd.Flags().StringVar(&person, "person", "", "only of this person (`name` or id)")
	cmd.Flags().StringVar(&device, "device", "", "only of this device (`name` or id)")
	cmd.Flags().StringVar(&kind, "kind", "", "only of any device of this `kind`")
	cmd.AddCommand(cancelCmd(b), freeCmd(b), feedCmd(b))
	return cmd
}

func cancelCmd(b *Books) *cobra.Command {
	return command.New("cancel ID...", "End reservations", func(cmd *cobra.Command, args []string) error {
		for _, id := range args {
			var out outcome
			if err := b.Ask(cmd, MayWrite, "DELETE", "reservations/"+url.PathEscape(id), nil, &out); err != nil {
				return err
			}
			if _, err := fmt.Fprintf(cmd.OutOrStdout(), "reservation %s has ended\n", id); err != nil {
				return err
			}
		}
		return nil
	})
}

func freeCmd(b *Books) *cobra.Command {
	var f command.Format
	var from, to, kind string
	cmd := command.New("free", "List what can be reserved for all of a time", func(cmd *cobra.Command, _ []string) error {
		q := query("kind", kind)
		for name, typed := range map[string]string{"from": from, "to": to} {
			at, err := command.OptionalTime("--"+name, typed, command.FromNow)
			if err != nil {
				return err
			}
			if at != nil {
				q.Set(name, at.Format(time.RFC3339))
			}
		}
		return List(cmd, b, "free", q, f, []string{"DEVICE", "ID", "KIND"}, func(d *wire.Free) []string {
			return []string{d.Device, d.DeviceID, command.Text(d.Kind)}
		}, "nothing is free for all of that")
	})
	cmd.Long = "List the devices that can be reserved for all of a time: for a day from --from, or from now on,\nif nothing else is said."
	f.Flags(cmd)
	cmd.Flags().StringVar(&from, "from", "", "`when` it begins")
	cmd.Flags().StringVar(&to, "to", "", "`when` it is over")
	cmd.Flags().StringVar(&kind, "kind", "", "only devices of this `kind`")
	return cmd
}

func feedCmd(b *Books) *cobra.Command {
	var in wire.NewFeed
	var revoke bool
	cmd := command.New("feed device|person|lab [NAME]", "Print the secret address of a calendar", func(cmd *cobra.Command, args []string) error {
		in.Of = args[0]
		if len(args) > 1 {
			in.Name = args[1]
		}
		if in.Of != "lab" && in.Name == "" {
			return command.Misuse("name it, as in `"+cmd.CommandPath()+" device ipad`", "whose calendar it is, is missing")
		}
		if revoke {
			if err := b.Ask(cmd, DaemonOnly, "DELETE", "feeds/"+client.Ref(in.Of)+"/"+client.Ref(cmp.Or(in.Name, "lab")), nil, nil); err != nil {
				return err
			}
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "the address of the calendar has ended")
			return err
		}
		var made wire.MadeFeed
		if err := b.Ask(cmd, DaemonOnly, "POST", "feeds", in, &made); err != nil {
			return err
		}
		fmt.Fprintln(cmd.ErrOrStderr(), "note: it is shown only now, and whoever has it reads the calendar; the one before has ended")
		_, err := fmt.Fprintln(cmd.OutOrStdout(), made.URL)
		return err
	})
	cmd.Long = `Print the address at which calendar programs read what is reserved of a device, for a person or
in the lab; of a person also when what they have is due. It is a secret: nobody logs in there.
A calendar has one address. The command makes a new one, and the one before ends.`
	cmd.SuggestFor = []string{"calendar", "ical"}
	cmd.Flags().StringVar(&in.Role, "role", "", "whose eyes it has: staff sees names, `board` what visitors see; default staff")
	cmd.Flags().BoolVar(&revoke, "revoke", false, "end the address, and print none")
	return cmd
}
