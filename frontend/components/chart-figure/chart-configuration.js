/**
 * A chart (see charts/traffic.js) as Chart.js wants it.
 * `colour(name)` gives the value of a CSS variable, `font` the family of the page.
 */
export function chartConfiguration(chart, { colour, font }) {
  const lies = chart.kind === "rows";
  const text = { color: colour("--ink-quiet"), font: { family: font, size: 12 } };
  const labels = {
    stacked: chart.stacked,
    grid: { display: false },
    border: { color: colour("--line") },
    ticks: { ...text, maxRotation: 0, autoSkip: !lies, autoSkipPadding: 16 }, // words do not follow from those beside them
  };
  const values = {
    stacked: chart.stacked,
    beginAtZero: true,
    max: chart.highest,
    grid: { color: colour("--gridline") },
    border: { display: false },
    ticks: { ...text, precision: chart.kind === "bars" ? 0 : undefined, maxTicksLimit: 6 },
    title: { ...text, display: true, text: chart.unit },
  };
  if (chart.tick) values.ticks.callback = (value) => chart.tick(value);
  return {
    type: chart.kind === "lines" ? "line" : "bar",
    data: { labels: chart.labels, datasets: chart.series.map((series) => dataset(series, chart.kind, colour)) },
    options: {
      maintainAspectRatio: false, // the box in CSS has the height, so that nothing jumps when the chart arrives
      animation: false, // numbers that arrive each second should not wobble
      indexAxis: lies ? "y" : "x",
      interaction: { mode: "index", axis: lies ? "y" : "x", intersect: false },
      scales: lies ? { x: values, y: labels } : { x: labels, y: values },
      plugins: {
        legend: {
          display: chart.series.length > 1,
          align: "end",
          labels: { ...text, boxWidth: 10, boxHeight: 10, useBorderRadius: true, borderRadius: 5 },
        },
        tooltip: {
          backgroundColor: colour("--ink"),
          titleColor: colour("--page"),
          bodyColor: colour("--page"),
          titleFont: { family: font },
          bodyFont: { family: font },
          boxPadding: 4,
          callbacks: { label: ({ dataset, raw }) => `${dataset.label}: ${[raw].flat().map(chart.format).join("–")}` },
        },
      },
    },
  };
}

function dataset({ name, colour: variable, values, ranges }, kind, colour) {
  const shade = colour(variable);
  if (ranges) return { type: "bar", label: name, data: ranges, backgroundColor: shade, borderRadius: 4, borderSkipped: false, maxBarThickness: 14, order: 1 };
  if (kind !== "lines") {
    return { label: name, data: values, backgroundColor: shade, borderRadius: 2, categoryPercentage: 0.9, barPercentage: 0.95, maxBarThickness: 64 };
  }
  return {
    label: name,
    data: values,
    borderColor: shade,
    backgroundColor: shade,
    borderWidth: 2,
    pointRadius: values.map((_, index) => (isAlone(values, index) ? 3 : 0)), // a line needs two ends: a lone value is a dot
    pointHoverRadius: 4,
    spanGaps: false, // where nothing was measured there is no line, and between two values no curve that nobody measured
  };
}

function isAlone(values, index) {
  const missing = (value) => value === null || value === undefined;
  return !missing(values[index]) && missing(values[index - 1]) && missing(values[index + 1]);
}
