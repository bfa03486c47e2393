import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nnlib.errors import DatasetError
from nnlib.sampling import BalancedSampler, balanced_weights, source_of

SHARES = {"cats": {"a_": 3.0, "b_": 1.0}, "others": {"a_": 1.0, "a_lion": 1.0}}


@given(st.lists(st.sampled_from(["a_", "b_"]), max_size=30), st.lists(st.sampled_from(["a_", "a_lion"]), max_size=30))
def test_sides_weigh_one_half_and_sources_their_share_whatever_their_numbers(cats, others):
    names = [*cats, *others, "a_", "b_", "a_", "a_lion"]
    targets = np.array([1] * len(cats) + [0] * len(others) + [1, 1, 0, 0])
    weights = balanced_weights(names, targets, **SHARES)

    def together(side, prefix):
        return sum(
            w for w, name, target in zip(weights, names, targets, strict=True) if (target, name) == (side, prefix)
        )

    assert together(1, "a_") == pytest.approx(3 / 8)
    assert together(1, "b_") == pytest.approx(1 / 8)
    assert together(0, "a_") == pytest.approx(1 / 4)
    assert together(0, "a_lion") == pytest.approx(1 / 4)


def test_the_longest_fitting_prefix_is_the_source():
    assert source_of("tin_n02_7.jpg", {"": 1, "tin_": 1, "tin_n02": 1}) == "tin_n02"
    with pytest.raises(DatasetError, match=r"x\.jpg: its beginning is none of tin_, cd_"):
        source_of("x.jpg", {"tin_": 1, "cd_": 1})


def test_a_source_without_a_picture_is_named():
    with pytest.raises(DatasetError, match=r"side 'cat' .* begins with 'b_'"):
        balanced_weights(["a_1", "a_2", "a_lion"], np.array([1, 0, 0]), **SHARES)


def test_pictures_are_drawn_as_often_as_they_weigh_and_the_seed_decides_which():
    names = ["a_"] * 50 + ["b_"] * 3 + ["a_"] * 10 + ["a_lion"]
    targets = np.array([1] * 53 + [0] * 11)
    sampler = BalancedSampler(names, targets, **SHARES)
    drawn = sampler.draw(20_000, rng=np.random.default_rng(0))
    assert np.mean(targets[drawn]) == pytest.approx(0.5, abs=0.02)
    assert np.mean(drawn == 63) == pytest.approx(0.25, abs=0.02)
    np.testing.assert_array_equal(drawn, sampler.draw(20_000, rng=np.random.default_rng(0)))
