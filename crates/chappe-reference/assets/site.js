// What the pages do besides being read: the choice of a language and of light or dark, which are
// remembered, buttons that copy, and the search, which is loaded when it is first wanted.
(() => {
  "use strict";
  const root = document.documentElement;
  const script = document.currentScript.getAttribute("src");
  const top = script.slice(0, -"site.js".length);
  // From a file some browsers grant no memory: then nothing is remembered.
  const memory = {
    get: (key) => { try { return localStorage.getItem(key); } catch { return null; } },
    set: (key, value) => { try { localStorage.setItem(key, value); } catch { /* not remembered */ } },
  };
  // A long name breaks between its words.
  const broken = (name) => name.split(/(?<=[a-z.])(?=[A-Z])|(?<=[._])/).flatMap((part, index) => index ? [document.createElement("wbr"), part] : [part]);
  const element = (name, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  };

  // Before anything is painted.
  const theme = memory.get("theme");
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  const language = memory.get("language");
  if (/^[a-z]+$/.test(language ?? "")) root.dataset.language = language;

  addEventListener("DOMContentLoaded", () => {
    tools();
    languages();
    copying();
  });
  addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("main details:not([open])")) details.open = true;
  });

  function tools() {
    const search = element("button", { type: "button", className: "search" }, "Search", element("kbd", {}, "/"));
    search.addEventListener("click", open);
    const sun = '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M12 3a9 9 0 0 0 0 18z"/><circle cx="12" cy="12" r="8" fill="none" stroke="currentColor" stroke-width="2"/></svg>';
    const button = element("button", { type: "button", className: "theme", innerHTML: sun });
    const isDark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    const name = () => button.setAttribute("aria-label", isDark() ? "Change to light" : "Change to dark");
    button.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      memory.set("theme", root.dataset.theme);
      name();
    });
    name();
    document.getElementById("tools").append(search, button);
    addEventListener("keydown", (event) => {
      // A search that was closed may have the focus still.
      const closed = dialog && !dialog.open && dialog.contains(event.target);
      const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) && event.target.type !== "radio" && !closed;
      const wanted = (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey)
        || (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey);
      if (wanted) {
        event.preventDefault();
        open();
      }
    });
  }

  function languages() {
    const radios = [...document.querySelectorAll(".tabs > input")];
    if (!radios.some((radio) => radio.value === root.dataset.language)) delete root.dataset.language;
    for (const radio of radios) {
      if (radio.value === root.dataset.language) radio.checked = true;
      radio.addEventListener("change", () => {
        root.dataset.language = radio.value;
        memory.set("language", radio.value);
      });
    }
  }

  function copying() {
    const said = element("span", { className: "sr" });
    said.setAttribute("role", "status");
    document.body.append(said);
    for (const code of document.querySelectorAll(".code")) {
      const button = element("button", { type: "button", className: "copy" }, "Copy");
      const label = code.querySelector("pre").getAttribute("aria-label");
      button.setAttribute("aria-label", `Copy: ${label}`);
      button.addEventListener("click", async () => {
        const done = await copy(code.querySelector("code"));
        button.textContent = said.textContent = done ? "Copied" : "Press Ctrl+C";
        setTimeout(() => { button.textContent = "Copy"; said.textContent = ""; }, 2000);
      });
      code.append(button);
    }
  }

  /** Copies the text of an element, or selects it where that is not allowed. */
  async function copy(code) {
    try {
      await navigator.clipboard.writeText(code.textContent);
      return true;
    } catch {
      getSelection().selectAllChildren(code);
      return document.execCommand("copy");
    }
  }

  // The search.
  let dialog, input, list, status, hits = [], chosen = 0, loading;

  function load() {
    loading ??= ["search-index.js", "search.js"].reduce((before, file) => before.then(() => new Promise((good, bad) => {
      document.head.append(element("script", { src: top + file, onload: good, onerror: () => bad(new Error(file)) }));
    })), Promise.resolve());
    return loading;
  }

  async function open() {
    if (!dialog) build();
    if (!dialog.open) dialog.showModal();
    input.select();
    try {
      await load();
      if (input.value) find();
    } catch (error) {
      loading = undefined;
      status.textContent = `The search could not be loaded: ${error.message}`;
    }
  }

  function build() {
    input = element("input", { type: "search", autocomplete: "off", spellcheck: false, placeholder: "A name, an id, or words of what it does" });
    list = element("div", { id: "hits" });
    status = element("p", {});
    dialog = element("dialog", {}, input, status, list);
    for (const [name, value] of [["role", "combobox"], ["aria-label", "Search"], ["aria-expanded", "false"], ["aria-controls", "hits"], ["aria-autocomplete", "list"]]) input.setAttribute(name, value);
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", "Found");
    status.setAttribute("role", "status");
    dialog.setAttribute("aria-label", "Search");
    document.body.append(dialog);
    input.addEventListener("input", find);
    input.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (step && hits.length > 0) {
        event.preventDefault();
        choose((chosen + step + hits.length) % hits.length);
      } else if (event.key === "Enter" && hits.length > 0) {
        event.preventDefault();
        list.children[chosen].click();
      } else if (event.key === "Escape") {
        // Chromium empties a field of search first; one press is enough here.
        event.preventDefault();
        dialog.close();
      }
    });
    dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  }

  function find() {
    const query = input.value.trim();
    if (!globalThis.chappeSearch) return;
    hits = query ? globalThis.chappeSearch(query, 30, find) : [];
    list.replaceChildren(...hits.map((hit, index) => {
      const row = element("a", { href: top + hit.address, id: `hit-${index}`, tabIndex: -1 },
        element("small", {}, hit.why ? `${hit.kind} · ${hit.why}` : hit.kind), element("code", {}, ...broken(hit.name)), element("span", {}, hit.about));
      row.setAttribute("role", "option");
      row.addEventListener("mousemove", () => choose(index, false));
      return row;
    }));
    input.setAttribute("aria-expanded", String(hits.length > 0));
    status.textContent = !query ? "" : hits.length === 0 ? "Nothing has this name or these words." : hits.length === 1 ? "1 page" : `${hits.length === 30 ? "The best 30" : hits.length} pages`;
    choose(0);
  }

  function choose(index, scrolls = true) {
    list.children[chosen]?.setAttribute("aria-selected", "false");
    chosen = index;
    const row = list.children[chosen];
    row?.setAttribute("aria-selected", "true");
    if (scrolls) row?.scrollIntoView({ block: "nearest" });
    if (row) input.setAttribute("aria-activedescendant", row.id);
    else input.removeAttribute("aria-activedescendant");
  }
})();
