// Parts of a page that keep themselves up to date; without script the page is opened again.
"use strict";

const parts = document.querySelectorAll("[data-poll][id]");

async function renew(part) {
  if (document.hidden || part.contains(document.activeElement)) return;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(part.id);
  if (fresh && fresh.innerHTML !== part.innerHTML) part.replaceChildren(...fresh.childNodes);
  if (!fresh || !fresh.hasAttribute("data-poll")) part.removeAttribute("data-poll");
}

async function follow(part) {
  while (part.hasAttribute("data-poll")) {
    await new Promise((resolve) => { setTimeout(resolve, 1000 * Number(part.dataset.poll)); });
    // A server that is starting again answers the next time.
    try { await renew(part); } catch { continue; }
  }
}

for (const part of parts) follow(part);

// A page that could not be made is opened again once it can be.
const waiting = document.querySelector("[data-until]");
async function wait() {
  for (;;) {
    await new Promise((resolve) => { setTimeout(resolve, 1000 * Number(waiting.dataset.until)); });
    if (document.hidden) continue;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (answer.ok) { location.reload(); return; }
    } catch { continue; }
  }
}
if (waiting) wait();
