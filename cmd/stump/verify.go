package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

func verifyCmd(g *globals) *cobra.Command {
	return &cobra.Command{Use: "verify", Short: "Check the ledger", Args: cobra.NoArgs, Hidden: true, RunE: func(cmd *cobra.Command, args []string) error {
		return errors.New(fmt.Sprint("soon"))
	}}
}
