package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The example of docs/directory.md, and what the receivers of the tests use.

// verify reports whether stump sent body, and lately. secret is the line of
// secret_file.
func verify(secret string, header http.Header, body []byte) bool {
	key := []byte(secret)
	if coded, ok := strings.CutPrefix(secret, "whsec_"); ok {
		key, _ = base64.StdEncoding.DecodeString(coded)
	}
	stamp := header.Get("webhook-timestamp")
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(header.Get("webhook-id") + "." + stamp + "."))
	mac.Write(body)
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	at, err := strconv.ParseInt(stamp, 10, 64)
	fresh := err == nil && time.Since(time.Unix(at, 0)).Abs() < 5*time.Minute
	return fresh && hmac.Equal([]byte(want), []byte(header.Get("webhook-signature")))
}
