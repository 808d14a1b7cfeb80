//go:build services

package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"stump/internal/testkit"
)

// pageScripts returns the scripts of docs/entra-google.md in a language.
func pageScripts(t *testing.T, language string) (all []string) {
	t.Helper()
	page, err := os.ReadFile("../../docs/entra-google.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
		all = append(all, m[1])
	}
	return all
}

// python writes a script of the page to dir, with words of it replaced.
func python(t *testing.T, dir, name string, replace ...string) (path string) {
	t.Helper()
	_, err := exec.LookPath("python3")
	testkit.Need(t, err == nil, "python3, for the scripts of the page")
	for _, text := range pageScripts(t, "python") {
		if strings.Contains(text, `"""`+name) {
			path = filepath.Join(dir, name)
			if err := os.WriteFile(path, []byte(strings.NewReplacer(replace...).Replace(text)), 0o700); err != nil {
				t.Fatal(err)
			}
			return path
		}
	}
	t.Fatalf("the page has no %s", name)
	return ""
}

// The page's script asks as Entra ID wants to be asked, and leaves the token where a
// station reads it, for nobody else to see.
func TestEntraToken(t *testing.T) {
	var path, form string
	login := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, form = r.Method+" "+r.URL.Path, ""
		if r.ParseForm() == nil {
			form = r.PostForm.Encode()
		}
		if r.PostForm.Get("client_secret") != "s~e+c ret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Write([]byte(`{"token_type":"Bearer","expires_in":3599,"access_token":"eyJ0eXAi"}`))
	}))
	defer login.Close()
	dir := t.TempDir()
	secret, token := filepath.Join(dir, "secret"), filepath.Join(dir, "token")
	script := python(t, dir, "entra-token", "https://login.microsoftonline.com", login.URL,
		"/etc/stump/entra-secret", secret, "/var/lib/stump/entra-token", token)
	run := func(s string) error {
		if err := os.WriteFile(secret, []byte(s+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return exec.Command(script).Run()
	}
	if err := run("s~e+c ret"); err != nil {
		t.Fatal(err)
	}
	const wantForm = "client_id=11111111-2222-3333-4444-555555555555&client_secret=s~e%2Bc+ret&grant_type=client_credentials&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default"
	if path != "POST /contoso.example/oauth2/v2.0/token" || form != wantForm {
		t.Errorf("asked %s with %s", path, form)
	}
	text, err := os.ReadFile(token)
	if fi, _ := os.Stat(token); err != nil || string(text) != "eyJ0eXAi" || fi.Mode() != 0o600 {
		t.Errorf("the file has %q, %v", text, err)
	}
	if err := run("wrong"); err == nil {
		t.Error("a refusal is no failure")
	}
	if text, _ := os.ReadFile(token); string(text) != "eyJ0eXAi" {
		t.Errorf("after a refusal the file has %q", text)
	}
}

// The files have the columns that the portals and PowerShell give them.
const (
	entraPortal = "\ufeff" + `userPrincipalName,displayName,surname,mail,givenName,id,userType,jobTitle,department,accountEnabled,usageLocation,streetAddress,state,country,officeLocation,city,postalCode,telephoneNumber,mobilePhone,alternateEmailAddress,ageGroup,consentProvidedForMinor,legalAgeGroupClassification,companyName,creationType,directorySynced,invitationState,identityIssuer,createdDateTime
ann@contoso.example,"Okafor, Ann",Okafor,ann@contoso.example,Ann,7cc0c81b-f2a2-489a-8243-eda96da4214d,Member,,,True,DE,,,,,,,,,,,,,,,,,contoso.example,8/19/2021 1:25:31 PM
ben@contoso.example,Ben Lindqvist,Lindqvist,,Ben,05f9eb61-470e-426c-b631-6db6bf429063,Member,,,False,DE,,,,,,,,,,,,,,,,,contoso.example,8/19/2021 3:02:10 PM
`
	entraShell = "\ufeff" + `"Id","DisplayName","Mail","EmployeeId","AccountEnabled"
"7cc0c81b-f2a2-489a-8243-eda96da4214d","Okafor, Ann","ann@contoso.example","31066","True"
"05f9eb61-470e-426c-b631-6db6bf429063","Ben Lindqvist",,"","False"
`
	google = `First Name [Required],Last Name [Required],Email Address [Required],Password [Required],Password Hash Function [UPLOAD ONLY],Org Unit Path [Required],New Primary Email [UPLOAD ONLY],Status [READ ONLY],Last Sign In [READ ONLY],Recovery Email,Home Secondary Email,Work Secondary Email,Recovery Phone [MUST BE IN THE E.164 FORMAT],Work Phone,Home Phone,Mobile Phone,Work Address,Home Address,Employee ID,Employee Type,Employee Title,Manager Email,Department,Cost Center,2sv Enrolled [READ ONLY],2sv Enforced [READ ONLY],Building ID,Floor Name,Floor Section,Email Usage [READ ONLY],Drive Usage [READ ONLY],Total Storage [READ ONLY],Change Password at Next Sign-In,New Status [UPLOAD ONLY]
Ann,Okafor,ann@contoso.example,****,,/Lab,,Active,2026/11/20 09:31:07,,,,,,,,,,31066,,,,,,True,False,,,,0.5GB,0.1GB,0.6GB,FALSE,
Ben,Lindqvist,ben@contoso.example,****,,/Lab,,Suspended,Never logged in,,,,,,,,,,,,,,,,False,False,,,,0.0GB,0.0GB,0.0GB,FALSE,
`
)

// Each export goes through the page's script and its commands into a station.
func TestExportedPeople(t *testing.T) {
	for name, tc := range map[string]struct {
		export string
		want   []string // of stump people list --csv
	}{
		"the portal of Entra ID": {entraPortal, []string{
			`05f9eb61-470e-426c-b631-6db6bf429063,Ben Lindqvist,,,suspended,,`, `7cc0c81b-f2a2-489a-8243-eda96da4214d,"Okafor, Ann",ann@contoso.example,,active,,`}},
		"PowerShell": {entraShell, []string{
			`05f9eb61-470e-426c-b631-6db6bf429063,Ben Lindqvist,,,suspended,,`, `7cc0c81b-f2a2-489a-8243-eda96da4214d,"Okafor, Ann",ann@contoso.example,…066,active,,`}},
		"Google Workspace": {google, []string{
			`ann@contoso.example,Ann Okafor,ann@contoso.example,…066,active,,`, `ben@contoso.example,Ben Lindqvist,ben@contoso.example,,suspended,,`}},
	} {
		s := &site{t: t, dir: t.TempDir()}
		python(t, s.dir, "people-csv")
		if err := os.WriteFile(s.path("users.csv"), []byte(tc.export), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(s.path("stump.toml"), []byte("[[reader]]\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		s.station("")
		commands := pageScripts(t, "sh")[0]
		sh := exec.Command("sh", "-ec", strings.ReplaceAll(commands, "stump ", "stump --socket sock "))
		sh.Dir = s.dir
		if out, err := sh.CombinedOutput(); err != nil || !strings.Contains(string(out), "imported 2 rows: 2 added") {
			t.Errorf("%s: %v: %s", name, err, out)
		}
		got := strings.Split(strings.TrimSpace(s.run("people", "list", "--csv")), "\n")[1:]
		if strings.Join(got, "\n") != strings.Join(tc.want, "\n") {
			t.Errorf("%s:\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(tc.want, "\n"))
		}
	}
}
