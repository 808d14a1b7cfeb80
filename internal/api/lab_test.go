package api_test

import (
	"fmt"
	"testing"
	"time"

	"stump/internal/lab/labtest"
	hubwire "stump/internal/lab/wire"
)

// TestLab: a station joins a lab, says how it stands there, and leaves it.
func TestLab(t *testing.T) {
	hub, l := labtest.New(t), newLab(t, "station = \"lab-7\"\n"+exampleToml)
	l.want("GET", "lab", "", 200, `"lab":null,"station":null,"hub":null,"as_of":null,"stale":false,"waiting":0,"trouble":null`)
	l.want("DELETE", "lab", "", 409, "in no lab")
	l.want("POST", "lab", `{"code":"stump-none"}`, 409, "that is not a join code")
	l.want("POST", "lab", fmt.Sprintf(`{"code":%q,"as":"x","replace":"y"}`, hub.Code()), 400, "as and replace can't be both")
	hub.Clash(hubwire.Clash{Kind: "device", ID: "ipad", Why: "tag", Other: "pad-7", Name: "iPad 7"})
	l.want("POST", "lab", fmt.Sprintf(`{"code":%q}`, hub.Code()), 200, `"joined":false,"clashes":\[{"kind":"device","id":"ipad","why":"tag","other":"pad-7","name":"iPad 7"}\]`)
	hub.Clash()
	l.want("POST", "lab", fmt.Sprintf(`{"code":%q,"dry_run":true}`, hub.Code()), 200, `"joined":false,"clashes":\[\]`)
	l.want("GET", "lab", "", 200, `"lab":null`)
	l.want("POST", "lab", fmt.Sprintf(`{"code":%q}`, hub.Code()), 200, `"joined":true`)
	for end := time.Now().Add(10 * time.Second); hub.Events("lab-7") == 0 && time.Now().Before(end); {
		time.Sleep(20 * time.Millisecond)
	}
	if hub.Events("lab-7") == 0 {
		t.Error("the hub was told nothing")
	}
	l.want("GET", "lab", "", 200, `"lab":"lab","station":"lab-7",.*"as_of":"2`)
	l.want("GET", "lab/stations?q=lab-7", "", 200, `"name":"lab-7","last_heard":"2.*"version":`)
	l.want("DELETE", "lab", "", 200, `"lab":"lab","told":true`)
}
