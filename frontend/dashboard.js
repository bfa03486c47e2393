import { fetchModels } from "./api/models.js";
import { Problem } from "./api/problem.js";
import { followReports } from "./api/report.js";
import { calibrationChart } from "./charts/calibration.js";
import { catRatioChart } from "./charts/cat-ratio.js";
import { confidenceChart } from "./charts/confidence.js";
import { latencyChart } from "./charts/latency.js";
import { percentilesChart } from "./charts/percentiles.js";
import { trafficChart } from "./charts/traffic.js";
import "./components/chart-figure/chart-figure.js";
import "./components/data-numbers/data-numbers.js";
import "./components/drift-panel/drift-panel.js";
import "./components/live-status/live-status.js";
import "./components/pipeline-health/pipeline-health.js";
import "./components/quality-panel/quality-panel.js";
import "./components/recent-predictions/recent-predictions.js";
import "./components/report-model/report-model.js";
import "./components/summary-figures/summary-figures.js";
import "./components/window-picker/window-picker.js";
import { addressWith } from "./lib/address.js";
import { html, update } from "./lib/html.js";
import { modelChoices, modelFromAddress } from "./lib/model-choice.js";
import { pause } from "./lib/pause.js";
import { filterFromAddress } from "./lib/recent-filter.js";
import { reportWords } from "./lib/report-words.js";
import { windowFromAddress } from "./lib/report-windows.js";

const CHARTS = {
  traffic: trafficChart,
  "cat-ratio": catRatioChart,
  confidence: confidenceChart,
  calibration: calibrationChart,
  latency: latencyChart,
  percentiles: percentilesChart,
};

const liveStatus = document.querySelector("live-status");
const windowPicker = document.querySelector("window-picker");
const reportModel = document.querySelector("report-model");
const recentPredictions = document.querySelector("recent-predictions");
const panels = document.querySelector(".panels");

let following = new AbortController();
let choices = []; // of models; none while the list is not to be had
let shown = { question: null, since: null }; // what the numbers on the page answer, and when they were last current

/** Show the report that the address asks for, and keep it current until another one is asked for. */
async function follow() {
  following.abort();
  following = new AbortController();
  const { signal } = following;
  const question = { window: windowFromAddress(location.search), model: modelFromAddress(location.search) };
  const isShown = () => JSON.stringify(shown.question) === JSON.stringify(question);
  const tell = (state) => {
    liveStatus.state = { ...state, since: isShown() ? shown.since : null, isOther: shown.question !== null && !isShown() };
    panels.setAttribute("aria-busy", String(!isShown()));
    panels.toggleAttribute("data-stale", state.connection === "lost");
  };
  showChoices();
  tell({ connection: "connecting" });
  let isListed = false;
  try {
    for await (const { connection, report, problem } of followReports(question, { signal })) {
      if (report) {
        await show(report, signal);
        shown = { question, since: new Date() };
      }
      tell({ connection, problem });
      if (connection === "lost") isListed = false; // whoever was away may come back with other models
      else if (!isListed) isListed = await listModels(signal);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** One panel at a time, so that the page answers its visitor in between. */
async function show(report, signal) {
  update(document.querySelector(".subject"), subject(report));
  for (const panel of panels.children) {
    if (panel.dataset.chart) panel.chart = CHARTS[panel.dataset.chart](report);
    else panel.report = report;
    await pause(0, signal);
    signal.throwIfAborted();
  }
}

function subject(report) {
  if (report.predictions.total > 0) return html`${reportWords(report)}`;
  return html`No photo was classified in this time (${reportWords(report)}). <a href="/">Send one</a>, and it appears here by itself.`;
}

/** Returns: whether the models are listed now. */
async function listModels(signal) {
  try {
    choices = modelChoices(await fetchModels());
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return false;
  }
  if (!signal.aborted) showChoices();
  return true;
}

function showChoices() {
  windowPicker.show(windowFromAddress(location.search), location);
  reportModel.show(choices, modelFromAddress(location.search));
}

function ask(changes) {
  history.pushState(null, "", addressWith(location, changes));
  follow();
}

windowPicker.addEventListener("window-chosen", ({ detail }) => ask({ window: detail.name }));
reportModel.addEventListener("model-chosen", ({ detail }) => ask({ model: detail.id }));
recentPredictions.addEventListener("filter-chosen", ({ detail }) => {
  history.replaceState(null, "", addressWith(location, detail.filter)); // not a step back for each letter
  showChoices();
});
window.addEventListener("popstate", () => {
  recentPredictions.filter = filterFromAddress(location.search);
  follow();
});
// A browser keeps six connections to a host: tabs that nobody looks at must not hold them.
document.addEventListener("visibilitychange", () => (document.hidden ? following.abort() : follow()));
recentPredictions.filter = filterFromAddress(location.search);
follow();
