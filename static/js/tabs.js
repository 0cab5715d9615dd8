// Where the tabs are wider than the window, the present one is brought into sight.
for (const tab of document.querySelectorAll(".tabs > [aria-current]")) {
  const strip = tab.parentElement;
  const [shown, view] = [tab.getBoundingClientRect(), strip.getBoundingClientRect()];
  if (strip.scrollWidth > strip.clientWidth) {
    strip.scrollLeft += (shown.left + shown.right - view.left - view.right) / 2;
  }
}
