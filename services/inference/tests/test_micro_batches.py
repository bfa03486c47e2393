"""Predicted together, answered as if alone: nothing is mixed up, nobody waits in vain, who has left is left out."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from inference import micro_batches
from inference.micro_batches import MAX_IMAGES, MicroBatches
from inference.predictor import DecodedImage, ImagePrediction, measure, predict_batch
from nnlib.artifact import load_model
from nnlib.model import Model
from nnlib.preprocessing import Picture

from services.inference.tests.conftest import MakeModel

pytestmark = pytest.mark.anyio

NOT_SOON = 60.0


def image(number: int) -> DecodedImage:
    pixels = np.random.default_rng(number).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    return DecodedImage(Picture(pixels, "PNG", 64 + number, 64), 1000 + number, 0.001)


IMAGES = [image(number) for number in range(20)]


@pytest.fixture
def models(models_dir: Path, make_model: MakeModel) -> list[Model]:
    make_model("one")
    make_model("other", seed=1)
    return [load_model(models_dir / name / "1") for name in ("one", "other")]


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many images were predicted together, one number a batch."""
    sizes: list[int] = []

    def noted(model: Model, images: Sequence[object]) -> list[ImagePrediction]:
        sizes.append(len(images))
        return predict_batch(model, images)  # type: ignore[arg-type]

    monkeypatch.setattr(micro_batches, "predict_batch", noted)
    return sizes


def alone(model: Model, number: int) -> tuple[object, ...]:
    return said(predict_batch(model, [measure(IMAGES[number])])[0])


def said(prediction: ImagePrediction) -> tuple[object, ...]:
    """All but the times, exactly."""
    return (prediction.cat_probability, prediction.certain, prediction.features, prediction.image.picture.width)


async def ask_at_once(model: Model, announced: Sequence[int]) -> None:
    """One image for each number, of how many others are said to follow."""
    together = MicroBatches()
    async with asyncio.timeout(10):
        await asyncio.gather(*(together.predict(model, IMAGES[0], in_the_making=number) for number in announced))


asked = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 19), st.integers(0, 12), st.integers(0, 3)), min_size=1)


@given(asked=asked)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_answered_does_not_depend_on_the_company(
    models: list[Model], asked: list[tuple[int, int, int, int]]
) -> None:
    """Two models, any images, each announcing any number of others, and coming some turns of the loop late."""

    async def all_at_once() -> list[ImagePrediction]:
        together = MicroBatches()

        async def ask(model: int, number: int, in_the_making: int, turns: int) -> ImagePrediction:
            for _ in range(turns):
                await asyncio.sleep(0)
            return await together.predict(models[model], IMAGES[number], in_the_making=in_the_making)

        return await asyncio.wait_for(asyncio.gather(*(ask(*one) for one in asked)), 10)

    for (model, number, _, _), prediction in zip(asked, asyncio.run(all_at_once()), strict=True):
        assert said(prediction) == alone(models[model], number)


async def test_who_comes_alone_waits_for_nothing(models: list[Model], batches: list[int]) -> None:
    predicting = MicroBatches().predict(models[0], IMAGES[0], in_the_making=0)
    with pytest.raises(StopIteration):
        predicting.send(None)  # it ends without having waited
    assert batches == [1]


async def test_those_who_wait_are_predicted_when_nobody_is_to_come(
    models: list[Model], batches: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(micro_batches, "GATHER_SECONDS", NOT_SOON)
    await ask_at_once(models[0], [5, 4, 3, 2, 1, 0])
    assert batches == [6]


async def test_a_batch_is_bounded(models: list[Model], batches: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(micro_batches, "GATHER_SECONDS", NOT_SOON)
    await ask_at_once(models[0], [1000] * 2 * MAX_IMAGES)
    assert batches == [MAX_IMAGES, MAX_IMAGES]


async def test_nobody_waits_long_for_those_who_never_come(models: list[Model], batches: list[int]) -> None:
    await ask_at_once(models[0], [100, 100, 100])
    assert batches == [3]


async def test_who_has_left_is_left_out(
    models: list[Model], batches: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(micro_batches, "GATHER_SECONDS", NOT_SOON)
    together = MicroBatches()
    leaving, staying = (
        asyncio.create_task(together.predict(models[0], IMAGES[number], in_the_making=100)) for number in range(2)
    )
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.sleep(0)
    await together.predict(models[0], IMAGES[2], in_the_making=0)
    async with asyncio.timeout(10):
        assert said(await staying) == alone(models[0], 1)
    assert batches == [2]


async def test_a_failure_is_told_to_all_whom_it_concerns(models: list[Model], monkeypatch: pytest.MonkeyPatch) -> None:
    def fails_on_the_first_model(model: Model, images: Sequence[object]) -> list[ImagePrediction]:
        if model is models[0]:
            raise MemoryError
        return predict_batch(model, images)  # type: ignore[arg-type]

    monkeypatch.setattr(micro_batches, "predict_batch", fails_on_the_first_model)
    together = MicroBatches()
    async with asyncio.timeout(10):
        outcomes = await asyncio.gather(
            *(together.predict(models[n % 2], IMAGES[n], in_the_making=5 - n) for n in range(6)),
            return_exceptions=True,
        )
    assert [isinstance(outcome, MemoryError) for outcome in outcomes] == [True, False] * 3
