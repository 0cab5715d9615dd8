// The invoice editor: rows come and go, totals follow each key. The server computes them again and is right.
import { allocate, divideHalfUp, format, parseDecimal } from "./money.js";

const QUANTITY_DIGITS = 6;
const RATE_DIGITS = 4;
const editor = document.querySelector("[data-invoice-editor]");

if (editor) {
  const rows = editor.querySelector("[data-rows]");
  const template = editor.querySelector("template");
  const total = editor.querySelector("[name=lines-TOTAL_FORMS]");
  const digitsOf = JSON.parse(editor.dataset.digits);
  const field = (row, name) => row.querySelector(`[name$="-${name}"]`);
  const currency = () => editor.querySelector("[name=currency]").value;

  const read = (row, digits) => {
    const quantity = parseDecimal(field(row, "quantity").value, QUANTITY_DIGITS);
    const price = parseDecimal(field(row, "unit_price").value, digits);
    const discount = parseDecimal(field(row, "discount")?.value || "0", digits);
    const rate = parseDecimal(field(row, "tax_rate").value || "0", RATE_DIGITS);
    if ([quantity, price, discount, rate].includes(null)) return null;
    return { net: divideHalfUp(quantity * price, 10n ** BigInt(QUANTITY_DIGITS)) - discount, rate };
  };

  const compute = () => {
    const code = currency();
    const digits = digitsOf[code] ?? 2;
    const show = (minor) => format(minor, code, digits, document.documentElement.lang);
    const groups = new Map();
    let net = 0n;
    for (const row of rows.querySelectorAll("[data-row]:not([hidden])")) {
      const line = read(row, digits);
      row.querySelector("output").value = line ? show(line.net) : "–";
      if (!line) continue;
      net += line.net;
      groups.set(line.rate, (groups.get(line.rate) ?? 0n) + line.net);
    }
    const discount = parseDecimal(editor.querySelector("[name=discount]")?.value || "0", digits) ?? 0n;
    const rates = [...groups.keys()].sort((a, b) => (a < b ? -1 : 1));
    const bases = rates.map((rate) => groups.get(rate));
    const shares = bases.length ? allocate(discount, bases.map((base) => (base > 0n ? base : 0n))) : [];
    let tax = 0n;
    rates.forEach((rate, index) => {
      tax += divideHalfUp((bases[index] - shares[index]) * rate, 100n * 10n ** BigInt(RATE_DIGITS));
    });
    editor.querySelector("[data-subtotal]").value = show(net);
    editor.querySelector("[data-discount]").value = show(-discount);
    editor.querySelector("[data-tax]").value = show(tax);
    editor.querySelector("[data-total]").value = show(net - discount + tax);
  };

  // A script changes no field by hand, so the guard of unsaved changes must be told.
  const changed = () => editor.dispatchEvent(new Event("input", { bubbles: true }));

  const add = () => {
    const index = total.value;
    const before = rows.querySelector("[data-row]:not([hidden]):last-child");
    const holder = document.createElement("div");
    holder.innerHTML = template.innerHTML.replaceAll("__prefix__", index);
    rows.append(...holder.children);
    total.value = Number(index) + 1;
    const row = rows.lastElementChild;
    field(row, "quantity").value = "1";
    field(row, "tax_rate").value = before ? field(before, "tax_rate").value : "";
    row.querySelector("input").focus();
    changed();
  };

  const remove = (row) => {
    // The row stays in the form, marked, so that the server's numbering of rows holds.
    field(row, "DELETE").checked = true;
    row.hidden = true;
    editor.querySelector("[data-add-row]").focus();
    changed();
  };

  editor.addEventListener("input", compute);
  editor.addEventListener("change", compute);
  editor.addEventListener("click", (event) => {
    if (event.target.closest("[data-add-row]")) add();
    const remover = event.target.closest("[data-remove-row]");
    if (remover) remove(remover.closest("[data-row]"));
  });
  compute();
}
