// look.mjs PORT (PAGE SECRET)…: looks at pages with Lighthouse, in the browser that listens
// at a port, and prints for each its scores in percent and what is wrong, as a line of JSON.
// SECRET is the token of who looks; empty for nobody. How quick the first page is, it
// measures, too, for which it waits longer.
import lighthouse, { desktopConfig } from "lighthouse";

const [port, ...looks] = process.argv.slice(2);
for (let first = true; looks.length; first = false) {
  const [page, secret] = looks.splice(0, 2);
  const { lhr } = await lighthouse(page, {
    port: +port,
    output: "json",
    logLevel: "error",
    onlyCategories: ["accessibility", "best-practices"].concat(first ? "performance" : []),
    extraHeaders: secret ? { Authorization: "Bearer " + secret } : undefined,
    // A page that follows what happens is never done with the network.
    maxWaitForLoad: first ? 10000 : 1500,
    pauseAfterFcpMs: 0,
    pauseAfterLoadMs: 500,
    networkQuietThresholdMs: 0,
    cpuQuietThresholdMs: 0,
    throttlingMethod: "provided",
    disableFullPageScreenshot: true,
  }, desktopConfig);
  const scores = {}, wrong = [];
  for (const [name, { score, auditRefs }] of Object.entries(lhr.categories)) {
    scores[name] = Math.round(score * 100);
    for (const { id, weight } of auditRefs) {
      const audit = lhr.audits[id];
      if (name !== "performance" && weight > 0 && audit.score !== null && audit.score < 1) {
        wrong.push(id + ": " + audit.title + " " + JSON.stringify(audit.details?.items ?? []).slice(0, 500));
      }
    }
  }
  console.log(JSON.stringify({ page, scores, wrong, error: lhr.runtimeError?.message ?? "" }));
}
