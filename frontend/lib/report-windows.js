const REPORT_WINDOWS = ["15m", "1h", "24h", "7d"];
const DEFAULT_WINDOW = "1h";

/** The window that the address asks for; for an unknown one the default, as a mistyped link should still show something. */
export function windowFromAddress(search) {
  const name = new URLSearchParams(search).get("window");
  return REPORT_WINDOWS.includes(name) ? name : DEFAULT_WINDOW;
}
