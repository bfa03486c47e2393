"""`make run`: one clear line for each reason not to start, everything restarted that dies, nothing left behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psutil
import pytest
from preflight import free_port
from redis_server import ROOT, RedisServer, check_redis
from supervision import Supervisor

from tests.e2e.client import Client
from tests.pictures import photo
from tests.processes import wait_until

END_SECONDS = 60.0
MARK = "CATNET_TEST_RUN"


class Launch:
    """One run of the launcher; every process that it starts inherits a mark, by which the test finds them again."""

    def __init__(self, directory: Path, *, stdout: int | None = None, **environment: str) -> None:
        directory.mkdir(exist_ok=True)
        self.mark = str(directory)
        self.output = directory / "output.txt"
        self.ports = {name: str(free_port()) for name in ("PORT", "INFERENCE_PORT", "MONITOR_PORT")}
        common = {**os.environ, **self.ports, "RUN_DIR": str(directory / "run"), MARK: self.mark}
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "deploy/local/start.py"],
                cwd=ROOT,
                env={**{name: value for name, value in common.items() if name != "REDIS_URL"}, **environment},
                stdin=subprocess.DEVNULL,
                stdout=output if stdout is None else stdout,
                stderr=output,
            )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports['PORT']}"

    def printed(self) -> str:
        return self.output.read_text(errors="replace")

    def wait_ready(self) -> None:
        wait_until(lambda: "catnet is ready" in self.printed() or self.process.poll() is not None, "it is ready", 60)
        assert self.process.poll() is None, self.printed()

    def is_well(self) -> bool:
        try:
            response = httpx.get(f"{self.url}/health", timeout=5, trust_env=False)
        except httpx.TransportError:
            return False
        return bool(response.status_code == 200 and response.json()["status"] == "ok")

    def processes(self) -> list[psutil.Process]:
        """All that carry the mark, the launcher included; Redis writes over its own, but works in this run's folder."""
        ours = []
        for process in psutil.process_iter():
            try:
                is_ours = process.environ().get(MARK) == self.mark or process.cwd().startswith(self.mark)
                if is_ours and process.status() != psutil.STATUS_ZOMBIE:
                    ours.append(process)
            except psutil.Error:  # gone meanwhile, or somebody else's
                continue
        return ours

    def process_of(self, name: str) -> psutil.Process:
        """The process of a service (by its module) or of Redis (by its program)."""
        return next(process for process in self.processes() if name in " ".join(process.cmdline()[:3]))

    def end(self) -> None:
        for process in self.processes():
            process.kill()
        self.process.wait()


@contextmanager
def launched(directory: Path, *, stdout: int | None = None, **environment: str) -> Iterator[Launch]:
    launch = Launch(directory, stdout=stdout, **environment)
    try:
        yield launch
    finally:
        launch.end()


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Launch]:
    with launched(tmp_path) as launch:
        launch.wait_ready()
        yield launch


def assert_refuses(launch: Launch, status: int, *words: str) -> None:
    assert launch.process.wait(END_SECONDS) == status
    lines = launch.printed().splitlines()
    assert len(lines) == 1, launch.printed()
    for word in words:
        assert word in lines[0]
    assert launch.processes() == []


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = str(listener.getsockname()[1])
        with launched(tmp_path, INFERENCE_PORT=port) as launch:
            assert_refuses(launch, 1, port, "INFERENCE_PORT")


def test_two_services_on_one_port_are_named(tmp_path: Path) -> None:
    port = str(free_port())
    with launched(tmp_path, INFERENCE_PORT=port, MONITOR_PORT=port) as launch:
        assert_refuses(launch, 1, port, "INFERENCE_PORT", "MONITOR_PORT")


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    with launched(tmp_path, DEFAULT_MODEL="catnet-imaginary") as launch:
        assert_refuses(launch, 1, "catnet-imaginary", "make train")


def test_a_redis_that_does_not_answer_is_named_without_its_password(tmp_path: Path) -> None:
    with launched(tmp_path, REDIS_URL=f"redis://:secret@127.0.0.1:{free_port()}/0") as launch:
        assert_refuses(launch, 1, "REDIS_URL")
        assert "secret" not in launch.printed()


def test_a_redis_that_accepts_and_says_nothing_is_given_up_in_seconds(tmp_path: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with launched(tmp_path, REDIS_URL=f"redis://127.0.0.1:{silent.getsockname()[1]}/0") as launch:
            assert launch.process.wait(10) == 1
            assert_refuses(launch, 1, "REDIS_URL")


@pytest.mark.parametrize(
    ("name", "value"),
    [("PORT", "http"), ("MONITOR_PORT", "0"), ("LOG_LEVEL", "loud"), ("REDIS_URL", "http://127.0.0.1:6379")],
)
def test_a_wrong_setting_is_named_with_its_value(tmp_path: Path, name: str, value: str) -> None:
    with launched(tmp_path, **{name: value}) as launch:
        assert_refuses(launch, 2, name, value)


def test_a_model_that_is_damaged_ends_the_start_with_its_reason(tmp_path: Path) -> None:
    version = tmp_path / "models" / "catnet" / "1"
    version.mkdir(parents=True)
    (version / "manifest.json").write_text("{}")
    with launched(tmp_path, MODELS_DIR=str(tmp_path / "models")) as launch:
        assert launch.process.wait(END_SECONDS) == 1
        assert launch.printed().splitlines()[-1].startswith("catnet: inference ended")
        assert launch.processes() == []


def test_a_folder_in_use_is_refused_to_a_second_run(running: Launch, tmp_path: Path) -> None:
    with launched(tmp_path / "second", RUN_DIR=str(tmp_path / "run")) as launch:
        assert_refuses(launch, 1, "already running")


@pytest.mark.parametrize("name", ["gateway", "inference", "monitor", "redis-server"])
def test_what_is_killed_is_started_again(running: Launch, name: str) -> None:
    killed = running.process_of(name)
    killed.kill()
    wait_until(lambda: not killed.is_running(), f"{name} is dead")
    wait_until(running.is_well, f"{name} is back")
    assert running.process_of(name).pid != killed.pid


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_a_signal_ends_everything_in_order(running: Launch, ending: signal.Signals) -> None:
    assert len(running.processes()) >= 6  # launcher, supervisor, Redis, three services
    running.process.send_signal(ending)
    assert running.process.wait(END_SECONDS) == 0
    assert running.processes() == []
    assert "SIGKILL" not in running.printed()  # nobody had to be forced


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_it_still_imports_ends_it_without_a_word(tmp_path: Path, ending: signal.Signals) -> None:
    (tmp_path / "gateway.py").write_text(f"import os\nos.kill(os.getpid(), {ending})\n")
    with launched(tmp_path, PYTHONPATH=os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])) as launch:
        assert launch.process.wait(END_SECONDS) == 128 + ending
        assert launch.printed() == ""


def test_a_supervisor_that_is_stopped_by_a_signal_ends_all_the_same(tmp_path: Path) -> None:
    supervisor = Supervisor([], directory=tmp_path, run_dir=tmp_path, keep_open=[])
    with supervisor.start() as output:
        process = next(child for child in psutil.Process().children() if str(tmp_path) in " ".join(child.cmdline()))
        try:
            wait_until(lambda: (tmp_path / "supervisord.pid").exists(), "it runs")
            process.suspend()
            supervisor.stop()
            wait_until(lambda: process.status() == psutil.STATUS_ZOMBIE, "it has ended", 10)
        finally:
            process.kill()
        assert supervisor.wait() == 0
        output.read()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no process is told that its parent was killed")
@pytest.mark.parametrize("name", ["deploy/local/start.py", "supervisor.supervisord"])
def test_nothing_outlives_the_one_that_looks_after_it(running: Launch, name: str) -> None:
    running.process_of(name).kill()
    wait_until(lambda: not running.processes(), "all of it has ended", END_SECONDS)


def test_a_full_disk_behind_what_is_printed_ends_nothing(tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full, launched(tmp_path, stdout=full.fileno()) as launch:
        wait_until(launch.is_well, "it is well")
        launch.process.send_signal(signal.SIGTERM)
        assert launch.process.wait(END_SECONDS) == 0
        assert launch.processes() == []


def test_who_does_not_read_what_is_printed_keeps_nothing_waiting(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb"), os.fdopen(writer, "wb"), launched(tmp_path, stdout=writer) as launch:
        wait_until(launch.is_well, "it is well")
        with httpx.Client(base_url=launch.url, timeout=5, trust_env=False) as client:
            for _ in range(1500):  # of each, some 200 bytes are printed; the pipes on the way take three times 64 KiB
                client.get("/nothing")
        assert launch.is_well()
        launch.process.send_signal(signal.SIGTERM)
        assert launch.process.wait(END_SECONDS) == 0
        assert launch.processes() == []


def test_who_asks_for_the_end_again_and_again_gets_the_same_one(running: Launch) -> None:
    while running.process.poll() is None:
        running.process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            running.process.wait(0.002)
    assert running.process.returncode == 0, running.printed()
    assert running.processes() == []


def test_a_terminal_that_goes_away_takes_everything_with_it(tmp_path: Path) -> None:
    terminal, seen_from_inside = os.openpty()
    with (
        os.fdopen(terminal, "rb", buffering=0) as window,
        os.fdopen(seen_from_inside, "wb", buffering=0),
        launched(tmp_path, stdout=seen_from_inside) as launch,
    ):
        wait_until(launch.is_well, "it is well")
        window.close()
        # It is noticed with the next line.
        wait_until(lambda: not launch.is_well() and launch.process.poll() is not None, "it has ended", END_SECONDS)
        assert launch.process.returncode == 0
        assert launch.processes() == []


def test_what_was_counted_is_there_again_at_the_next_start(tmp_path: Path) -> None:
    for runs in (1, 2):
        with launched(tmp_path) as launch:
            launch.wait_ready()
            with Client(launch.url) as client:
                assert client.predict(photo()).status_code == 200
                client.wait_for_total(runs)
                assert client.total() == runs
            launch.process.send_signal(signal.SIGTERM)
            assert launch.process.wait(END_SECONDS) == 0


def test_a_redis_of_your_own_is_used_and_left_alone(tmp_path: Path, redis_server: RedisServer) -> None:
    with launched(tmp_path / "launch", REDIS_URL=redis_server.url) as launch:
        launch.wait_ready()
        assert not [each for each in launch.processes() if "redis-server" in each.cmdline()[0]]
        launch.process.send_signal(signal.SIGTERM)
        assert launch.process.wait(END_SECONDS) == 0
    check_redis(redis_server.url, timeout_seconds=1)
