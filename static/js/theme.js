// Loaded before the first paint, so that a saved theme never flashes. A browser that keeps nothing follows its system.
{
  let saved = null;
  try {
    saved = localStorage.getItem("theme");
  } catch {
    // Site data is blocked.
  }
  if (saved === "light" || saved === "dark") document.documentElement.dataset.theme = saved;
}
