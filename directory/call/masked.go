package call

import "strings"

// hidden stands for a secret.
const hidden = "xxxxx"

// Masked is an address without its secrets: user and password, and the values of its
// query but for {holes}. It takes addresses with mistakes, too, since errors show them.
func Masked(address string) string {
	scheme, rest, ok := strings.Cut(address, "://")
	if !ok {
		scheme, rest = "", address
	} else {
		scheme += "://"
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	host, rest := rest[:end], rest[end:]
	if i := strings.LastIndexByte(host, '@'); i >= 0 {
		host = hidden + host[i:]
	}
	path, query, ok := strings.Cut(rest, "?")
	if !ok {
		return scheme + host + path
	}
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		if key, value, ok := strings.Cut(pair, "="); ok && value != "" && !strings.Contains(value, "{") {
			pairs[i] = key + "=" + hidden
		}
	}
	return scheme + host + path + "?" + strings.Join(pairs, "&")
}

// MaskedHook is Masked for an address whose path is a secret, as a chat's: only its
// first part is shown.
func MaskedHook(address string) string {
	address = Masked(address)
	from := strings.Index(address, "://") + len("://")
	if from < len("://") {
		from = 0
	}
	if first := strings.IndexByte(address[from:], '/'); first >= 0 {
		if next := strings.IndexByte(address[from+first+1:], '/'); next >= 0 {
			return address[:from+first+1+next+1] + hidden
		}
	}
	return address
}
