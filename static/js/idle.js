// A session ends after half an hour without use. Whoever works keeps it silently; whoever does not is asked two
// minutes before. All tabs of a browser count together: what one of them renews, the others hear of.
const dialog = document.querySelector("[data-idle]");
const WARN_BEFORE = 120000;
const RENEW_AFTER = 300000;
const LOOK_EVERY = 1000;
const SIGNS_OF_WORK = ["pointerdown", "keydown", "scroll", "input"];

if (dialog) {
  const left = dialog.querySelector("[data-idle-left]");
  const said = dialog.querySelector("[data-idle-said]");
  const tabs = new BroadcastChannel("insula-session");
  const token = JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];
  let lifetime = Number(dialog.dataset.idle) * 1000;
  let renewedAt = Date.now();
  let workedAt = 0;
  let isAsking = false;

  const renewed = (seconds) => {
    lifetime = seconds * 1000;
    renewedAt = Date.now();
    if (dialog.open) dialog.close();
  };

  const renew = async () => {
    if (isAsking) return;
    isAsking = true;
    try {
      const answer = await fetch(dialog.dataset.renewUrl, {
        method: "POST",
        headers: { "X-CSRFToken": token, "HX-Request": "true" },
      });
      // Signed out meanwhile: the server says where to.
      if (answer.status === 401 || answer.status === 403) location.reload();
      if (!answer.ok) return;
      const seconds = Number(answer.headers.get("X-Session-Seconds"));
      renewed(seconds);
      tabs.postMessage({ seconds });
    } catch {
      // Without a network the next look tries again.
    } finally {
      isAsking = false;
    }
  };

  const warn = (remaining) => {
    const seconds = Math.ceil(remaining / 1000);
    const text = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    if (left.textContent !== text) left.textContent = text;
    if (dialog.open) return;
    said.textContent = said.dataset.idleSaid;
    dialog.showModal();
  };

  const look = () => {
    const now = Date.now();
    const remaining = renewedAt + lifetime - now;
    const isWarning = dialog.open || remaining <= WARN_BEFORE;
    if (remaining <= 0) location.reload();
    else if (workedAt > renewedAt && !isWarning && now - renewedAt >= RENEW_AFTER) renew();
    else if (workedAt > renewedAt && !dialog.open && isWarning) renew();
    else if (isWarning) warn(remaining);
  };

  for (const sign of SIGNS_OF_WORK) {
    // What is done within the dialog is its buttons' matter.
    const note = () => { if (!dialog.open) workedAt = Date.now(); };
    document.addEventListener(sign, note, { passive: true, capture: true });
  }
  tabs.onmessage = (event) => renewed(event.data.seconds);
  dialog.addEventListener("close", () => { if (dialog.returnValue === "stay") renew(); });
  dialog.addEventListener("cancel", () => { dialog.returnValue = "stay"; });
  document.addEventListener("visibilitychange", look);
  setInterval(look, LOOK_EVERY);
}
