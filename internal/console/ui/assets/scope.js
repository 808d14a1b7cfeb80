// A reader's lines, lent while the page is seen.
const canvas = by("scope"), words = canvas.dataset;
let watching;

const ask = (method, path, body) => fetch("/v1/leases" + path, { method, keepalive: true, body, headers: { "Content-Type": "application/json" } });
const say = (id, text) => by(id).textContent === text || by(id).replaceChildren(text);

async function take() {
  const { signal } = watching = new AbortController();
  const answer = await ask("POST", "", JSON.stringify({ reader: words.reader }));
  const taken = await answer.json(), path = "/" + taken.id;
  say("lost", answer.ok ? "" : taken.error + ". " + taken.hint + ".");
  if (!answer.ok) return setTimeout(() => signal.aborted || take(), 2000); // the page before may have them
  const renew = setInterval(ask, 30000, "POST", path + "/renew");
  signal.onabort = () => ask("DELETE", path);
  if (signal.aborted) signal.onabort();
  try {
    const views = await fetch("/v1/leases" + path + "/scope", { signal });
    const text = views.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let rest = "", part; !(part = await text.read()).done;) {
      const lines = (rest + part.value).split("\n");
      rest = lines.pop();
      if (lines[0] && !by("pause").checked) draw(JSON.parse(lines.pop()));
    }
  } catch {}
  clearInterval(renew);
  if (!signal.aborted) say("lost", words.lost);
}

function draw(v) {
  const dot = devicePixelRatio, wide = canvas.clientWidth, high = canvas.clientHeight, c = canvas.getContext("2d");
  canvas.width = wide * dot;
  canvas.height = high * dot;
  c.scale(dot, dot);
  c.strokeStyle = c.fillStyle = getComputedStyle(canvas).color;
  c.font = "14px system-ui";
  const edges = v.edges ?? [], rises = edges.some((e) => e.Rising);
  v.names.forEach((name, line) => {
    const top = high * (line ? 0.64 : 0.16), low = top + high * 0.24;
    let y = top;
    c.fillText(name + " " + +v.levels[line], 8, top - 6);
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
  say("said", v.last?.text ?? v.sent?.join("") ?? "");
  say("counts", v.good + " " + words.good + ", " + Object.values(v.bad).reduce((a, b) => a + b, 0) + " " + words.refused);
}

function seen() {
  watching?.abort();
  if (!document.hidden) take();
}
document.addEventListener("visibilitychange", seen);
seen();
