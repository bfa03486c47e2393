/**
 * Numbers and times as people read them. Inside everything is 0..1, seconds and ISO times; percent and milliseconds are
 * for the screen. A value that is not there (null: an empty window has no median) reads as MISSING.
 */

export const MISSING = "–";
const THIN_SPACE = "\u202f";
const LANGUAGE = "en"; // the language of the pages: numbers follow the words around them

function present(value) {
  return typeof value === "number" && Number.isFinite(value);
}

/** At most `digits` after the point; exactly so many where `padded`, so that numbers under each other line up. */
function rounded(value, digits, { padded = false } = {}) {
  const minimumFractionDigits = padded ? digits : 0;
  return new Intl.NumberFormat(LANGUAGE, { minimumFractionDigits, maximumFractionDigits: digits }).format(value);
}

export function count(value) {
  return present(value) ? rounded(value, 0) : MISSING;
}

/** 1 -> "1 cat", 1234 -> "1,234 cats". */
export function counted(value, one, many) {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** 0.962 -> "96.2 %". Never rounds up to certainty: 0.9999 is "> 99.9 %". */
export function percent(fraction) {
  if (!present(fraction)) return MISSING;
  if (fraction >= 0.9995 && fraction < 1) return `>${THIN_SPACE}99.9${THIN_SPACE}%`;
  if (fraction > 0 && fraction < 0.0005) return `<${THIN_SPACE}0.1${THIN_SPACE}%`;
  return `${rounded(fraction * 100, 1, { padded: fraction > 0 && fraction < 1 })}${THIN_SPACE}%`;
}

/** 0.5 -> "50 %": for the marks of an axis and the names of bins. */
export function wholePercent(fraction) {
  return `${rounded(fraction * 100, 0)}${THIN_SPACE}%`;
}

/** Three significant digits are what a latency is worth: 0.412 ms, 6.04 ms, 14.2 ms, 1,834 ms. */
export function milliseconds(value) {
  if (!present(value)) return MISSING;
  const digits = value === 0 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return `${rounded(value, Math.min(digits, 3), { padded: true })}${THIN_SPACE}ms`;
}

export function perSecond(value) {
  if (!present(value)) return MISSING;
  if (value > 0 && value < 0.01) return `<${THIN_SPACE}0.01 a second`;
  return `${rounded(value, 2)} a second`;
}

export function decimal(value, digits = 3) {
  return present(value) ? rounded(value, digits, { padded: true }) : MISSING;
}

export function pValue(value) {
  return present(value) && value < 0.001 ? `<${THIN_SPACE}0.001` : decimal(value);
}

/** 75 -> "1 minute", for sentences such as "1 minute ago". */
export function duration(seconds) {
  if (!present(seconds)) return MISSING;
  const [size, unit] = [[86400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]].find(([size]) => seconds >= size) ?? [1, "second"];
  return new Intl.NumberFormat(LANGUAGE, { style: "unit", unit, unitDisplay: "long" }).format(Math.floor(seconds / size));
}

export function bytes(value) {
  if (!present(value)) return MISSING;
  if (value < 1000) return `${rounded(value, 0)} bytes`;
  return value < 999_500 ? `${rounded(value / 1000, 0)}${THIN_SPACE}KB` : `${rounded(value / 1_000_000, 1)}${THIN_SPACE}MB`;
}

/** The visitor's own clock. `precision`: "second", "minute", "day and minute". */
export function clockTime(time, { precision = "second", timeZone } = {}) {
  const date = time instanceof Date ? time : new Date(time ?? NaN);
  if (Number.isNaN(date.getTime())) return MISSING;
  const options = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone };
  if (precision === "second") options.second = "2-digit";
  if (precision === "day and minute") Object.assign(options, { day: "numeric", month: "short" });
  return new Intl.DateTimeFormat("en-GB", options).format(date);
}
