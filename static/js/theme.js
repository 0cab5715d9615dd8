// Loaded before the first paint, so that a saved theme never flashes.
{
  const root = document.documentElement;
  const saved = localStorage.getItem("theme");
  if (saved) root.dataset.theme = saved;
}
