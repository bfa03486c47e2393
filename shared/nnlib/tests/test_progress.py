import io

import pytest
from nnlib import progress
from nnlib.progress import Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_a_terminal_gets_a_bar_with_the_images_a_second_and_the_time_left(clock):
    stream = Terminal()
    bar = Progress(100, stream=stream)
    clock[0] += 10
    bar.show(25, images=2500, text="loss 0.5")
    assert stream.getvalue() == "\r\x1b[K[######..................] step 25/100  250 images/s  0:00:30 left  loss 0.5"


def test_what_was_done_before_an_interruption_does_not_count_as_speed(clock):
    stream = io.StringIO()
    bar = Progress(100, done=90, stream=stream)
    clock[0] += 120
    bar.show(95, images=480, text="")
    assert "4 images/s  0:02:00 left" in stream.getvalue()


def test_a_log_gets_a_line_a_minute_and_one_at_the_end(clock):
    stream = io.StringIO()
    bar = Progress(1000, stream=stream)
    for step in range(1, 1001):
        clock[0] += 0.3
        bar.show(step, images=step, text="")
    assert stream.getvalue().count("\n") == 5
    assert stream.getvalue().splitlines()[-1].startswith("step 1000/1000")


def test_switched_off_it_is_silent_and_still_measures(clock):
    stream = io.StringIO()
    bar = Progress(10, enabled=False, stream=stream)
    clock[0] += 2
    bar.show(10, images=100, text="")
    assert stream.getvalue() == ""
    assert bar.images_per_second == 50
