"""Training one network on several cores: every core works on a part of the minibatch, and they agree on the gradient.

Each replica is a process with the same network. After backward() they exchange gradients through shared memory; all
add them up in the same order, take the same step, and so stay equal bit for bit without ever sending weights.
"""

import multiprocessing
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from multiprocessing import connection
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Barrier
from typing import Any

import numpy as np

from nnlib.arrays import Array
from nnlib.errors import NnlibError, ReplicaError

WAIT_SECONDS = 900.0  # the longest a replica works alone: rank 0 validates and writes checkpoints while the others wait


class Exchange:
    """One replica's access to the others. Rank 0 is the process that started them."""

    def __init__(self, rank: int, count: int, memory: Any, barrier: Barrier | threading.Barrier) -> None:
        self.rank, self.count = rank, count
        self._slots = np.frombuffer(memory, np.float32).reshape(count, -1)
        self._barrier = barrier

    def average(self, arrays: Mapping[str, Array], loss: float) -> float:
        """Replace every array by its mean over the replicas, in place, and return the mean loss.

        Raises: ReplicaError.
        """
        if self.count == 1:
            return loss
        slot = self._slots[self.rank]
        slot[0] = loss
        start = 1
        for array in arrays.values():
            slot[start : start + array.size] = array.ravel()
            start += array.size
        self._wait()
        mean = self._slots[:, :start].mean(axis=0)
        self._wait()  # nobody writes a new gradient before all have read this one
        start = 1
        for array in arrays.values():
            array[...] = mean[start : start + array.size].reshape(array.shape)
            start += array.size
        return float(mean[0])

    def leave(self) -> None:
        """Tell the others that this replica takes no further step; their next exchange raises."""
        self._barrier.abort()

    def _wait(self) -> None:
        try:
            self._barrier.wait(WAIT_SECONDS)
        except threading.BrokenBarrierError:
            raise ReplicaError("another replica ended or did not answer in time") from None


def alone() -> Exchange:
    """The exchange of a training in one process."""
    return Exchange(0, 1, np.zeros(1, np.float32), threading.Barrier(1))


def run_replicas(function: Callable[[Exchange], None], *, count: int, numbers: int) -> None:
    """Call function(exchange) in `count` processes, this one included, and return when it has ended here.

    Units: numbers is how many the gradients hold altogether. `function` must be importable: the others are fresh
    interpreters.
    """
    if count == 1:
        return function(alone())
    context = multiprocessing.get_context("spawn")
    memory = context.RawArray("f", count * (numbers + 1))
    barrier = context.Barrier(count)
    others = [
        context.Process(target=_run_other, args=(function, rank, count, memory, barrier), daemon=True)
        for rank in range(1, count)
    ]
    for process in others:
        process.start()
    exchange = Exchange(0, count, memory, barrier)
    threading.Thread(target=_leave_with_the_first_that_fails, args=(others, exchange), daemon=True).start()
    try:
        return function(exchange)
    except BaseException:
        exchange.leave()
        raise
    finally:
        for process in others:
            process.join(10)
            if process.is_alive():
                process.kill()
                process.join()


def _run_other(function: Callable[[Exchange], None], rank: int, count: int, memory: Any, barrier: Barrier) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    exchange = Exchange(rank, count, memory, barrier)
    try:
        function(exchange)
    except (NnlibError, KeyboardInterrupt):
        exchange.leave()  # rank 0 meets the same and says so


def _leave_with_the_first_that_fails(others: Sequence[BaseProcess], exchange: Exchange) -> None:
    """A killed replica cannot say that it leaves."""
    running: dict[object, BaseProcess] = {process.sentinel: process for process in others}
    while running:
        for sentinel in connection.wait([process.sentinel for process in running.values()]):
            if running.pop(sentinel).exitcode != 0:
                exchange.leave()


def _end_with_parent() -> None:
    """A killed parent cannot tell its replicas to end, and at their barrier they would wait for it in vain."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)
