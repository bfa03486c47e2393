"""Following a recipe, in real processes: killed at bad moments, it ends with the weights of one that was not."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from nnlib.checkpoint import load_checkpoint
from nnlib.errors import CheckpointError, DatasetError
from nnlib.training_run import CHECKPOINT_FILE, follow_recipe

# Follows a recipe, and dies by SIGKILL when a function is called for the n-th time: before that call has any effect.
DYING_TRAINING = """
import os, signal, sys
from pathlib import Path
import nnlib.training_run

recipe, data, folder, function, calls = sys.argv[1:]
if __name__ == "__main__":
    module, name = function.rsplit(".", 1)
    __import__(module)
    original, left = getattr(sys.modules[module], name), [int(calls)]

    def die_at_last(*arguments, **more):
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return original(*arguments, **more)

    setattr(sys.modules[module], name, die_at_last)
    nnlib.training_run.follow_recipe(Path(recipe), Path(data), Path(folder), progress=False)
"""


def follow(recipe_file, pictures, folder):
    return follow_recipe(recipe_file, pictures, folder, progress=False)


@pytest.fixture
def on_two_cores(recipe_file):
    recipe_file.write_text(recipe_file.read_text().replace("replicas = 1", "replicas = 2"))
    return recipe_file


def without_speed(history):
    return [{key: value for key, value in entry.items() if key != "images_per_second"} for entry in history]


def assert_ended_alike(folder, other):
    one, two = load_checkpoint(folder / CHECKPOINT_FILE), load_checkpoint(other / CHECKPOINT_FILE)
    assert one.step == two.step
    assert without_speed(one.history) == without_speed(two.history)
    assert one.arrays.keys() == two.arrays.keys()
    for kind, named in one.arrays.items():
        assert named.keys() == two.arrays[kind].keys()
        for name, array in named.items():
            np.testing.assert_array_equal(array, two.arrays[kind][name], err_msg=f"{kind} {name}")


@pytest.mark.parametrize(
    ("function", "calls"),
    [
        ("nnlib.trainer.clip_gradients", 3),  # in step 2, before there is a checkpoint
        ("nnlib.trainer.clip_gradients", 11),  # in step 10, between checkpoints
        ("nnlib.training_run.write_history", 2),  # after a checkpoint, before its line of history
        ("os.fsync", 4),  # while the second checkpoint is being written (two files of history between)
    ],
)
def test_killed_and_started_again_it_ends_bit_for_bit_as_if_it_had_not_been(
    on_two_cores, picture_folder, tmp_path, function, calls
):
    follow(on_two_cores, picture_folder, tmp_path / "whole")
    (tmp_path / "dying.py").write_text(DYING_TRAINING)
    command = [sys.executable, tmp_path / "dying.py", on_two_cores, picture_folder, tmp_path / "killed", function]
    ended = subprocess.run([*command, str(calls)], timeout=120, check=False)
    assert ended.returncode == -signal.SIGKILL
    follow(on_two_cores, picture_folder, tmp_path / "killed")
    assert_ended_alike(tmp_path / "whole", tmp_path / "killed")
    histories = [json.loads((tmp_path / run / "history.json").read_text()) for run in ("whole", "killed")]
    assert without_speed(histories[0]) == without_speed(histories[1])


def test_a_killed_training_leaves_no_process_behind(on_two_cores, picture_folder, tmp_path):
    (tmp_path / "dying.py").write_text(DYING_TRAINING)
    command = [sys.executable, tmp_path / "dying.py", on_two_cores, picture_folder, tmp_path / "run", "os.fsync"]
    training = subprocess.Popen([*command, "1000000"])
    process = psutil.Process(training.pid)
    deadline = time.monotonic() + 60
    while len(others := process.children(recursive=True)) < 2 and training.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(training.pid, signal.SIGKILL)
    training.wait(60)
    _, alive = psutil.wait_procs(others, timeout=60)
    assert alive == []


def test_the_same_seed_makes_the_same_network_and_another_does_not(recipe_file, picture_folder, tmp_path):
    first, again = (follow(recipe_file, picture_folder, tmp_path / run).parameters() for run in ("first", "again"))
    for name, value in first.items():
        np.testing.assert_array_equal(value, again[name])
    recipe_file.write_text(recipe_file.read_text().replace("seed = 3", "seed = 4"))
    other = follow(recipe_file, picture_folder, tmp_path / "other").parameters()
    assert not np.array_equal(first["conv2d1.weight"], other["conv2d1.weight"])


def test_what_has_ended_is_not_trained_again(recipe_file, picture_folder, tmp_path, monkeypatch):
    network = follow(recipe_file, picture_folder, tmp_path / "run")
    before = (tmp_path / "run" / CHECKPOINT_FILE).read_bytes()
    monkeypatch.setattr("nnlib.trainer.Trainer._take_step", None)
    again = follow(recipe_file, picture_folder, tmp_path / "run")
    assert (tmp_path / "run" / CHECKPOINT_FILE).read_bytes() == before
    np.testing.assert_array_equal(network.parameters()["conv2d1.weight"], again.parameters()["conv2d1.weight"])


@pytest.mark.parametrize("replicas", [1, 2])
def test_without_progress_on_validation_it_stops_early_and_stays_stopped(
    recipe_file, picture_folder, tmp_path, replicas
):
    text = (
        recipe_file.read_text()
        .replace("patience = 20", "patience = 2")
        .replace("learning_rate = 0.02", "learning_rate = 1e-12")
    )
    text = text.replace("replicas = 1", f"replicas = {replicas}")
    recipe_file.write_text(text.replace("validate_every = 4", "validate_every = 1"))
    for _ in range(2):
        follow(recipe_file, picture_folder, tmp_path / "run")
        history = json.loads((tmp_path / "run" / "history.json").read_text())
        assert len(history) < 18
        losses = [entry["validation_loss"] for entry in history]
        assert len(losses) - 1 - int(np.argmin(losses)) == 2


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (("out_channels = 4", "out_channels = 5"), "recipe.architecture"),
        (("seed = 3", "seed = 4"), "recipe.seed"),
    ],
)
def test_a_checkpoint_of_another_training_is_refused_and_kept(recipe_file, picture_folder, tmp_path, change, named):
    follow(recipe_file, picture_folder, tmp_path / "run")
    before = {file.name: file.read_bytes() for file in (tmp_path / "run").iterdir()}
    text = recipe_file.read_text().replace(*change)
    if "channels" in change[0]:
        text = text.replace("channels = 4 }", "channels = 5 }").replace("in_features = 4", "in_features = 5")
    recipe_file.write_text(text)
    with pytest.raises(CheckpointError, match=f"another training, which differs in {named}"):
        follow(recipe_file, picture_folder, tmp_path / "run")
    assert {file.name: file.read_bytes() for file in (tmp_path / "run").iterdir()} == before


def test_a_checkpoint_on_other_pictures_is_refused(recipe_file, picture_folder, tmp_path):
    follow(recipe_file, picture_folder, tmp_path / "run")
    (picture_folder / "cat" / "home_0.png").unlink()
    with pytest.raises(CheckpointError, match="differs in pictures"):
        follow(recipe_file, picture_folder, tmp_path / "run")


def test_a_damaged_checkpoint_is_refused_and_kept(recipe_file, picture_folder, tmp_path):
    follow(recipe_file, picture_folder, tmp_path / "run")
    file = tmp_path / "run" / CHECKPOINT_FILE
    file.write_bytes(file.read_bytes()[:-100])
    before = file.read_bytes()
    with pytest.raises(CheckpointError, match="not a readable checkpoint"):
        follow(recipe_file, picture_folder, tmp_path / "run")
    assert file.read_bytes() == before


def test_an_empty_class_is_refused_before_anything_is_written(recipe_file, picture_folder, tmp_path):
    for file in (picture_folder / "cat").iterdir():
        file.unlink()
    with pytest.raises(DatasetError, match="0 of 60 pictures are cats"):
        follow(recipe_file, picture_folder, tmp_path / "run")
    assert not list(Path(tmp_path / "run").iterdir())


def test_skipped_files_are_counted_and_named(recipe_file, picture_folder, tmp_path, capsys):
    (picture_folder / "cat" / "notes.txt").write_text("no picture")
    follow_recipe(recipe_file, picture_folder, tmp_path / "run")
    assert "skipped 1 files:\n  cat/notes.txt: " in capsys.readouterr().err


def test_it_learns_red_from_blue(recipe_file, picture_folder, tmp_path):
    recipe_file.write_text(recipe_file.read_text().replace("until_step = 18", "until_step = 150"))
    follow(recipe_file, picture_folder, tmp_path / "run")
    history = json.loads((tmp_path / "run" / "history.json").read_text())
    assert history[-1]["validation_roc_auc"] > 0.95
    lines = (tmp_path / "run" / "history.csv").read_text().splitlines()
    assert len(lines) == len(history) + 1
    assert lines[0].startswith("step,images,loss,learning_rate")


def test_it_shows_how_far_it_is_how_fast_and_how_long_still(recipe_file, picture_folder, tmp_path, capsys):
    follow_recipe(recipe_file, picture_folder, tmp_path / "run")
    assert re.search(r"100%.* \[\d\d:\d\d<\d\d:\d\d, .* images/s, loss \d\.\d{4}\]", capsys.readouterr().err)
