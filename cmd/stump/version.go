package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set by the Makefile.
var version = "devel"

func versionCmd() *cobra.Command { return command("version", "Print the version", printVersion) }

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

func completionCmd() *cobra.Command {
	cmd := command("completion bash|zsh|fish", "Print a shell's completion script", func(cmd *cobra.Command, args []string) error {
		root, out := cmd.Root(), cmd.OutOrStdout()
		switch args[0] {
		case "bash":
			return root.GenBashCompletionV2(out, true)
		case "zsh":
			return root.GenZshCompletion(out)
		case "fish":
			return root.GenFishCompletion(out, true)
		}
		return misuse("use bash, zsh or fish", "there is no completion for %q", args[0])
	})
	cmd.ValidArgs = []string{"bash", "zsh", "fish"}
	cmd.Long = "Print a shell's completion script. For bash:\n\n\tstump completion bash | sudo tee /etc/bash_completion.d/stump"
	return cmd
}
