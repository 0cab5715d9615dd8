// Exact arithmetic on decimal strings, the same rules as the server's totals: integers only, halves away from zero.
export function parseDecimal(text, decimals) {
  let compact = text.replace(/[\s\u00a0\u202f]/g, "");
  if (compact.includes(",") && compact.includes(".")) {
    // The sign that comes last is the decimal one, the other separates thousands.
    const thousands = compact.lastIndexOf(".") > compact.lastIndexOf(",") ? "," : ".";
    compact = compact.replaceAll(thousands, "");
  }
  const match = /^([-+]?)(\d*)(?:[.,](\d*))?$/.exec(compact);
  if (!match || (!match[2] && !match[3])) return null;
  const fraction = (match[3] ?? "").padEnd(decimals, "0");
  if (/[1-9]/.test(fraction.slice(decimals))) return null;
  const value = BigInt(match[2] || "0") * 10n ** BigInt(decimals) + BigInt(fraction.slice(0, decimals) || "0");
  return match[1] === "-" ? -value : value;
}

export function divideHalfUp(amount, divisor) {
  const sign = amount < 0n ? -1n : 1n;
  return sign * ((2n * sign * amount + divisor) / (2n * divisor));
}

export function allocate(amount, weights) {
  const total = weights.reduce((sum, weight) => sum + weight, 0n);
  if (total === 0n) return weights.map((_, index) => (index === 0 ? amount : 0n));
  const parts = weights.map((weight) => (amount * weight) / total);
  const rests = weights.map((weight, index) => [(amount * weight) % total, index]);
  let left = amount - parts.reduce((sum, part) => sum + part, 0n);
  rests.sort((a, b) => (a[0] === b[0] ? a[1] - b[1] : a[0] > b[0] ? -1 : 1));
  for (const [, index] of rests) {
    if (left <= 0n) break;
    parts[index] += 1n;
    left -= 1n;
  }
  return parts;
}

export function format(minor, currency, digits, locale) {
  const text = (minor < 0n ? -minor : minor).toString().padStart(digits + 1, "0");
  const whole = text.slice(0, text.length - digits);
  const value = digits ? `${whole}.${text.slice(-digits)}` : whole;
  const style = { style: "currency", currency, minimumFractionDigits: digits, maximumFractionDigits: digits };
  return new Intl.NumberFormat(locale, style).format(`${minor < 0n ? "-" : ""}${value}`);
}
