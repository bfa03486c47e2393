"""A window of real traffic is adopted as the reference, shown, compared with, and revoked; on a real Redis."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest
import redis
from monitor.manifests import Manifests
from monitor.redis_stream import RedisStream
from monitor.references import References
from monitor.report import Report, Reports
from monitor.windows import WINDOWS
from redis_server import ROOT, RedisServer
from structlog.testing import capture_logs

from tests.integration.monitoring import consuming, events, publish, settled, until

pytestmark = pytest.mark.anyio
MODELS = ROOT / "models"


async def reference(redis_server: RedisServer, *words: str) -> subprocess.CompletedProcess[str]:
    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "monitor", "reference", *words],
            env={**os.environ, "REDIS_URL": redis_server.url, "MODELS_DIR": str(MODELS)},
            capture_output=True,
            text=True,
            timeout=120,
        )

    return await asyncio.to_thread(run)


async def drift_of(stream: RedisStream) -> Report:
    reports = Reports(stream, Manifests(MODELS), default_model="catnet-mlp")
    report: Report = (await reports.build(WINDOWS["1h"], await reports.manifest("catnet-mlp/1")))["drift"]
    return report


async def test_traffic_that_was_adopted_is_what_later_traffic_is_compared_with(
    redis_server: RedisServer, client: redis.Redis
) -> None:
    async with consuming(redis_server.url, MODELS) as stream:
        refused = await reference(redis_server, "adopt", "--model", "catnet-mlp/1")
        assert (refused.returncode, "a reference needs 1000" in refused.stderr) == (1, True)

        publish(client, events(1500, seed=1))
        await until(lambda: settled(client) == 1500)
        before = await drift_of(stream)
        assert (before["reference"]["source"], before["status"]) == ("manifest", "warning")

        adopted = await reference(redis_server, "adopt", "--window", "1h", "--model", "catnet-mlp/1")
        assert adopted.returncode == 0, adopted.stderr
        publish(client, events(1500, seed=2))
        await until(lambda: settled(client) == 3000)
        drift = await drift_of(stream)
        assert (drift["reference"]["source"], drift["reference"]["events"]) == ("traffic", 1500)
        assert drift["reference"]["adopted_at"]
        assert drift["status"] == "ok"
        assert [feature["name"] for feature in drift["features"]][-3:] == ["aspect_ratio", "megapixels", "format"]

        publish(client, [replace(e, image_format="PNG", image_width=300) for e in events(3000, seed=3)])
        await until(lambda: settled(client) == 6000)
        drift = await drift_of(stream)
        said = {feature["name"]: feature["sentence"] for feature in drift["features"] if feature["status"] != "ok"}
        assert set(said) == {"aspect_ratio", "megapixels", "format"}
        assert said["aspect_ratio"] == "photos are much taller than in the reference"
        assert said["megapixels"] == "photos are much smaller than in the reference"

        shown = json.loads((await reference(redis_server, "show", "--model", "catnet-mlp/1")).stdout)
        assert shown["adopted"]["events"] == "1500"
        assert (await reference(redis_server, "revoke", "--model", "catnet-mlp/1")).returncode == 0
        assert (await drift_of(stream))["reference"]["source"] == "manifest"
        shown = json.loads((await reference(redis_server, "show", "--model", "catnet-mlp/1")).stdout)
        assert shown["adopted"] is None
        assert [each["action"] for each in shown["log"]] == ["adopt", "revoke"]


async def test_an_adopted_reference_that_cannot_be_read_is_not_used_and_told_once(
    redis_server: RedisServer, client: redis.Redis
) -> None:
    stream = RedisStream(redis_server.url)
    references, manifest = References(stream), Manifests(MODELS).get("catnet-mlp", "1")
    with capture_logs() as logs:
        for adopted_at in ("now", "now", "later", "later"):
            client.hset("catnet:reference:catnet-mlp/1", mapping={"adopted_at": adopted_at, "features": "[{}]"})
            used = await references.get(manifest)
            assert (used.source, used.features) == ("manifest", manifest.features)
    await stream.close()
    assert [log["event"] for log in logs] == ["the adopted reference cannot be used"] * 2


@pytest.mark.parametrize("model", ["stranger", "catnet-mlp/99", "../models"])
async def test_a_model_that_nobody_knows_has_no_reference(redis_server: RedisServer, model: str) -> None:
    refused = await reference(redis_server, "adopt", "--model", model)
    assert (refused.returncode, refused.stderr) == (1, f"monitor: there is no manifest of {model}\n")
