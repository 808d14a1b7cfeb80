package directorytest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"stump/internal/testkit"
)

// SCIMMY is a SCIM 2.0 server in JavaScript, a process that listens on the
// loopback. It has nobody at first: people and groups are provisioned, as an identity
// provider does.
type SCIMMY struct {
	t *testing.T
	// URL is the base address, Token what it wants to see.
	URL, Token string
}

// StartSCIMMY starts it until the test ends. scripts is the folder of that name,
// from the folder of the test.
func StartSCIMMY(t *testing.T, scripts string) *SCIMMY {
	t.Helper()
	_, err := exec.LookPath("node")
	testkit.Need(t, err == nil, "node, for the independent SCIM server")
	script := exec.Command(filepath.Join(scripts, "npm"), "directory/directorytest/scimmy")
	var says strings.Builder
	script.Stderr = &says
	dir, err := script.Output()
	testkit.Need(t, err == nil, "the SCIM server of npm: "+says.String())
	s := &SCIMMY{t: t, Token: "secret-token"}
	server := exec.Command("node", filepath.Join(strings.TrimSpace(string(dir)), "server.mjs"), s.Token)
	in, err := server.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := server.StdoutPipe()
	if err == nil {
		err = server.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); server.Wait() })
	port, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the SCIM server says %q, %v", port, err)
	}
	s.URL = "http://127.0.0.1:" + strings.TrimSpace(port) + "/scim/v2"
	return s
}

// Provision makes a call that changes something, with body as JSON unless it is
// nil, and returns the id in the answer.
func (s *SCIMMY) Provision(method, path string, body any) (id string) {
	s.t.Helper()
	var payload []byte
	if body != nil {
		var err error
		if payload, err = json.Marshal(body); err != nil {
			s.t.Fatal(err)
		}
	}
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.URL+path, bytes.NewReader(payload))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header = http.Header{"Content-Type": {"application/scim+json"}, "Authorization": {"Bearer " + s.Token}}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, _ := io.ReadAll(resp.Body)
	if resp.StatusCode >= 300 {
		s.t.Fatalf("%s %s: %s: %s", method, path, resp.Status, answer)
	}
	var user struct {
		ID string `json:"id"`
	}
	if len(answer) > 0 && json.Unmarshal(answer, &user) != nil {
		s.t.Fatalf("%s %s: %s", method, path, answer)
	}
	return user.ID
}

// Add provisions a person with an employee number, and with the badge that the
// lab's own extension has.
func (s *SCIMMY) Add(userName, displayName, number, badge string) (id string) {
	s.t.Helper()
	return s.Provision(http.MethodPost, "/Users", map[string]any{
		"schemas":  []string{"urn:ietf:params:scim:schemas:core:2.0:User"},
		"userName": userName, "displayName": displayName, "active": true,
		"emails": []any{map[string]any{"value": userName, "type": "work", "primary": true}},
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": map[string]any{"employeeNumber": number},
		"urn:ietf:params:scim:schemas:extension:lab:2.0:User": map[string]any{"badges": []any{
			map[string]any{"type": "garage", "value": "1"}, map[string]any{"type": "lab", "value": badge}}},
	})
}

// Group provisions a group of people.
func (s *SCIMMY) Group(displayName string, people ...string) (id string) {
	s.t.Helper()
	members := []any{}
	for _, id := range people {
		members = append(members, map[string]any{"value": id, "type": "User"})
	}
	return s.Provision(http.MethodPost, "/Groups", map[string]any{
		"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:Group"}, "displayName": displayName, "members": members,
	})
}

// SetActive says that somebody leaves or comes back, as Entra ID does.
func (s *SCIMMY) SetActive(id string, active bool) {
	s.t.Helper()
	s.Provision(http.MethodPatch, "/Users/"+id, map[string]any{
		"schemas":    []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"},
		"Operations": []any{map[string]any{"op": "Replace", "path": "active", "value": active}},
	})
}

// Delete removes a person.
func (s *SCIMMY) Delete(id string) {
	s.t.Helper()
	s.Provision(http.MethodDelete, "/Users/"+id, nil)
}
