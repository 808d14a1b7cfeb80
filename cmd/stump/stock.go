package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"stump/checkout/stock"
	"stump/internal/api/wire"
	"stump/internal/count"
)

func stockCmd(g *globals) *cobra.Command {
	cmd := &cobra.Command{Use: "stock", Short: "Take stock: what is in the lab, and what is missing"}
	cmd.Long = `Take stock. After "stump stock start" the readers count each device that is bumped, or whose
code is scanned; a badge and a device are a check-out or a return as always. "stump stock
finish" ends it. What was found is in the report until "stump stock correct" puts it right.`
	cmd.SuggestFor = []string{"inventory", "stocktake", "stocktaking"}
	cmd.AddCommand(
		startCmd(g),
		stockAct(g, "status", "Say how far it is", "GET", "stock"),
		countCmd(g), finishCmd(g), stockReportCmd(g),
		stockAct(g, "correct", "Put right what was found: lost, back, found again", "POST", "stock/correct"),
	)
	return cmd
}

func stockAct(g *globals, use, short, method, path string) *cobra.Command {
	may := mayWrite
	if method == "GET" {
		may = mayRead
	}
	return command(use, short, func(cmd *cobra.Command, _ []string) error {
		var s wire.Stock
		if err := g.ask(cmd, may, method, path, nil, &s); err != nil {
			return err
		}
		return printStock(cmd.OutOrStdout(), s)
	})
}

func startCmd(g *globals) *cobra.Command {
	var in wire.StartStock
	cmd := command("start", "Begin, or go on with what was begun", func(cmd *cobra.Command, _ []string) error {
		var s wire.Stock
		if err := g.ask(cmd, mayWrite, "POST", "stock", in, &s); err != nil {
			return err
		}
		return printStock(cmd.OutOrStdout(), s)
	})
	cmd.Flags().StringVar(&in.Reader, "reader", "", "count at this reader alone, by its `name`")
	return cmd
}

func countCmd(g *globals) *cobra.Command {
	return command("count DEVICE [DEVICE…]", "Say that devices are here that nobody can bump", func(cmd *cobra.Command, args []string) error {
		for _, device := range args {
			var c wire.Counted
			if err := g.ask(cmd, mayWrite, "POST", "stock/count", wire.Count{Device: device}, &c); err != nil {
				return err
			}
			if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s is here, %s so far\n", text(&c.Device), count.Of(c.Seen, "device")); err != nil {
				return err
			}
		}
		return nil
	})
}

func finishCmd(g *globals) *cobra.Command {
	var in wire.FinishStock
	cmd := command("finish", "End it, and say what was found", func(cmd *cobra.Command, _ []string) error {
		var s wire.Stock
		if err := g.ask(cmd, mayWrite, "POST", "stock/finish", in, &s); err != nil {
			return err
		}
		return printStock(cmd.OutOrStdout(), s)
	})
	cmd.Flags().BoolVar(&in.Correct, "correct", false, "put it right, too, all at once")
	return cmd
}

// found are the findings as people read them.
var found = map[stock.Finding]string{
	stock.Missing: "missing", stock.Here: "here, but lent", stock.Found: "was lost, is here", stock.Unused: "no longer in use, is here", stock.Unknown: "unknown tag",
}

// printStock says how far a stock-taking is, and how much it has found.
func printStock(w io.Writer, s wire.Stock) error {
	switch s.State {
	case "open":
		fmt.Fprintf(w, "under way since %s, %s here\n", when(s.Begun, true), count.Of(s.Seen, "device"))
	case "ended":
		fmt.Fprintf(w, "ended %s, %s here\n", when(s.Ended, true), count.Of(s.Seen, "device"))
	default:
		_, err := fmt.Fprintln(w, "no stock was taken yet")
		return err
	}
	counts := map[stock.Finding]int{}
	for _, r := range s.Rows {
		counts[r.Found]++
	}
	for _, f := range append(stock.Findings, stock.Unknown) {
		if counts[f] > 0 {
			fmt.Fprintf(w, "%5d  %s\n", counts[f], found[f])
		}
	}
	return nil
}

func stockReportCmd(g *globals) *cobra.Command {
	var f format
	cmd := command("report", "List what was found", func(cmd *cobra.Command, _ []string) error {
		var s wire.Stock
		if err := g.ask(cmd, mayRead, "GET", "stock", nil, &s); err != nil {
			return err
		}
		var rows bytes.Buffer
		for _, r := range s.Rows {
			if err := json.NewEncoder(&rows).Encode(r); err != nil {
				return err
			}
		}
		return printRows(cmd.OutOrStdout(), &rows, f, []string{"FOUND", "DEVICE", "ID", "KIND", "PLACE", "WITH"}, func(r *wire.StockRow) []string {
			device := orEmpty(r.Device)
			if r.Number != nil {
				device = *r.Number
			}
			return []string{found[r.Found], device, orEmpty(r.DeviceID), orEmpty(r.Kind), orEmpty(r.Place), orEmpty(r.Person)}
		}, "all is as it should be")
	})
	f.flags(cmd)
	return cmd
}
