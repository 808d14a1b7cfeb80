package hub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestHere: what is asked in this process is answered as over a network.
func TestHere(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /echo", func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Asked", r.RequestURI+" of "+r.Host)
		w.WriteHeader(http.StatusTeapot)
		w.WriteHeader(http.StatusOK) // too late
		fmt.Fprintf(w, "%s, %s", b, r.Header.Get("Authorization"))
	})
	mux.HandleFunc("GET /waits", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	client := http.Client{Transport: Here(mux)}
	r, err := http.NewRequest("POST", "https://hub.example/echo?a=1", strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer x")
	got, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	b, err := io.ReadAll(got.Body)
	if err != nil || got.StatusCode != http.StatusTeapot || string(b) != "hello, Bearer x" || got.Header.Get("X-Asked") != "/echo?a=1 of hub.example" {
		t.Errorf("%d %q %v, %v", got.StatusCode, b, got.Header, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r, err = http.NewRequestWithContext(ctx, "GET", "https://hub.example/waits", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Do(r); !errors.Is(err, context.Canceled) {
		t.Errorf("who does not wait any more got %v", err)
	}
}
