package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"stump/internal/command"

	"github.com/spf13/cobra"
)

// version is set by the Makefile.
var version = "devel"

func versionCmd() *cobra.Command { return command.New("version", "Print the version", printVersion) }

func printVersion(cmd *cobra.Command, _ []string) error {
	arch := runtime.GOARCH
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "GOARM" {
				arch += "v" + s.Value
			}
		}
	}
	_, err := fmt.Fprintf(cmd.OutOrStdout(), "stump %s (%s, linux/%s)\n", version, runtime.Version(), arch)
	return err
}
