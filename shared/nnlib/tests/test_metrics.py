import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nnlib.errors import ShapeError
from nnlib.metrics import confusion_matrix, evaluate, roc_auc
from scipy.stats import mannwhitneyu

SAMPLES = st.lists(st.tuples(st.integers(0, 10), st.booleans()), min_size=2, max_size=60).filter(
    lambda samples: len({is_cat for _, is_cat in samples}) == 2
)


@given(SAMPLES)
def test_roc_auc_is_the_mann_whitney_statistic_ties_included(samples):
    tenths, targets = np.array(samples, float).T
    cat_probability = tenths / 10
    statistic = mannwhitneyu(cat_probability[targets == 1], cat_probability[targets == 0]).statistic
    expected = statistic / ((targets == 1).sum() * (targets == 0).sum())
    assert roc_auc(cat_probability, targets) == pytest.approx(expected)


@given(SAMPLES)
def test_the_figures_agree_with_counting_by_hand(samples):
    tenths, targets = np.array(samples, float).T
    figures = evaluate(tenths / 10, targets)
    called_cat = [tenth > 5 for tenth, _ in samples]
    right = [called == is_cat for called, (_, is_cat) in zip(called_cat, samples, strict=True)]
    recalls = [
        np.mean([ok for ok, (_, is_cat) in zip(right, samples, strict=True) if is_cat == wanted])
        for wanted in (False, True)
    ]
    assert figures["images"] == len(samples)
    assert figures["accuracy"] == pytest.approx(np.mean(right))
    assert figures["balanced_accuracy"] == pytest.approx(np.mean(recalls))
    assert figures["always_cat_accuracy"] == pytest.approx(np.mean([is_cat for _, is_cat in samples]))


def test_the_confusion_matrix_has_truth_in_rows():
    matrix = confusion_matrix(np.array([0.9, 0.9, 0.1, 0.4]), np.array([1.0, 0, 0, 1]))
    np.testing.assert_array_equal(matrix, [[1, 1], [1, 1]])
    matrix = confusion_matrix(np.array([0.9, 0.9, 0.9]), np.array([0.0, 0, 1]))
    np.testing.assert_array_equal(matrix, [[0, 2], [0, 1]])


def test_one_class_alone_and_wrong_lengths_are_refused():
    with pytest.raises(ValueError, match="both"):
        evaluate(np.array([0.1, 0.9]), np.array([1.0, 1]))
    with pytest.raises(ShapeError):
        evaluate(np.array([0.1, 0.9]), np.array([1.0]))
