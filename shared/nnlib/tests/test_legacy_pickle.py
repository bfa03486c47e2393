"""The original's parameters.pkl is read; a pickle that wants anything else is refused before it gets it."""

import io
import itertools
import os
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nnlib.errors import LegacyPickleError
from nnlib.legacy_pickle import network_from_parameters, read_parameters
from nnlib.losses import sigmoid

FEATURES = (12288, 20, 7, 5, 1)


def parameters(dtype=np.float64):
    rng = np.random.default_rng(5)
    named = {}
    for position, (fan_in, fan_out) in enumerate(itertools.pairwise(FEATURES), start=1):
        named[f"W{position}"] = (rng.normal(size=(fan_out, fan_in)) / np.sqrt(fan_in)).astype(dtype)
        named[f"b{position}"] = rng.normal(size=(fan_out, 1)).astype(dtype)
    return named


def column_major_probabilities(named, columns):
    """The original's forward pass: one column a picture."""
    activations = columns
    for position in range(1, len(FEATURES)):
        sums = named[f"W{position}"] @ activations + named[f"b{position}"]
        activations = np.maximum(sums, 0) if position < len(FEATURES) - 1 else 1 / (1 + np.exp(-sums))
    return activations[0]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_protocol_gives_back_the_same_arrays(protocol):
    named = parameters()
    read = read_parameters(pickle.dumps(named, protocol=protocol))
    assert read.keys() == named.keys()
    for name, array in named.items():
        np.testing.assert_array_equal(read[name], array)


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_other_orders_and_float_types_are_understood(protocol):
    array = np.arange(6.0).reshape(2, 3)
    for variant in (array.T, np.asfortranarray(array), array.astype(">f8"), array.astype("f4"), array[:, ::2]):
        read = read_parameters(pickle.dumps({"W1": variant}, protocol=protocol))
        np.testing.assert_array_equal(read["W1"], variant)


def test_a_module_name_from_before_numpy_2_is_understood():
    data = pickle.dumps({"b1": np.ones((2, 1))}, protocol=2).replace(b"cnumpy._core.", b"cnumpy.core.")
    assert b"numpy.core.multiarray" in data
    np.testing.assert_array_equal(read_parameters(data)["b1"], np.ones((2, 1)))


def test_the_network_gives_the_original_probabilities():
    named = parameters()
    pictures = np.random.default_rng(6).random((50, 64, 64, 3))
    network = network_from_parameters(read_parameters(pickle.dumps(named)))
    ours = sigmoid(network.forward(pictures)[:, 0])
    theirs = column_major_probabilities(named, pictures.reshape(50, -1).T)
    assert np.ptp(theirs) > 0.01  # the pictures differ, or the comparison would say nothing
    np.testing.assert_allclose(ours, theirs, atol=1e-12)


class Calls:
    """Pickles to a call of `function(*arguments)`."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    ("function", "argument"),
    [(os.system, "touch {path}"), (eval, "open('{path}', 'w')"), (exec, "open('{path}', 'w')"), (open, "{path}")],
)
def test_code_is_refused_and_not_run(function, argument, protocol, tmp_path):
    path = tmp_path / "ran"
    for hostile in (
        Calls(function, argument.format(path=path)),
        {"W1": Calls(function, argument.format(path=path))},
        {**parameters(), "W9": Calls(function, argument.format(path=path))},
    ):
        with pytest.raises(LegacyPickleError, match="which no array needs"):
            read_parameters(pickle.dumps(hostile, protocol=protocol))
    assert not path.exists()


@pytest.mark.parametrize("name", ["numpy.load", "numpy.f2py.compile", "functools.partial", "builtins.getattr"])
def test_every_other_name_is_refused(name):
    module, attribute = name.rsplit(".", 1)
    with pytest.raises(LegacyPickleError, match=name):
        read_parameters(f"c{module}\n{attribute}\n.".encode())


def test_object_arrays_are_refused():
    with pytest.raises(LegacyPickleError):
        read_parameters(pickle.dumps({"W1": np.array([{}, []], dtype=object)}))
    with pytest.raises(LegacyPickleError):
        read_parameters(pickle.dumps({"W1": np.array([None], dtype=object)}, protocol=2))


@pytest.mark.parametrize("dtype", ["i8", "c16", "S4", "U4", "M8[s]", "?", "f2"])
def test_other_types_are_refused(dtype):
    with pytest.raises(LegacyPickleError):
        read_parameters(pickle.dumps({"W1": np.zeros((2, 2), dtype)}))


def state(shape, dtype, data):
    """A pickled array with a state of our making: what a hostile file would use to corrupt NumPy's memory."""
    array = np.zeros(1)
    stream = io.BytesIO()

    class Pickler(pickle.Pickler):
        def reducer_override(self, value):
            if value is array:
                reconstruct = array.__reduce__()
                return reconstruct[0], reconstruct[1], (1, shape, dtype, False, data)
            return NotImplemented

    Pickler(stream, 2).dump({"W1": array})
    return stream.getvalue()


@pytest.mark.parametrize(
    ("shape", "data"),
    [
        ((1 << 62,), b"\0" * 8),
        ((1 << 40, 1 << 40), b"\0" * 8),
        ((2,), b"\0" * 8),
        ((-1,), b"\0" * 8),
        ((0,), b""),
        ("1", b"\0" * 8),
        ((1.0,), b"\0" * 8),
        ((True,), b"\0" * 8),
        ((1,), [None]),
    ],
)
def test_a_shape_that_its_bytes_do_not_make_is_refused(shape, data):
    with pytest.raises(LegacyPickleError):
        read_parameters(state(shape, np.dtype("f8"), data))


def test_numbers_that_are_not_finite_are_refused():
    with pytest.raises(LegacyPickleError, match="not finite"):
        read_parameters(pickle.dumps({"W1": np.array([[np.inf]])}))


def test_huge_files_and_huge_programs_are_refused(monkeypatch):
    with pytest.raises(LegacyPickleError, match="instructions"):
        read_parameters(b"(" * 20_000 + b".")
    with pytest.raises(LegacyPickleError, match="beyond reason"):
        read_parameters(b"}r" + (0xFFFFFFF0).to_bytes(4, "little") + b".")
    with pytest.raises(LegacyPickleError, match="truncated"):
        read_parameters(b"\x80\x05\x96" + (1 << 40).to_bytes(8, "little") + b"x.")
    monkeypatch.setattr("nnlib.legacy_pickle.MAX_BYTES", 1000)
    with pytest.raises(LegacyPickleError, match="larger than"):
        read_parameters(pickle.dumps(parameters()))


def test_the_stand_ins_cannot_be_changed_by_a_pickle():
    """BUILD with a pair sets attributes on whatever lies on the stack."""
    for name in (b"cnumpy._core.multiarray\n_reconstruct\n", b"c_codecs\nencode\n", b"cnumpy\nndarray\n"):
        with pytest.raises(LegacyPickleError):
            read_parameters(b"\x80\x02" + name + b"N}U\x04evilK\x01s\x86b.")
    np.testing.assert_array_equal(read_parameters(pickle.dumps({"W1": np.ones((1, 1))}, protocol=2))["W1"], [[1]])


@pytest.mark.parametrize("value", [[], None, {"W1": 1}, {"W1": [1.0]}, {1: np.ones(1)}, {"X1": np.ones(1)}, {"W1": {}}])
def test_anything_but_a_dict_of_arrays_is_refused(value):
    with pytest.raises(LegacyPickleError):
        read_parameters(pickle.dumps(value))


@settings(max_examples=300)
@given(st.binary(max_size=200) | st.binary(max_size=60).map(lambda tail: pickle.dumps({"W1": np.ones(2)})[:-8] + tail))
def test_any_bytes_are_read_or_refused(data):
    try:
        read = read_parameters(data)
    except LegacyPickleError:
        return
    assert all(array.dtype == np.float64 for array in read.values())


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda named: named.clear(), "nothing"),
        (lambda named: named.pop("b2"), "expected W1, b1"),
        (lambda named: named.update(W5=named.pop("W4"), b5=named.pop("b4")), "expected W1, b1"),
        (lambda named: named.update(W1=named["W1"].T), "W1 has shape"),
        (lambda named: named.update(b3=named["b3"].T), "b3"),
        (lambda named: (named.pop("W4"), named.pop("b4")), "5 outputs"),
        (lambda named: named.update(W1=np.ones(3)), "W1 has shape"),
    ],
)
def test_parameters_that_do_not_chain_are_refused(change, reason):
    named = parameters()
    change(named)
    with pytest.raises(LegacyPickleError, match=reason):
        network_from_parameters(named)
