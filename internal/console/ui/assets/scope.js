// A reader's lines, lent while the page is seen.
const canvas = by("#scope"), words = canvas.dataset;
let views;

const say = (id, text) => by(id).textContent === text || by(id).replaceChildren(text);

function seen() {
  views?.close();
  if (document.hidden) return;
  views = new EventSource(words.lines);
  views.onmessage = ({ data }) => {
    const v = JSON.parse(data);
    say("#lost", v.lost ?? "");
    if (v.names && !by("#pause").checked) draw(v);
  };
  views.onerror = () => {
    if (by("#lost").textContent) return; // asks again
    views.close();
    say("#lost", words.lost);
  };
}

function draw(v) {
  const { clientWidth: wide, clientHeight: high } = canvas, dot = devicePixelRatio, c = canvas.getContext("2d");
  canvas.width = wide * dot;
  canvas.height = high * dot;
  c.scale(dot, dot);
  c.strokeStyle = c.fillStyle = getComputedStyle(canvas).color;
  c.font = "14px system-ui";
  const edges = v.edges ?? [], rises = edges.some((e) => e.Rising);
  v.names.forEach((name, line) => {
    let top = high * (line ? .64 : .16), low = top + high * .24, y = top;
    c.fillText(name + " " + +v.levels[line], 8, top - 6);
    c.beginPath();
    c.moveTo(0, y);
    for (const e of edges) if (e.Line === line) {
      const x = wide * (.02 + .96 * e.Time / (edges.at(-1).Time || 1));
      c.lineTo(x, y);
      c.lineTo(x, y = e.Rising ? top : low);
      if (!rises) c.lineTo(x, y = top);
    }
    c.lineTo(wide, y);
    c.stroke();
  });
  say("#said", v.last?.text ?? v.sent?.join("") ?? "");
  say("#counts", `${v.good} ${words.good}, ${Object.values(v.bad).reduce((a, b) => a + b, 0)} ${words.refused}`);
}

(document.onvisibilitychange = seen)();
