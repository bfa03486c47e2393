"""A monitor's consumer against a real Redis, and the exact answer to compare its counts with."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import redis
from events.names import STREAM
from events.prediction import PredictionEvent
from monitor.consumer import Consumer
from monitor.manifests import Manifests
from monitor.redis_stream import RedisStream

MODEL = "catnet-mlp/1"
CLAIM_IDLE_SECONDS = 0.3
REMEMBER_SECONDS = 24 * 3600
FEATURES = ("brightness", "contrast", "saturation", "colour_balance", "sharpness", "hidden_norm")


def events(count: int, *, seed: int = 0, end: datetime | None = None) -> list[PredictionEvent]:
    """Predictions of the last ten minutes, latencies spread over four decades."""
    rng = random.Random(seed)
    end = end or datetime.now(UTC)
    made = []
    for _ in range(count):
        cat_probability = rng.random()
        made.append(
            PredictionEvent(
                prediction_id=str(uuid.UUID(int=rng.getrandbits(128), version=4)),
                time=end - timedelta(microseconds=rng.randrange(600_000_000)),
                model_name="catnet-mlp",
                model_version="1",
                label="cat" if cat_probability >= 0.5 else "non-cat",
                cat_probability=cat_probability,
                certain=rng.random() < 0.9,
                decode_seconds=round(rng.lognormvariate(-6, 1.5), 6),
                forward_seconds=round(rng.lognormvariate(-8, 0.5), 6),
                total_seconds=round(rng.lognormvariate(-5, 1.5), 6),
                image_format="JPEG",
                image_width=640,
                image_height=480,
                image_bytes=50_000,
                features={name: rng.random() for name in FEATURES},
            )
        )
    return made


def publish(client: redis.Redis, some: Iterable[PredictionEvent]) -> list[str]:
    """Add them to the stream; return the entries' ids."""
    with client.pipeline(transaction=False) as pipeline:
        for event in some:
            pipeline.xadd(STREAM, event.to_fields())
        ids: list[str] = pipeline.execute()
    return ids


def new_consumer(stream: RedisStream, models_dir: Path, **changes: float) -> Consumer:
    settings = {"batch_events": 200, "claim_idle_seconds": CLAIM_IDLE_SECONDS, "dedupe_hours": 24, **changes}
    return Consumer(stream, Manifests(models_dir), **settings)  # type: ignore[arg-type]


@asynccontextmanager
async def consuming(url: str, models_dir: Path, **changes: float) -> AsyncIterator[RedisStream]:
    """A consumer that runs meanwhile, on a connection pool of its own."""
    stream = RedisStream(url)
    consumer = new_consumer(stream, models_dir, **changes)
    task = asyncio.create_task(consumer.run())
    try:
        yield stream
    finally:
        consumer.stop()
        await task
        await stream.close()


async def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - the other side has no event to wait for
            await asyncio.sleep(0.02)


def pipeline_counts(client: redis.Redis) -> dict[str, int]:
    return {name: int(count) for name, count in client.hgetall("catnet:pipeline").items() if name != "last_event_us"}


def settled(client: redis.Redis) -> int:
    """Entries that were counted, in whatever way."""
    return sum(pipeline_counts(client).values())


def totals(client: redis.Redis) -> dict[str, int]:
    return {field: int(count) for field, count in client.hgetall(f"catnet:total:{MODEL}").items()}


def aggregates(client: redis.Redis) -> dict[str, dict[str, str]]:
    """All counts of all models: what replicas, restarts and repetition must not change."""
    keys = [key for kind in ("total", "minute", "hour") for key in client.scan_iter(f"catnet:{kind}:*")]
    return {key: client.hgetall(key) for key in sorted(keys)}


def labels(some: Sequence[PredictionEvent]) -> dict[str, int]:
    return {f"label:{label}": sum(event.label == label for event in some) for label in ("cat", "non-cat")}
