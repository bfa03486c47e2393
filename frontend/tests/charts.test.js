import assert from "node:assert/strict";
import { test } from "node:test";
import { calibrationChart } from "../charts/calibration.js";
import { catRatioChart } from "../charts/cat-ratio.js";
import { confidenceChart } from "../charts/confidence.js";
import { driftNumbers } from "../charts/drift.js";
import { latencyChart } from "../charts/latency.js";
import { percentilesChart } from "../charts/percentiles.js";
import { trafficChart } from "../charts/traffic.js";
import { chartConfiguration } from "../components/chart-figure/chart-configuration.js";

const CHARTS = [trafficChart, catRatioChart, confidenceChart, calibrationChart, latencyChart, percentilesChart];
const NOT_JUDGED = { count: 0, confidence: null, accuracy: null, low: null, high: null };
const REPORT = {
  window: { name: "1h", seconds: 3600 },
  predictions: { total: 7, cat_ratio: 4 / 7 },
  latency_ms: { count: 7, avg: 5.5, p50: 5, p95: 9, p99: 9.5, max: 12, stages: { decode: { p50: 3 }, forward: { p50: 1 } } },
  confidence: { bin_edges: [0.5, 0.75, 1], counts: [2, 5], by_label: { cat: [1, 3], "non-cat": [1, 2] }, mean: 0.8 },
  quality: {
    feedback: { count: 3, calibration_error: 0.1, calibration: [NOT_JUDGED, { count: 3, confidence: 0.9, accuracy: 0.8, low: 0.3, high: 0.97 }] },
  },
  series: [
    { time: "2026-01-01T10:00:00Z", total: 5, cat: 2, p50_ms: 5, p95_ms: 9 },
    { time: "2026-01-01T10:01:00Z", total: 0, cat: 0, p50_ms: null, p95_ms: null },
    { time: "2026-01-01T10:02:00Z", total: 2, cat: 2, p50_ms: 4, p95_ms: 4 },
  ],
};
const EMPTY = {
  ...REPORT,
  predictions: { total: 0, cat_ratio: null },
  latency_ms: { count: 0, avg: null, p50: null, p95: null, p99: null, max: null, stages: { decode: { p50: null }, forward: { p50: null } } },
  confidence: { bin_edges: [0.5, 0.75, 1], counts: [0, 0], by_label: { cat: [0, 0], "non-cat": [0, 0] }, mean: null },
  quality: { feedback: { count: 0, calibration_error: null, calibration: [NOT_JUDGED, NOT_JUDGED] } },
  series: [],
};
const THEME = { colour: (name) => name, font: "sans" };

test("traffic is cats and others, which add up to the total", () => {
  const { series, rows } = trafficChart(REPORT);
  assert.deepEqual(series.map(({ values }) => values), [[2, 0, 2], [3, 0, 0]]);
  assert.deepEqual(rows.map((row) => row.slice(1)), [["2", "3"], ["0", "0"], ["2", "0"]]);
});

test("where nothing was measured a latency is missing, not zero", () => {
  const { series, rows } = latencyChart(REPORT);
  assert.equal(series[0].values[1], null);
  assert.deepEqual(rows[1].slice(1), ["–", "–"]);
});

test("a bin of confidence is called by its edges", () => {
  assert.deepEqual(confidenceChart(REPORT).labels, ["50–75\u202f%", "75–100\u202f%"]);
});

test("every chart has a table that says what it draws, one row a label", () => {
  for (const chart of CHARTS.map((make) => make(REPORT))) {
    assert.equal(chart.rows.length, chart.labels.length);
    for (const row of chart.rows) assert.equal(row.length, chart.columns.length);
    for (const { values, ranges } of chart.series) assert.equal((values ?? ranges).length, chart.labels.length);
  }
});

test("the file of a chart has a row for each label, in numbers and not in words", () => {
  for (const { raw, labels } of CHARTS.map((make) => make(REPORT))) {
    assert.match(raw.name, /^[a-z-]+-1h$/);
    assert.equal(raw.rows.length, labels.length);
    for (const row of raw.rows) assert.equal(row.length, raw.columns.length);
  }
  assert.deepEqual(latencyChart(REPORT).raw.rows[1], ["2026-01-01T10:01:00Z", null, null]);
  assert.deepEqual(confidenceChart(REPORT).raw.rows[0], [0.5, 0.75, 1, 1]);
  assert.deepEqual(percentilesChart(REPORT).raw.rows[0], ["decode_p50", 3]);
  assert.deepEqual(calibrationChart(REPORT).series.map(({ values, ranges }) => values ?? ranges), [[null, 0.9], [null, [0.3, 0.97]]]);
  assert.deepEqual(calibrationChart(REPORT).raw.rows[1], [0.75, 1, 3, 0.9, 0.8, 0.3, 0.97]);
});

test("an empty window is drawn and said without a number that is not there", () => {
  for (const make of CHARTS) {
    const chart = make(EMPTY);
    assert.match(chart.summary, /^(No predictions|Nobody has said yet whether an answer was right)\.$/);
    assert.doesNotMatch(JSON.stringify([chart, chartConfiguration(chart, THEME)]), /NaN|undefined|Infinity/);
  }
});

test("a lone point of a line is drawn as a dot, as a line needs two ends", () => {
  const [p50] = chartConfiguration(latencyChart(REPORT), THEME).data.datasets;
  assert.deepEqual(p50.pointRadius, [3, 0, 3]);
});

test("where nobody asked there is no share of cats, and not none", () => {
  assert.deepEqual(catRatioChart(REPORT).series[0].values, [2 / 5, null, 1]);
});

test("confidences are split by what was said, and those of before the split are shown as such", () => {
  assert.deepEqual(confidenceChart(REPORT).series.map(({ values }) => values), [[1, 3], [1, 2]]);
  const { series, columns, rows } = confidenceChart({ ...REPORT, confidence: { ...REPORT.confidence, counts: [2, 9] } });
  assert.deepEqual(series.map(({ values }) => values), [[1, 3], [1, 2], [0, 4]]);
  assert.equal(columns.at(-1), "Not known");
  assert.deepEqual(rows[1].slice(1), ["3", "2", "4"]);
});

test("bars that lie have their values along the other axis, and leave no label out", () => {
  const { options } = chartConfiguration(percentilesChart(REPORT), THEME);
  assert.equal(options.indexAxis, "y");
  assert.equal(options.scales.x.title.text, "milliseconds");
  assert.equal(options.scales.y.ticks.autoSkip, false);
});

test("the marks of shares are percent, from none to all, and a value under the pointer is in words", () => {
  const { options } = chartConfiguration(catRatioChart(REPORT), THEME);
  assert.equal(options.scales.y.max, 1);
  assert.equal(options.scales.y.ticks.callback(0.5), "50\u202f%");
  assert.equal(options.plugins.tooltip.callbacks.label({ dataset: { label: "cats" }, raw: 0.25 }), "cats: 25.0\u202f%");
});

const FEATURE = { name: "brightness", status: "ok", psi: 0.02, threshold: 0.06, p_value: 0.4, shift: 0.1, bin_edges: [0, 0.2, 0.4, 1], categories: [], reference: [5, 6, 7], current: [1, 2, 3] };

test("the outer bins of a feature are open-ended, in words and in the file", () => {
  const { rows, raw } = driftNumbers({ drift: { features: [FEATURE] }, window: { name: "1h" } });
  assert.deepEqual(rows, [["Brightness", "below 0.200", "5", "1"], ["Brightness", "0.200 to 0.400", "6", "2"], ["Brightness", "from 0.400", "7", "3"]]);
  assert.deepEqual(raw.rows[0], ["brightness", "ok", 0.02, 0.06, 0.4, 0.1, null, 0.2, null, 5, 1]);
  assert.deepEqual(raw.rows[2].slice(6), [0.4, null, null, 7, 3]);
  for (const row of raw.rows) assert.equal(row.length, raw.columns.length);
});

test("the bins of a feature that is no number have names", () => {
  const format = { ...FEATURE, name: "format", bin_edges: [0, 1, 2, 3], categories: ["JPEG", "PNG", "other"] };
  const { rows, raw } = driftNumbers({ drift: { features: [format] }, window: { name: "1h" } });
  assert.deepEqual(rows.map(([name, bin]) => [name, bin]), [["Format", "JPEG"], ["Format", "PNG"], ["Format", "other"]]);
  assert.deepEqual(raw.rows[0].slice(6), [null, null, "JPEG", 5, 1]);
});
