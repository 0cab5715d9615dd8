// What this device remembers. Where site data is blocked, a choice lasts as long as the page.
export function recall(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

export function remember(name, value) {
  try {
    if (value === null) localStorage.removeItem(name);
    else localStorage.setItem(name, value);
  } catch {
    // Nothing to be done: the choice still holds on this page.
  }
}
