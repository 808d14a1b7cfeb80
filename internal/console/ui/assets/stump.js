"use strict";
// A page that is live is asked for again whenever something happens, and what has changed
// in it is shown. Without this script a reload does the same.
const live = document.body.dataset.live;
const away = document.getElementById("away");
let asked = 0;

async function refresh() {
  const mine = ++asked;
  const answer = await fetch(location.href, { headers: { Accept: "text/html", "Stump-Part": "live" } });
  if (answer.redirected || !answer.ok || mine !== asked) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const old = document.getElementById("live"), now = page.getElementById("live");
  if (mine !== asked || !old || !now) return;
  for (const e of old.querySelectorAll("details[open][id]")) now.querySelector("#" + CSS.escape(e.id))?.setAttribute("open", "");
  if (old.innerHTML === now.innerHTML) return;
  if ([...old.querySelectorAll("input")].some((e) => e.value !== e.defaultValue)) return; // somebody types
  const known = new Set([...old.querySelectorAll("[data-device]")].map((e) => e.dataset.device + "\n" + e.dataset.person));
  for (const e of now.querySelectorAll("[data-device]")) {
    if (!known.has(e.dataset.device + "\n" + e.dataset.person)) e.classList.add("fresh");
  }
  const at = document.activeElement?.closest("#live a[href], #live [id]");
  const focus = at && (at.id ? "#" + CSS.escape(at.id) : "#live a[href=" + CSS.escape(at.getAttribute("href")) + "]");
  old.replaceWith(document.adoptNode(now));
  if (focus) document.querySelector(focus)?.focus();
}

let changes;
function watch() {
  if (document.hidden && live === "/changes") { // a self-test ends when nobody follows it
    changes?.close();
    changes = undefined;
  } else if (!changes) {
    changes = new EventSource(live);
    changes.onopen = () => { // what happened before it was open, is not told
      away.hidden = true;
      refresh();
    };
    for (const what of ["message", "say", "ask", "result", "summary"]) changes.addEventListener(what, refresh);
    changes.addEventListener("end", () => {
      changes.close();
      refresh();
    });
    changes.onerror = () => {
      away.hidden = false;
      if (changes?.readyState === 2) { // refused: it does not try again by itself
        changes = undefined;
        setTimeout(watch, 5000);
      }
    };
  }
}

const again = document.body.dataset.again;
if (again) setInterval(() => fetch(location.href).then((answer) => answer.ok && location.reload(), () => 0), again * 1000);

if (live) {
  document.addEventListener("visibilitychange", watch);
  watch();
}

const find = document.querySelector("input[type=search]");
if (live && find) {
  let wait;
  find.addEventListener("input", () => {
    clearTimeout(wait);
    wait = setTimeout(() => {
      const to = new URL(location.href);
      if (find.value) to.searchParams.set("q", find.value);
      else to.searchParams.delete("q");
      history.replaceState(null, "", to);
      refresh();
    }, 150);
  });
}
