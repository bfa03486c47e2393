"""A process that publishes seeded events as inference does: `python -m tests.e2e.publishing URL SEED COUNT SECONDS`.

Exit status 0: every event is in the stream.
"""

from __future__ import annotations

import asyncio
import sys
import time
import uuid

from events.accounting import PublisherCounters
from inference.event_publisher import EventPublisher
from inference.redis_event_stream import RedisEventStream

from tests.integration.monitoring import events

CONCURRENCY = 16
FLUSH_SECONDS = 60.0


async def publish(url: str, seed: int, count: int, seconds: float) -> PublisherCounters:
    stream = RedisEventStream(url, instance=str(uuid.uuid4()))
    publisher = EventPublisher(stream, buffer_size=count, wait_seconds=0.02, flush_seconds=FLUSH_SECONDS)
    started = time.monotonic()
    waiting = iter(enumerate(events(count, seed=seed)))

    async def connection() -> None:
        for number, event in waiting:
            await asyncio.sleep(started + seconds * number / count - time.monotonic())
            await publisher.publish(event)

    async with publisher:
        await asyncio.gather(*(connection() for _ in range(CONCURRENCY)))
    await stream.close()
    return publisher.counters


if __name__ == "__main__":
    url, seed, count, seconds = sys.argv[1:]
    counters = asyncio.run(publish(url, int(seed), int(count), float(seconds)))
    sys.exit(counters.published != int(count))
