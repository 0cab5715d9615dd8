// The preview of a brand wears the colours that its fragment names; a strict CSP allows no inline style.
function wear() {
  for (const set of document.querySelectorAll(".mock-set")) {
    set.style.setProperty("--mock-fill", set.dataset.fill);
    set.style.setProperty("--mock-on-fill", set.dataset.onFill);
    set.style.setProperty("--mock-text", set.dataset.text);
  }
}

// A logo that was just chosen is shown before it is uploaded.
let chosen = "";

function showChosen() {
  if (!chosen) return;
  for (const place of document.querySelectorAll(".mock-set :is(.logo, .brand-logo)")) {
    const picture = document.createElement("img");
    picture.className = "brand-logo";
    picture.alt = "";
    picture.src = chosen;
    place.replaceWith(picture);
  }
}

document.addEventListener("change", (event) => {
  const input = event.target;
  if (!input.matches?.(".brand-editor input[type=file]")) return;
  const reader = new FileReader();
  reader.addEventListener("load", () => {
    chosen = reader.result;
    showChosen();
  });
  if (input.files[0]?.type.startsWith("image/")) reader.readAsDataURL(input.files[0]);
});

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.target.id !== "brand-preview") return;
  wear();
  showChosen();
});
wear();
