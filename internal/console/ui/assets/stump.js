// What happens brings a live page up to date.
const { live, again } = document.body.dataset, by = (s) => document.querySelector(s);
let asked = 0, news, pause;

async function refresh(e) {
  if (e?.type === "end") news.close();
  const mine = ++asked, got = await fetch(location, { headers: { Accept: "text/html", "Stump-Part": "live" } });
  if (got.redirected || !got.ok) return;
  by("#away").hidden = true;
  const old = by("#live"), now = new DOMParser().parseFromString(await got.text(), "text/html").querySelector("#live");
  if (mine !== asked || !now) return;
  for (const e of old.querySelectorAll("details[open][id]")) now.querySelector("#" + e.id)?.toggleAttribute("open");
  const known = old.innerHTML.replaceAll(' class="fresh"', "");
  if (known === now.innerHTML || [...old.querySelectorAll("input")].some((e) => e.value !== e.defaultValue)) return; // one types
  for (const e of now.querySelectorAll("[data-device]")) e.classList.toggle("fresh", !known.includes(e.outerHTML));
  const at = document.activeElement.closest("#live [href], #live [id]"), key = at?.id ? "id" : "href";
  old.replaceWith(now);
  now.querySelector(`[${key}="${at?.getAttribute(key)}"]`)?.focus();
}

function watch() {
  news?.close();
  if (document.hidden && live === "/changes") return; // a self-test needs it
  news = new EventSource(live);
  for (const what of "open message say ask result summary end".split(" ")) news.addEventListener(what, refresh);
  news.onerror = () => {
    by("#away").hidden = false;
    if (news.readyState > 1) setTimeout(watch, 5e3); // was refused
  };
}

if (again) setInterval(() => fetch(location).then((a) => a.ok && location.reload(), () => 0), again * 1000);

if (live) (document.onvisibilitychange = watch)();

// The tab keeps what is typed until it is sent.
const tab = sessionStorage, who = by(".who")?.textContent, wrong = by("[role=alert]");
const key = ({ action, elements: { form, id } }) => [who, action, form?.value, id?.defaultValue] + "";
if (!wrong && performance.getEntriesByType("navigation")[0].type === "navigate") delete tab[tab.sent];
delete tab.sent;
for (const form of wrong ? [] : document.forms) for (const [name, value] of new URLSearchParams(tab[key(form)])) {
  try { form.elements[name].value = value; } catch {} // gone, or a file
}
oninput = ({ target: { form, type } }) => {
  const typed = new URLSearchParams(new FormData(form ?? undefined));
  if (who && form?.method === "post") tab[key(form)] = typed;
  clearTimeout(pause);
  if (live && type === "search") pause = setTimeout(() => {
    history.replaceState(0, "", "?" + typed);
    refresh();
  }, 150);
};
onsubmit = ({ target }) => target.action.endsWith("/logout") ? tab.clear() : tab.sent = key(target);
document.onclick = ({ target }) => { if (target.matches("form a")) delete tab[key(target.closest("form"))]; }; // anew

// The menu closes by Escape, and by going elsewhere.
const menu = by("nav details");
onclick = onkeyup = onpagehide = ({ key, target }) => {
  if (!menu?.open || menu.contains(target) && key !== "Escape") return;
  menu.open = false;
  if (menu.contains(target)) menu.firstChild.focus();
};
