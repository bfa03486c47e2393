"""Replicas are real processes here; what they run must be importable, so it is in tests/replica_jobs.py."""

import functools
import importlib
from pathlib import Path

import numpy as np
import pytest
from nnlib.errors import DivergedError, ReplicaError
from nnlib.replicas import alone, run_replicas


@pytest.fixture
def replica_jobs(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parent)  # the replicas' interpreters get the same path
    return importlib.import_module("replica_jobs")


def test_alone_the_average_is_the_own_gradient():
    gradients = {"bias": np.array([1.0, 2.0], np.float32)}
    assert alone().average(gradients, 0.5) == 0.5
    np.testing.assert_array_equal(gradients["bias"], [1, 2])


def test_all_replicas_get_the_same_mean_of_gradients_and_loss(tmp_path, replica_jobs):
    run_replicas(functools.partial(replica_jobs.average_twice, tmp_path), count=3, numbers=6)
    first, *others = (np.load(tmp_path / f"{rank}.npy") for rank in range(3))
    for other in others:
        np.testing.assert_array_equal(first, other)
    np.testing.assert_allclose(first[:6], (0 + 1 + 2) / 3 * np.arange(6), rtol=1e-6)
    np.testing.assert_allclose(first[6:], 10 + 1)


def test_an_error_of_rank_0_is_raised_and_nobody_is_left_waiting(replica_jobs):
    with pytest.raises(DivergedError, match="step 3"):
        run_replicas(replica_jobs.fail_at_rank_0, count=2, numbers=1)


def test_another_replica_that_dies_is_noticed_at_once(replica_jobs):
    with pytest.raises(ReplicaError, match="another replica ended"):
        run_replicas(replica_jobs.end_at_rank_1, count=2, numbers=1)
