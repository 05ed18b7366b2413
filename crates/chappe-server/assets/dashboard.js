// Keeps the parts of a page that are marked `data-live` up to date: it fetches the same page again
// and puts in what changed. Without it, reloading the page does the same.
"use strict";

(() => {
  // What answered a button that did not work has no address of its own that could be asked again.
  const [shown] = performance.getEntriesByType("navigation");
  if (shown && shown.responseStatus >= 400) return;

  const every = 1500;
  const pause = document.getElementById("pause");
  const parts = () => document.querySelectorAll("[data-live][id]");
  let stopped = false;
  let busy = false;
  let leaving = false;
  let byKeyboard = false;
  let asking = new AbortController();

  const keyOf = (element) => element.id || element.getAttribute("href");

  /** Whether somebody marks text in there, which a new part would undo. */
  const isMarked = (part) => {
    const marked = document.getSelection();
    return marked && !marked.isCollapsed && marked.containsNode(part, true);
  };

  /** Puts the new part in; what had the focus has it again. */
  const replace = (part, fresh) => {
    const { activeElement: held } = document;
    const focus = part.contains(held) ? keyOf(held) : null;
    part.replaceChildren(...fresh.childNodes);
    if (focus === null) return;
    const again = [...part.querySelectorAll("a, button, input, [tabindex]")];
    const found = again.find((element) => keyOf(element) === focus);
    if (found) found.focus({ preventScroll: true, focusVisible: byKeyboard });
  };

  const tell = (text) => {
    let place = document.getElementById("stale");
    if (!place) {
      if (!text) return;
      place = document.createElement("p");
      place.id = "stale";
      place.setAttribute("role", "status");
      document.getElementById("content").prepend(place);
    }
    if (place.textContent === text) return;
    place.textContent = text;
    place.className = text ? "stale" : "unseen";
  };

  const look = async () => {
    if (stopped || leaving || busy || document.hidden) return;
    busy = true;
    asking = new AbortController();
    try {
      const answer = await fetch(location.href, { cache: "no-store", redirect: "error", signal: asking.signal });
      if (answer.status === 403) {
        tell("The server was started anew: open the link that it printed.");
        return;
      }
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const part of parts()) {
        const fresh = page.getElementById(part.id);
        if (fresh && fresh.innerHTML !== part.innerHTML && !isMarked(part)) replace(part, fresh);
      }
      if (page.title) document.title = page.title;
      tell("");
    } catch {
      if (!leaving) tell("The server does not answer. This page shows what was there last.");
    } finally {
      busy = false;
    }
  };

  pause.hidden = false;
  pause.addEventListener("click", () => {
    stopped = !stopped;
    pause.textContent = stopped ? "Update this page again" : "Stop updating this page";
    look();
  });
  document.addEventListener("visibilitychange", look);
  // How the focus came to where it is: browsers differ in what they show of one that a script puts back.
  document.addEventListener("keydown", () => (byKeyboard = true), true);
  document.addEventListener("pointerdown", () => (byKeyboard = false), true);
  // What a button ends is not there any more for who asks after it.
  document.addEventListener("submit", () => {
    leaving = true;
    asking.abort();
  });
  window.addEventListener("pageshow", () => (leaving = false));
  setInterval(look, every);
})();
