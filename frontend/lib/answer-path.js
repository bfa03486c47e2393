/**
 * How the last hidden numbers become the answer: each times its weight speaks for a cat or against one, and what they say is
 * added up.
 *
 * `shown`: how many of each side, the strongest first.
 * Returns: { leading: [{ index, feature, weight, contribution }], others, otherCount, bias, sum, temperature, scaled }
 */
export function answerPath({ features, weight, bias, temperature, shown }) {
  const ordered = Array.from(features, (feature, index) => ({ index, feature, weight: weight[index], contribution: feature * weight[index] })).sort(
    (one, other) => other.contribution - one.contribution,
  );
  const speaksFor = ordered.filter(({ contribution }) => contribution > 0).slice(0, shown);
  const speaksAgainst = ordered.filter(({ contribution }) => contribution < 0).slice(-shown).reverse();
  const leading = [...speaksFor, ...speaksAgainst];
  const total = (list) => list.reduce((sum, { contribution }) => sum + contribution, 0);
  const sum = total(ordered) + bias;
  return { leading, others: total(ordered) - total(leading), otherCount: ordered.length - leading.length, bias, sum, temperature, scaled: sum / temperature };
}
