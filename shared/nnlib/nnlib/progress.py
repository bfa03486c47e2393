"""A progress bar on a terminal, or now and then a line in a log."""

import sys
import time
from typing import TextIO

LINE_EVERY_SECONDS = 60.0
BAR_EVERY_SECONDS = 0.5
WIDTH = 24


class Progress:
    """Shows how far a training is, images a second, and the time that is left."""

    def __init__(self, steps: int, *, done: int = 0, enabled: bool = True, stream: TextIO | None = None) -> None:
        self._steps, self._begun_at, self._enabled = steps, done, enabled
        self.images_per_second = 0.0
        self._stream = sys.stderr if stream is None else stream
        self._terminal = self._stream.isatty()
        self._started = self._shown = time.monotonic()

    def show(self, done: int, *, images: int, text: str) -> None:
        """Say that `done` steps have been taken; `images` counts those since the start. Often called, seldom shown."""
        now = time.monotonic()
        elapsed = now - self._started
        self.images_per_second = images / max(elapsed, 1e-9)
        pause = BAR_EVERY_SECONDS if self._terminal else LINE_EVERY_SECONDS
        if not self._enabled or (now - self._shown < pause and done < self._steps):
            return
        self._shown = now
        remaining = elapsed / max(1, done - self._begun_at) * (self._steps - done)
        line = f"step {done}/{self._steps}  {self.images_per_second:.0f} images/s  {_clock(remaining)} left  {text}"
        if self._terminal:
            filled = WIDTH * done // self._steps
            line = f"\r\x1b[K[{'#' * filled}{'.' * (WIDTH - filled)}] {line}"
        self._stream.write(line + ("" if self._terminal and done < self._steps else "\n"))
        self._stream.flush()


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"
