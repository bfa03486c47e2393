import assert from "node:assert/strict";
import { test } from "node:test";
import { confidenceChart } from "../charts/confidence.js";
import { latencyChart } from "../charts/latency.js";
import { trafficChart } from "../charts/traffic.js";
import { chartConfiguration } from "../components/chart-figure/chart-configuration.js";

const REPORT = {
  window: { name: "1h", seconds: 3600 },
  predictions: { total: 7 },
  latency_ms: { count: 7, p50: 5, p95: 9 },
  confidence: { bin_edges: [0.5, 0.75, 1], counts: [2, 5], mean: 0.8 },
  series: [
    { time: "2026-01-01T10:00:00Z", total: 5, cat: 2, p50_ms: 5, p95_ms: 9 },
    { time: "2026-01-01T10:01:00Z", total: 0, cat: 0, p50_ms: null, p95_ms: null },
    { time: "2026-01-01T10:02:00Z", total: 2, cat: 2, p50_ms: 4, p95_ms: 4 },
  ],
};
const EMPTY = {
  ...REPORT,
  predictions: { total: 0 },
  latency_ms: { count: 0, p50: null, p95: null },
  confidence: { bin_edges: [0.5, 0.75, 1], counts: [0, 0], mean: null },
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
  assert.deepEqual(confidenceChart(REPORT).labels, ["50–75 %", "75–100 %"]);
});

test("every chart has a table that says what it draws, one row a label", () => {
  for (const chart of [trafficChart, latencyChart, confidenceChart].map((make) => make(REPORT))) {
    assert.equal(chart.rows.length, chart.labels.length);
    for (const row of chart.rows) assert.equal(row.length, chart.columns.length);
    for (const { values } of chart.series) assert.equal(values.length, chart.labels.length);
  }
});

test("the file of a chart has a row for each label, in numbers and not in words", () => {
  for (const { raw, labels } of [trafficChart, latencyChart, confidenceChart].map((make) => make(REPORT))) {
    assert.match(raw.name, /^[a-z]+-1h$/);
    assert.equal(raw.rows.length, labels.length);
    for (const row of raw.rows) assert.equal(row.length, raw.columns.length);
  }
  assert.deepEqual(latencyChart(REPORT).raw.rows[1], ["2026-01-01T10:01:00Z", null, null]);
  assert.deepEqual(confidenceChart(REPORT).raw.rows[0], [0.5, 0.75, 2]);
});

test("an empty window is drawn and said without a number that is not there", () => {
  for (const make of [trafficChart, latencyChart, confidenceChart]) {
    const chart = make(EMPTY);
    assert.equal(chart.summary, "No predictions.");
    assert.doesNotMatch(JSON.stringify([chart, chartConfiguration(chart, THEME)]), /NaN|undefined|Infinity/);
  }
});

test("a lone point of a line is drawn as a dot, as a line needs two ends", () => {
  const [p50] = chartConfiguration(latencyChart(REPORT), THEME).data.datasets;
  assert.deepEqual(p50.pointRadius, [3, 0, 3]);
});
