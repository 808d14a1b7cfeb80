package console

import (
	"net/http"
	"sync"
	"time"

	"stump/internal/console/reports"
	"stump/internal/console/ui"
	"stump/internal/identity"
)

// reportLife is how long a report is kept: it reads the history of a year.
const reportLife = 10 * time.Minute

// kept is the report that was made last.
type kept struct {
	mu     sync.Mutex
	made   time.Time
	report reports.Report
}

// report is a report that is not older than reportLife.
func (c *Console) report() (reports.Report, error) {
	k := &c.kept
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.made.IsZero() && time.Since(k.made) < reportLife {
		return k.report, nil
	}
	report, err := reports.Make(c.o.Books, c.now())
	if err == nil {
		k.made, k.report = time.Now(), report
	}
	return report, err
}

func (c *Console) reports(w http.ResponseWriter, r *http.Request) error {
	report, err := c.report()
	if err != nil {
		return err
	}
	f := c.frame(r, "/reports", func(w *ui.Words) string { return w.Reports })
	return send(w, r, http.StatusOK, reports.Page(reports.View{Frame: f, Report: report, Names: identity.Of(r.Context()).May(identity.Admin)}))
}

func (c *Console) reportsCSV(w http.ResponseWriter, r *http.Request) error {
	report, err := c.report()
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="stump-use.csv"`)
	return report.WriteCSV(w)
}
