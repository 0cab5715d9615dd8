// Search and commands: what this page offers and where one can go are filtered here, objects are searched by the server.
const palette = document.getElementById("palette");
const APPLE = /Mac|iPhone|iPad/.test(navigator.userAgent);

if (APPLE) document.querySelectorAll("[data-chord]").forEach((key) => (key.textContent = "⌘K"));

// A button of the page as an entry that presses it; links that are commands anyway are not said twice.
function entryOf(control, known) {
  if (control.href && known.includes(control.href)) return null;
  const entry = document.createElement("button");
  entry.type = "button";
  entry.append(...[...control.childNodes].map((node) => node.cloneNode(true)));
  entry.addEventListener("click", () => {
    palette.close();
    control.click();
  });
  const item = document.createElement("li");
  item.append(entry);
  return item;
}

if (palette) {
  const query = palette.querySelector("input");
  const found = palette.querySelector("#palette-found");
  const page = palette.querySelector("[data-page]");
  const entries = () => [...palette.querySelectorAll("li:not([hidden]) :is(a, button)")];

  const gather = () => {
    const known = [...palette.querySelectorAll("[data-commands] a")].map((link) => link.href);
    const controls = [...document.querySelectorAll("main .page-header .btn")];
    const offered = controls.filter((control) => control.checkVisibility());
    page.replaceChildren(...offered.map((control) => entryOf(control, known)).filter(Boolean));
  };

  const filter = () => {
    const wanted = query.value.trim().toLowerCase();
    for (const item of palette.querySelectorAll(":is([data-page], [data-commands]) li")) {
      item.hidden = !item.textContent.toLowerCase().includes(wanted);
    }
    if (!wanted) found.replaceChildren();
  };

  const toggle = () => {
    if (palette.open) return palette.close();
    query.value = "";
    gather();
    filter();
    palette.showModal();
  };

  query.addEventListener("input", filter);
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-open=palette]")) toggle();
    if (event.target === palette) palette.close();
  });
  document.addEventListener("keydown", (event) => {
    if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      toggle();
    }
  });
  palette.addEventListener("keydown", (event) => {
    const all = entries();
    const at = all.indexOf(document.activeElement);
    if (event.key === "ArrowDown") (all[at + 1] ?? all[0])?.focus();
    else if (event.key === "ArrowUp") (all[at - 1] ?? query).focus();
    else if (event.key === "Enter" && at < 0) all[0]?.click();
    // A search field takes the first Escape to empty itself; here one press leaves.
    else if (event.key === "Escape") palette.close();
    else return;
    event.preventDefault();
  });
}
