package plain

import (
	"regexp"
	"strings"
)

// paths are files and folders but devices, with which a technician works.
var paths = regexp.MustCompile(`(^|[\s"'(=:])/[^/\s"',;:()][^\s"',;:()]*`)

// HidePaths takes the paths of files out of a text, but not those of devices; stateDir is
// called by its name.
func HidePaths(text, stateDir string) string {
	if stateDir != "" {
		text = strings.ReplaceAll(text, stateDir, "the state folder")
	}
	return paths.ReplaceAllStringFunc(text, func(path string) string {
		i := strings.IndexByte(path, '/')
		if strings.HasPrefix(path[i:], "/dev/") {
			return path
		}
		return path[:i] + "…"
	})
}
