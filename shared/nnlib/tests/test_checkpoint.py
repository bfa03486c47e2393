import numpy as np
import pytest
from nnlib.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from nnlib.errors import CheckpointError

ARRAYS = {
    "parameters": {"linear1.weight": np.arange(6, dtype=np.float32).reshape(2, 3)},
    "optimizer": {"steps": np.array(7.0), "mean.linear1.weight": np.ones((2, 3), np.float32)},
}
IDENTITY = {"recipe": {"seed": 1, "phases": [{"until_step": 4}]}, "pictures": "abc"}
CHECKPOINT = Checkpoint(12, IDENTITY, [{"step": 4, "loss": 0.1 + 0.2}], ARRAYS)


@pytest.fixture
def file(tmp_path):
    save_checkpoint(tmp_path / "checkpoint.safetensors", CHECKPOINT)
    return tmp_path / "checkpoint.safetensors"


def test_it_comes_back_as_it_was(file):
    back = load_checkpoint(file, identity=IDENTITY)
    assert (back.step, back.identity, back.history) == (12, IDENTITY, CHECKPOINT.history)
    assert back.arrays.keys() == ARRAYS.keys()
    for kind, named in ARRAYS.items():
        for name, array in named.items():
            np.testing.assert_array_equal(back.arrays[kind][name], array)
            assert back.arrays[kind][name].dtype == array.dtype


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ({"recipe": {"seed": 2, "phases": [{"until_step": 4}]}, "pictures": "abc"}, "differs in recipe.seed$"),
        ({"recipe": {"seed": 1, "phases": []}, "pictures": "abd"}, "differs in pictures, recipe.phases$"),
        ({"recipe": {"seed": 1, "phases": [{"until_step": 4}], "new": 1}, "pictures": "abc"}, "differs in recipe.new$"),
    ],
)
def test_one_of_another_training_is_refused_with_what_differs(file, other, named):
    with pytest.raises(CheckpointError, match=named) as refusal:
        load_checkpoint(file, identity=other)
    assert str(file) in str(refusal.value)


@pytest.mark.parametrize(
    "spoil",
    [lambda data: b"", lambda data: data[:50], lambda data: data[:-4], lambda data: b"\xff" * len(data)],
    ids=["empty", "cut in its header", "cut in its arrays", "something else"],
)
def test_a_damaged_one_is_refused_by_name(file, spoil):
    file.write_bytes(spoil(file.read_bytes()))
    with pytest.raises(CheckpointError, match=r"checkpoint\.safetensors: not a readable checkpoint"):
        load_checkpoint(file)


def test_an_absent_one_is_refused_by_name(tmp_path):
    with pytest.raises(CheckpointError, match=r"none\.safetensors"):
        load_checkpoint(tmp_path / "none.safetensors")


def test_a_file_of_weights_without_a_header_is_no_checkpoint(tmp_path):
    import safetensors.numpy

    safetensors.numpy.save_file(ARRAYS["parameters"], tmp_path / "weights.safetensors")
    with pytest.raises(CheckpointError, match="not a readable checkpoint"):
        load_checkpoint(tmp_path / "weights.safetensors")


def test_a_write_that_fails_leaves_the_old_one(file, monkeypatch):
    before = file.read_bytes()

    def full(_):
        raise OSError("no space left")

    monkeypatch.setattr("nnlib.files.os.fsync", full)
    with pytest.raises(OSError, match="no space left"):
        save_checkpoint(file, Checkpoint(13, IDENTITY, [], ARRAYS))
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]
