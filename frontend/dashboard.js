import { followReports } from "./api/report.js";
import { confidenceChart } from "./charts/confidence.js";
import { latencyChart } from "./charts/latency.js";
import { trafficChart } from "./charts/traffic.js";
import "./components/chart-figure/chart-figure.js";
import "./components/drift-panel/drift-panel.js";
import "./components/live-status/live-status.js";
import "./components/pipeline-health/pipeline-health.js";
import "./components/quality-panel/quality-panel.js";
import "./components/recent-predictions/recent-predictions.js";
import "./components/summary-figures/summary-figures.js";
import "./components/window-picker/window-picker.js";
import { windowFromAddress } from "./lib/report-windows.js";

const CHARTS = { traffic: trafficChart, confidence: confidenceChart, latency: latencyChart };

const liveStatus = document.querySelector("live-status");
const windowPicker = document.querySelector("window-picker");
const panels = document.querySelector(".panels");
let following = new AbortController();

/** Show the window that the address names, and keep it current until another one is asked for. */
async function follow() {
  following.abort();
  following = new AbortController();
  const { signal } = following;
  const name = windowFromAddress(location.search);
  windowPicker.value = name;
  panels.setAttribute("aria-busy", "true");
  let since = null;
  liveStatus.state = { connection: "connecting", since };
  try {
    for await (const { connection, report, problem } of followReports(name, { signal })) {
      if (connection !== "lost") since = new Date();
      if (report) show(report);
      liveStatus.state = { connection, since, problem };
      panels.toggleAttribute("data-stale", connection === "lost");
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

function show(report) {
  document.querySelector(".empty").hidden = report.predictions.total > 0;
  for (const panel of panels.children) {
    if (panel.dataset.chart) panel.chart = CHARTS[panel.dataset.chart](report);
    else panel.report = report;
  }
  panels.setAttribute("aria-busy", "false");
}

windowPicker.addEventListener("window-chosen", ({ detail }) => {
  history.pushState(null, "", detail.address);
  follow();
});
window.addEventListener("popstate", follow);
// A browser keeps six connections to a host: tabs that nobody looks at must not hold them.
document.addEventListener("visibilitychange", () => (document.hidden ? following.abort() : follow()));
follow();
