"""What must be true before anything is started, each with the one line that says what to do when it is not."""

from __future__ import annotations

import fcntl
import os
import re
import socket
from pathlib import Path

import redis
from redis_server import check_redis

REDIS_ANSWER_SECONDS = 3.0


class StartError(Exception):
    """Nothing was started; the message is the line to show."""


def lock_run_dir(run_dir: Path) -> int:
    """Take the folder for this launcher alone: two Redis processes on the same data would spoil it.

    Returns: the descriptor that holds the lock; it is free again when the last process that inherited it is gone.
    """
    try:
        run_dir.mkdir(parents=True, exist_ok=True)
        lock = os.open(run_dir / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StartError(f"cannot write to {run_dir}: {error.strerror} (RUN_DIR chooses another folder)") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise StartError(f"already running with its data in {run_dir} (RUN_DIR chooses another folder)") from None
    return lock


def check_ports(**addresses: tuple[str, int]) -> None:
    """Each setting's host and port must be free, and no two ports the same."""
    taken: dict[int, str] = {}
    for name, (host, port) in addresses.items():
        if port in taken:
            raise StartError(f"{taken[port]} and {name} are both {port}: each service needs a port of its own")
        taken[port] = name
        try:
            _bind(host, port)
        except OSError as error:
            raise StartError(
                f"port {port} of {host} cannot be used: {error.strerror} ({name} chooses another)"
            ) from None


def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens on now."""
    return _bind("127.0.0.1", 0)


def check_model(models_dir: Path, name: str) -> None:
    """There must be the default model, NAME or NAME/VERSION; whether it is whole is for inference to find out."""
    if not any((models_dir / name).glob("manifest.json" if "/" in name else "*/manifest.json")):
        raise StartError(f"no model in {models_dir / name}: run make train, or set MODELS_DIR and DEFAULT_MODEL")


def check_redis_url(url: str) -> None:
    """Somebody else's Redis must answer."""
    try:
        check_redis(url, REDIS_ANSWER_SECONDS)
    except (redis.RedisError, ValueError) as error:
        shown = re.sub(r"//[^/@]*@", "//***@", url)
        reason = str(error).strip().splitlines()[0]
        raise StartError(f"REDIS_URL {shown} does not answer: {reason}") from None


def _bind(host: str, port: int) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        bound: int = listener.getsockname()[1]
        return bound
