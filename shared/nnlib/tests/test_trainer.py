import math

import numpy as np
import pytest
from nnlib.checkpoint import load_checkpoint, save_checkpoint
from nnlib.errors import CheckpointError, DivergedError
from nnlib.layers import BatchNorm, Dropout, Linear, ReLU
from nnlib.network import Network
from nnlib.optimizers import AdamW
from nnlib.schedules import WarmUpHoldDecay
from nnlib.trainer import Trainer


def build(hidden=6):
    rng = np.random.default_rng(0)
    layers = [Linear(3, hidden, rng=rng), BatchNorm(hidden), ReLU(), Dropout(0.3, rng=rng), Linear(hidden, 1, rng=rng)]
    network = Network(layers)
    network.cast(np.float32)
    return network


def minibatch(step, rng):
    """Is the sum of three numbers positive?"""
    inputs = rng.normal(size=(16, 3)).astype(np.float32)
    return inputs, (inputs.sum(axis=1) > 0).astype(np.float32)


def make_trainer(*, seed=1, hidden=6, minibatch=minibatch, **more):
    schedule = WarmUpHoldDecay(steps=60, warm_up_steps=5, decay_steps=20)
    return Trainer(build(hidden), AdamW(0.05), minibatch, schedule=schedule, seed=seed, average_decay=0.9, **more)


def everything(trainer):
    return {
        **trainer.network.parameters(),
        **trainer.network.state(),
        **{f"average.{name}": value for name, value in trainer.averaged_network().parameters().items()},
        **{f"memory.{name}": value for name, value in trainer.optimizer.memory.items()},
    }


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name, value in one.items():
        np.testing.assert_array_equal(value, other[name], err_msg=name)


def test_it_learns_and_its_averaged_network_too():
    trainer = make_trainer()
    reports = list(trainer.run(60))
    assert [report.step for report in reports] == list(range(60))
    assert np.mean([report.loss for report in reports[-10:]]) < 0.7 * reports[0].loss
    inputs, targets = minibatch(0, np.random.default_rng(9))
    assert np.mean((trainer.averaged_network().forward(inputs)[:, 0] > 0) == targets) > 0.85


def test_the_learning_rate_follows_the_schedule():
    rates = [report.learning_rate for report in make_trainer().run(60)]
    assert rates[:5] == pytest.approx([0.01, 0.02, 0.03, 0.04, 0.05])
    assert rates[5:41] == pytest.approx([0.05] * 36)
    assert rates[-1] == pytest.approx(0.05 / 20)


def test_the_seed_decides_everything():
    first, again, other = make_trainer(), make_trainer(), make_trainer(seed=2)
    for trainer in (first, again, other):
        list(trainer.run(15))
    assert_same(everything(first), everything(again))
    assert not np.array_equal(
        first.network.parameters()["linear1.weight"], other.network.parameters()["linear1.weight"]
    )


def test_going_on_from_a_checkpoint_does_bit_for_bit_what_would_have_been_done(tmp_path):
    whole, first_half, second_half = make_trainer(), make_trainer(), make_trainer()
    losses = [report.loss for report in whole.run(40)]
    assert [report.loss for report in first_half.run(17)] == losses[:17]
    save_checkpoint(tmp_path / "c.safetensors", first_half.checkpoint(identity={}, history=[], best={}))
    second_half.restore(load_checkpoint(tmp_path / "c.safetensors"))
    assert [report.loss for report in second_half.run(40)] == losses[17:]
    assert_same(everything(whole), everything(second_half))


def test_a_checkpoint_of_another_architecture_is_refused_and_changes_nothing(tmp_path):
    save_checkpoint(tmp_path / "c.safetensors", make_trainer(hidden=7).checkpoint(identity={}, history=[], best={}))
    trainer = make_trainer()
    before = {name: value.copy() for name, value in everything(trainer).items()}
    with pytest.raises(CheckpointError, match=r"another network: .*\(3, 7\), expected \(3, 6\)"):
        trainer.restore(load_checkpoint(tmp_path / "c.safetensors"))
    assert_same(before, everything(trainer))
    assert trainer.step == 0


def test_a_loss_that_is_no_number_stops_at_its_step_before_a_weight_is_spoilt():
    def spoilt(step, rng):
        inputs, targets = minibatch(step, rng)
        if step == 7:
            inputs[3, 1] = math.nan
        return inputs, targets

    trainer = make_trainer(minibatch=spoilt)
    steps = trainer.run(60)
    for _ in range(7):
        next(steps)
    before = {name: value.copy() for name, value in trainer.network.parameters().items()}
    with pytest.raises(DivergedError, match="step 7: the loss is nan"):
        next(steps)
    assert_same(before, trainer.network.parameters())
    assert all(np.isfinite(value).all() for value in trainer.averaged_network().parameters().values())


def test_gradients_are_clipped_and_their_length_before_is_reported():
    lengths = [report.gradient_norm for report in make_trainer(maximum_gradient_norm=1e-6).run(3)]
    assert min(lengths) > 1e-3
