package bookcmd

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"stump/internal/api/wire"
	"stump/internal/command"
	"stump/internal/count"
)

func stockCmd(b *Books) *cobra.Command {
	cmd := &cobra.Command{Use: "stock", Short: "Take stock: what is in the lab, and what is missing"}
	cmd.Long = `Take stock. After "stock start" the readers count each device that is bumped or scanned;
a badge and a device are a check-out or a return as always. What is found is in the report.`
	cmd.SuggestFor = []string{"inventory", "stocktake", "stocktaking"}
	var begin wire.StartStock
	start := stockAct(b, "start", "Begin, or go on with what was begun", MayWrite, "POST", "stock", &begin)
	start.Flags().StringVar(&begin.Reader, "reader", "", "count at this reader alone, by its `name`")
	var end wire.FinishStock
	finish := stockAct(b, "finish", "End it, and say what was found", MayWrite, "POST", "stock/finish", &end)
	finish.Flags().BoolVar(&end.Correct, "correct", false, "put it right, too, all at once")
	cmd.AddCommand(start, stockAct(b, "status", "Say how far it is", MayRead, "GET", "stock", nil), countCmd(b), finish, stockReportCmd(b),
		stockAct(b, "correct", "Put right what was found: lost, back, found again", MayWrite, "POST", "stock/correct", nil))
	return cmd
}

// stockAct asks for something, and says how far the stock-taking is.
func stockAct(b *Books, use, short string, may Access, method, path string, in any) *cobra.Command {
	return command.New(use, short, func(cmd *cobra.Command, _ []string) error {
		var s wire.Stock
		if err := b.Ask(cmd, may, method, path, in, &s); err != nil {
			return err
		}
		_, err := fmt.Fprint(cmd.OutOrStdout(), s.Summary(command.When(s.Begun, true), command.When(s.Ended, true)))
		return err
	})
}

func countCmd(b *Books) *cobra.Command {
	return command.New("count DEVICE [DEVICE…]", "Say that devices are here that nobody can bump", func(cmd *cobra.Command, args []string) error {
		for _, device := range args {
			var c wire.Counted
			if err := b.Ask(cmd, MayWrite, "POST", "stock/count", wire.Count{Device: device}, &c); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s is here, %s so far\n", command.Text(&c.Device), count.Of(c.Seen, "device"))
		}
		return nil
	})
}

func stockReportCmd(b *Books) *cobra.Command {
	var f command.Format
	cmd := command.New("report", "List what was found", func(cmd *cobra.Command, _ []string) error {
		var s wire.Stock
		if err := b.Ask(cmd, MayRead, "GET", "stock", nil, &s); err != nil {
			return err
		}
		var rows bytes.Buffer
		for _, r := range s.Rows {
			_ = json.NewEncoder(&rows).Encode(r) // of texts, into memory
		}
		return command.PrintRows(cmd.OutOrStdout(), &rows, f, []string{"FOUND", "DEVICE", "ID", "KIND", "PLACE", "WITH"}, func(r *wire.StockRow) []string {
			return []string{r.Found.Words(), orEmpty(cmp.Or(r.Number, r.Device)), orEmpty(r.DeviceID), orEmpty(r.Kind), orEmpty(r.Place), orEmpty(r.Person)}
		}, "all is as it should be")
	})
	f.Flags(cmd)
	return cmd
}
