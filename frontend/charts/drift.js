import { featureName } from "../lib/drift-words.js";
import { count, decimal } from "../lib/format.js";

/** The bins of every drift feature, for people and for programs: the table and the file that belong to the drift panel. */
export function driftNumbers({ drift, window }) {
  const bins = drift.features.flatMap((feature) => feature.reference.map((reference, bin) => ({ feature, bin, reference, current: feature.current[bin] })));
  return {
    columns: ["Feature", "Bin", "In the reference", "Now"],
    rows: bins.map(({ feature, bin, reference, current }) => [featureName(feature.name), binName(feature, bin), count(reference), count(current)]),
    raw: {
      name: `drift-${window.name}`,
      columns: ["feature", "status", "psi", "threshold", "p_value", "shift", "bin_from", "bin_to", "category", "reference", "current"],
      rows: bins.map(({ feature, bin, reference, current }) => [
        feature.name,
        feature.status,
        feature.psi,
        feature.threshold,
        feature.p_value,
        feature.shift,
        isFirst(bin) || hasNames(feature) ? null : feature.bin_edges[bin],
        isLast(feature, bin) || hasNames(feature) ? null : feature.bin_edges[bin + 1],
        hasNames(feature) ? feature.categories[bin] : null,
        reference,
        current,
      ]),
    },
  };
}

/** The outer bins are open-ended: what is beyond their edges counts there too. */
function binName(feature, bin) {
  if (hasNames(feature)) return feature.categories[bin];
  const [from, to] = [feature.bin_edges[bin], feature.bin_edges[bin + 1]].map((edge) => decimal(edge));
  if (isFirst(bin)) return `below ${to}`;
  return isLast(feature, bin) ? `from ${from}` : `${from} to ${to}`;
}

function hasNames({ categories }) {
  return categories.length > 0;
}

function isFirst(bin) {
  return bin === 0;
}

function isLast({ reference }, bin) {
  return bin === reference.length - 1;
}
