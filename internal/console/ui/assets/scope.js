"use strict";
// A reader's lines, lent while the page is seen. What is drawn is the last frame.
const canvas = document.getElementById("scope"), words = canvas.dataset;
const by = (id) => document.getElementById(id);
let lease, watching;

const ask = (method, path, body) => fetch("/v1/leases" + path, { method, keepalive: true, body, headers: body ? { "Content-Type": "application/json" } : {} });

async function take() {
  const mine = watching = new AbortController();
  const answer = await ask("POST", "", JSON.stringify({ reader: words.reader }));
  const taken = await answer.json();
  by("lost").hidden = answer.ok;
  if (!answer.ok) { // a page that was just left may still have them
    by("lost").textContent = taken.error + ". " + taken.hint + ".";
    setTimeout(() => watching === mine && take(), 2000);
    return;
  }
  lease = taken.id;
  if (watching !== mine) return give();
  const renew = setInterval(ask, 30000, "POST", "/" + lease + "/renew");
  try {
    const views = await fetch("/v1/leases/" + lease + "/scope", { signal: mine.signal });
    const text = views.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let rest = "", part; !(part = await text.read()).done;) {
      const lines = (rest + part.value).split("\n");
      rest = lines.pop();
      if (lines.length && by("pause").ariaPressed !== "true") draw(JSON.parse(lines.pop()));
    }
  } catch { /* it broke off */ }
  clearInterval(renew);
  if (watching !== mine) return;
  by("lost").textContent = words.lost;
  by("lost").hidden = false;
}

function give() {
  watching?.abort();
  watching = undefined;
  if (lease) ask("DELETE", "/" + lease);
  lease = undefined;
}

function draw(v) {
  const dot = devicePixelRatio, wide = canvas.width = canvas.clientWidth * dot, high = canvas.height = canvas.clientHeight * dot;
  const c = canvas.getContext("2d"), edges = v.edges ?? [], rises = edges.some((e) => e.Rising);
  c.strokeStyle = c.fillStyle = getComputedStyle(canvas).color;
  c.lineWidth = 1.5 * dot;
  c.font = 14 * dot + "px system-ui";
  v.names.forEach((name, line) => {
    const top = high * (line ? 0.64 : 0.16), low = top + high * 0.24;
    let y = top;
    c.fillText(name + " " + Number(v.levels[line]), 8 * dot, top - 6 * dot);
    c.beginPath();
    c.moveTo(0, y);
    for (const e of edges.filter((e) => e.Line === line)) {
      const x = wide * (0.02 + 0.96 * e.Time / (edges.at(-1).Time || 1));
      c.lineTo(x, y);
      c.lineTo(x, y = e.Rising ? top : low);
      if (!rises) c.lineTo(x, y = top);
    }
    c.lineTo(wide, y);
    c.stroke();
  });
  const said = v.last?.text ?? v.sent?.join("") ?? "";
  if (by("said").textContent !== said) by("said").textContent = said;
  by("counts").textContent = v.good + " " + words.good + ", " + Object.values(v.bad).reduce((a, b) => a + b, 0) + " " + words.refused;
}

by("pause").onclick = (e) => {
  const b = e.target;
  b.ariaPressed = b.ariaPressed !== "true";
};
const seen = () => document.hidden ? give() : watching || take();
document.addEventListener("visibilitychange", seen);
addEventListener("pagehide", give);
seen();
