// Search and commands: commands are filtered here, objects are searched by the server.
const palette = document.getElementById("palette");

if (palette) {
  const query = palette.querySelector("input");
  const links = () => [...palette.querySelectorAll("li:not([hidden]) a")];

  const filter = () => {
    const wanted = query.value.trim().toLowerCase();
    for (const item of palette.querySelectorAll("[data-commands] li")) {
      item.hidden = !item.textContent.toLowerCase().includes(wanted);
    }
  };

  const open = () => {
    if (palette.open) return palette.close();
    query.value = "";
    filter();
    palette.querySelector("#palette-found").replaceChildren();
    palette.showModal();
  };

  query.addEventListener("input", filter);
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-open=palette]")) open();
    if (event.target === palette) palette.close();
  });
  document.addEventListener("keydown", (event) => {
    if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      open();
    }
  });
  palette.addEventListener("keydown", (event) => {
    const all = links();
    const at = all.indexOf(document.activeElement);
    if (event.key === "ArrowDown") (all[at + 1] ?? all[0])?.focus();
    else if (event.key === "ArrowUp") (all[at - 1] ?? query).focus();
    else if (event.key === "Enter" && at < 0) all[0]?.click();
    else return;
    event.preventDefault();
  });
}
