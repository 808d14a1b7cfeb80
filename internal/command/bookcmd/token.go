package bookcmd

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"stump/internal/api/client"
	"stump/internal/api/wire"
	"stump/internal/command"
	"stump/internal/identity"
)

func tokenCmd(b *Books) *cobra.Command {
	cmd := &cobra.Command{Use: "token", Short: "Tokens with which scripts ask the station over the network"}
	cmd.AddCommand(tokenAddCmd(b), tokenListCmd(b), command.New("revoke NAME", "End a token at once", func(cmd *cobra.Command, args []string) error {
		if err := b.Ask(cmd, DaemonOnly, "DELETE", "tokens/"+client.Ref(args[0]), nil, nil); err != nil {
			return err
		}
		_, err := fmt.Fprintln(cmd.OutOrStdout(), "revoked "+args[0])
		return err
	}))
	return cmd
}

func tokenAddCmd(b *Books) *cobra.Command {
	var (
		role, expires string
		asJSON        bool
	)
	cmd := command.New("add NAME", "Make a token, and print it once", func(cmd *cobra.Command, args []string) error {
		if role == "" {
			return command.Misuse("use "+strings.Join(identity.Roles(), ", "), "--role is missing")
		}
		if _, err := identity.ParseRole(role); err != nil {
			return command.UsageError{Err: fmt.Errorf("--role: %w", err)}
		}
		end, err := command.OptionalTime("--expires", expires, command.FromNow)
		if err != nil {
			return err
		}
		in := wire.NewToken{Name: args[0], Role: role, Expires: end}
		var made wire.MadeToken
		if err := b.Ask(cmd, DaemonOnly, "POST", "tokens", in, &made); err != nil {
			return err
		}
		if asJSON {
			return command.PrintJSON(cmd, made)
		}
		until := "until it is revoked"
		if made.Expires != nil {
			until = "until " + command.When(made.Expires, true)
		}
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "the token of %s, for the role %v, %s; it is shown only now:\n%s\n", made.Name, made.Role, until, made.Secret)
		return err
	})
	cmd.Long = `Make a token for a script and print it, as the last word. It is shown only now: the
station keeps no more of it than tells that it is right. The script sends it with each
request as "Authorization: Bearer TOKEN". Its name stands in the history.

Roles: board sees what is free, staff who has what, technician looks after readers and
unknown tags, admin may do everything.`
	cmd.Flags().StringVar(&role, "role", "", "what it may do: `board`, staff, technician or admin")
	cmd.Flags().StringVar(&expires, "expires", "", "when it ends: a `time` such as 2027-01-31 or 90d; default never")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

func tokenListCmd(b *Books) *cobra.Command {
	var asJSON bool
	cmd := command.New("list", "List the tokens, never themselves", func(cmd *cobra.Command, _ []string) error {
		return b.Stream(cmd, DaemonOnly, "GET", "tokens", nil, nil, func(answer io.Reader) error {
			return command.PrintRows(cmd.OutOrStdout(), answer, command.Format{JSON: asJSON}, []string{"NAME", "ROLE", "EXPIRES", "USED", "BY"}, func(t *identity.Token) []string {
				return []string{command.Text(&t.Name), t.Role.String(), command.When(t.Expires, true), command.When(t.Used, true), command.Text(&t.By)}
			}, "there are no tokens")
		})
	})
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line")
	return cmd
}
