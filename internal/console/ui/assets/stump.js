"use strict";
// A live page is asked for again when something happens; a reload does the same.
const { live, again } = document.body.dataset, by = (id) => document.getElementById(id);
let asked = 0, changes, typed;

async function refresh(e) {
  if (e?.type === "end") changes.close();
  const mine = ++asked, answer = await fetch(location, { headers: { Accept: "text/html", "Stump-Part": "live" } });
  if (answer.redirected || !answer.ok) return;
  by("away").hidden = true;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const old = by("live"), now = page.getElementById("live");
  if (mine !== asked || !now) return;
  for (const e of old.querySelectorAll("details[open][id]")) now.querySelector(`[id="${e.id}"]`)?.setAttribute("open", "");
  const known = old.innerHTML.replaceAll(' class="fresh"', "");
  if (known === now.innerHTML) return;
  if ([...old.querySelectorAll("input")].some((e) => e.value !== e.defaultValue)) return; // somebody types
  for (const e of now.querySelectorAll("[data-device]")) e.classList.toggle("fresh", !known.includes(e.outerHTML));
  const at = document.activeElement.closest("#live [href], #live [id]"), key = at?.id ? "id" : "href";
  old.replaceWith(now);
  now.querySelector(`[${key}="${at?.getAttribute(key)}"]`)?.focus();
}

function watch() {
  changes?.close();
  if (document.hidden && live === "/changes") return; // a self-test ends when nobody follows it
  changes = new EventSource(live);
  for (const what of ["open", "message", "say", "ask", "result", "summary", "end"]) changes.addEventListener(what, refresh);
  changes.onerror = () => {
    by("away").hidden = false;
    if (changes.readyState === 2) setTimeout(watch, 5000); // refused: it tries no more
  };
}

if (again) setInterval(() => fetch(location).then((answer) => answer.ok && location.reload(), () => 0), again * 1000);

if (live) {
  document.addEventListener("visibilitychange", watch);
  watch();
  const find = document.querySelector("[type=search]");
  if (find) find.oninput = () => {
    clearTimeout(typed);
    typed = setTimeout(() => {
      history.replaceState(null, "", "?" + new URLSearchParams(new FormData(find.form)));
      refresh();
    }, 150);
  };
}
