import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nnlib.errors import ShapeError
from nnlib.losses import binary_cross_entropy, sigmoid
from scipy.special import expit

LOGITS = st.floats(-1e4, 1e4)


@given(LOGITS)
def test_sigmoid_agrees_with_scipy_at_any_logit(logit):
    assert sigmoid(np.array([logit]))[0] == pytest.approx(expit(logit), rel=1e-12, abs=1e-300)


def test_sigmoid_keeps_float32():
    assert sigmoid(np.zeros(3, np.float32)).dtype == np.float32


@given(st.lists(st.tuples(st.floats(-30, 30), st.booleans()), min_size=1, max_size=20))
def test_the_loss_is_the_mean_of_the_textbook_formula(samples):
    logits, targets = np.array(samples, np.float64).T
    probabilities = expit(logits)
    textbook = -np.mean(np.where(targets == 1, np.log(probabilities), np.log(expit(-logits))))
    assert binary_cross_entropy(logits[:, None], targets)[0] == pytest.approx(textbook, rel=1e-9, abs=1e-12)


def test_a_hopeless_logit_costs_its_size_instead_of_infinity():
    loss, gradient = binary_cross_entropy(np.array([[-1000.0], [1000.0]]), np.array([1.0, 0.0]))
    assert loss == 1000
    np.testing.assert_array_equal(gradient, [[-0.5], [0.5]])


@pytest.mark.parametrize(("logits", "targets"), [((3,), (3,)), ((3, 1), (3, 1)), ((3, 1), (2,)), ((3, 2), (3,))])
def test_shapes_that_would_broadcast_are_refused(logits, targets):
    with pytest.raises(ShapeError):
        binary_cross_entropy(np.zeros(logits), np.zeros(targets))
