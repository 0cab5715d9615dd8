// Theme switch, sidebar on phones, and popovers where anchor positioning is missing.
const root = document.documentElement;

function toggleTheme() {
  const prefersDark = matchMedia("(prefers-color-scheme: dark)").matches;
  const isDark = root.dataset.theme === "dark" || (root.dataset.theme === "system" && prefersDark);
  root.dataset.theme = isDark ? "light" : "dark";
  localStorage.setItem("theme", root.dataset.theme);
}

function toggleSide(button) {
  const side = document.getElementById("side");
  const open = side.toggleAttribute("data-open");
  button.setAttribute("aria-expanded", String(open));
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-theme-toggle]")) toggleTheme();
  const opener = event.target.closest("[data-toggle=side]");
  if (opener) toggleSide(opener);
  else if (!event.target.closest("#side")) document.getElementById("side")?.removeAttribute("data-open");
});

// The stylesheet anchors menus to their buttons; older engines get the place computed.
if (!CSS.supports("position-area: block-end")) {
  document.addEventListener(
    "toggle",
    (event) => {
      const menu = event.target;
      if (event.newState !== "open" || !menu.matches?.(".menu[popover]")) return;
      const button = document.querySelector(`[popovertarget="${menu.id}"]`);
      const box = button.getBoundingClientRect();
      const left = Math.min(box.left, innerWidth - menu.offsetWidth - 8);
      menu.style.setProperty("inset-block-start", `${box.bottom + 6}px`);
      menu.style.setProperty("inset-inline-start", `${Math.max(8, left)}px`);
    },
    true,
  );
}
