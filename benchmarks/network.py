"""The network against PyTorch and ONNX Runtime: the same weights, the same pictures, the same number of threads.

Contenders take turns in one process, so that a noisy machine is noisy to all of them. Those that are not installed are
named and left out. Before anything is timed their answers are compared.

Usage: python -m benchmarks.network [--threads 1] [--rounds 15]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from nnlib.artifact import load_model
from nnlib.layers import BatchNorm, Conv2D, Dropout, GlobalAveragePool, Layer, Linear, ReLU, Residual
from nnlib.losses import binary_cross_entropy
from nnlib.model import Model
from nnlib.network import Network
from nnlib.optimizers import AdamW
from nnlib.recipe import Recipe

ROOT = Path(__file__).parents[1]
MODEL = ROOT / "models" / "catnet" / "1"
RECIPE = ROOT / "training" / "recipes" / "catnet.toml"
THREADS_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
TRAINING_BATCH = 32
BLOCK_SECONDS = 0.2  # of one contender before the next one's turn
NAMES = {"torch": "PyTorch", "onnxruntime": "ONNX Runtime", "onnx": "onnx"}

Contender = Callable[[], object]


def measure_network(threads: int = 1, rounds: int = 15) -> str:
    """A Markdown table, measured in a process of its own: libraries read the number of threads when they are loaded."""
    environment = os.environ | dict.fromkeys(THREADS_VARIABLES, str(threads))
    environment.pop("OPENBLAS_CORETYPE", None)  # the others choose their kernels by the processor: so may OpenBLAS
    command = [sys.executable, "-m", "benchmarks.network", "--threads", str(threads), "--rounds", str(rounds)]
    return subprocess.run(  # noqa: S603  fixed arguments
        command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True
    ).stdout.strip()


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare the network with PyTorch and ONNX Runtime.")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    if os.environ.get(THREADS_VARIABLES[0]) != str(options.threads):
        print(measure_network(options.threads, options.rounds))
        return 0
    present = {name for name in NAMES if _is_installed(name)}
    print(f"Threads: {options.threads}. Milliseconds a call, median of {options.rounds} turns.")
    print("In brackets: how many times as long nnlib takes.\n")
    print("| what | nnlib | PyTorch | ONNX Runtime |\n|---|---|---|---|")
    if (MODEL / "manifest.json").is_file():
        model = load_model(MODEL)
        for batch in (1, 32):
            print(_row(f"forward, batch {batch}", _forward_contenders(model, batch, present, options.threads), options))
    print(_row(f"training step, batch {TRAINING_BATCH}", _training_contenders(present, options.threads), options))
    absent = [NAMES[name] for name in NAMES if name not in present]
    if absent:
        print(f"\nNot installed here, so not compared: {', '.join(absent)}.")
    if not (MODEL / "manifest.json").is_file():
        print(f"\nThere is no {MODEL.relative_to(ROOT)}, so no forward pass was measured.")
    return 0


def _is_installed(name: str) -> bool:
    try:
        __import__(name)
    except ImportError:
        return False
    return True


def _row(what: str, contenders: Mapping[str, Contender], options: argparse.Namespace) -> str:
    seconds = _take_turns(contenders, options.rounds)
    cells = [what, f"{1000 * median(seconds['nnlib']):.3f}"]
    for name in ("PyTorch", "ONNX Runtime"):
        if name in seconds:
            share = median(ours / theirs for ours, theirs in zip(seconds["nnlib"], seconds[name], strict=True))
            cells.append(f"{1000 * median(seconds[name]):.3f} ({share:.2f}x)")
        else:
            cells.append("")
    return f"| {' | '.join(cells)} |"


def _take_turns(contenders: Mapping[str, Contender], rounds: int) -> dict[str, list[float]]:
    """Seconds a call, one number a turn."""
    calls = {}
    for name, call in contenders.items():
        call()  # warm
        began = time.perf_counter()
        call()
        calls[name] = max(1, round(BLOCK_SECONDS / (time.perf_counter() - began)))
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, call in contenders.items():
            began = time.perf_counter()
            for _ in range(calls[name]):
                call()
            seconds[name].append((time.perf_counter() - began) / calls[name])
    return seconds


def _forward_contenders(model: Model, batch: int, present: set[str], threads: int) -> dict[str, Contender]:
    """From pixels to probabilities."""
    pixels = np.random.default_rng(0).integers(0, 256, (batch, 64, 64, 3), dtype=np.uint8)
    contenders: dict[str, Contender] = {"nnlib": lambda: model.predict(pixels).cat_probability}
    if "torch" in present:
        contenders["PyTorch"] = _torch_forward(model, pixels, threads)
    if {"onnx", "onnxruntime"} <= present:
        contenders["ONNX Runtime"] = _onnx_forward(model, pixels, threads)
    expected = model.predict(pixels).cat_probability
    for name, call in contenders.items():
        np.testing.assert_allclose(np.asarray(call()), expected, atol=1e-5, err_msg=name)
    return contenders


def _onnx_forward(model: Model, pixels: Any, threads: int) -> Contender:
    import onnxruntime
    from nnlib.onnx_export import to_onnx

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads, settings.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(to_onnx(model), settings, providers=["CPUExecutionProvider"])
    return lambda: session.run(["cat_probability"], {"pixels": pixels})[0]


def _torch_forward(model: Model, pixels: Any, threads: int) -> Contender:
    import torch

    torch.set_num_threads(threads)
    normalization, temperature = model.manifest.normalization, model.manifest.temperature
    network = _torch_chain(model.network.layers).eval()
    mean, std = (torch.tensor(values).reshape(3, 1, 1) for values in (normalization.mean, normalization.std))

    def call() -> object:
        with torch.inference_mode():
            images = torch.from_numpy(pixels).permute(0, 3, 1, 2).float().mul_(normalization.scale).sub_(mean).div_(std)
            return torch.sigmoid(network(images)[:, 0] / temperature).numpy()

    return call


def _training_contenders(present: set[str], threads: int) -> dict[str, Contender]:
    """Forward, loss, backward and a step of AdamW, as the recipe does it, on pictures of 64x64."""
    network = Recipe.read(RECIPE).build()
    rng = np.random.default_rng(0)
    images = rng.normal(size=(TRAINING_BATCH, 64, 64, 3)).astype(np.float32)
    targets = rng.integers(0, 2, TRAINING_BATCH).astype(np.float32)
    contenders: dict[str, Contender] = {"nnlib": _nnlib_step(network, images, targets)}
    if "torch" in present:
        contenders["PyTorch"] = _torch_step(network, images, targets, threads)
    return contenders


def _nnlib_step(network: Network, images: Any, targets: Any) -> Contender:
    optimizer = AdamW(1e-3, weight_decay=0.05)

    def call() -> float:
        loss, gradient = binary_cross_entropy(network.forward(images, training=True), targets)
        network.backward_parameters(gradient)
        optimizer.step(network.parameters(), network.gradients())
        return loss

    return call


def _torch_step(network: Network, images: Any, targets: Any, threads: int) -> Contender:
    import torch

    torch.set_num_threads(threads)
    theirs = _torch_chain(network.layers).train()
    optimizer = torch.optim.AdamW(theirs.parameters(), lr=1e-3, weight_decay=0.05)
    inputs, wanted = torch.from_numpy(images.transpose(0, 3, 1, 2).copy()), torch.from_numpy(targets)

    def call() -> float:
        optimizer.zero_grad(set_to_none=True)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(theirs(inputs)[:, 0], wanted)
        loss.backward()
        optimizer.step()
        return float(loss.detach())

    return call


def _torch_chain(layers: list[Layer]) -> Any:
    import torch

    return torch.nn.Sequential(*(_torch_layer(layer) for layer in layers))


def _torch_layer(layer: Layer) -> Any:
    """The same layer with the same weights in PyTorch."""
    import torch

    class TorchResidual(torch.nn.Module):  # type: ignore[misc]
        def __init__(self, body: Any) -> None:
            super().__init__()
            self.body = body

        def forward(self, inputs: Any) -> Any:
            return inputs + self.body(inputs)

    def copy(target: Any, array: Any) -> None:
        target.data = torch.from_numpy(np.array(array, np.float32))

    match layer:
        case Conv2D():
            *_, in_channels, out_channels = layer.parameters["weight"].shape
            bias = "bias" in layer.parameters
            convolution = torch.nn.Conv2d(
                in_channels, out_channels, layer.kernel, stride=layer.stride, padding=layer.padding, bias=bias
            )
            copy(convolution.weight, layer.parameters["weight"].transpose(3, 2, 0, 1))
            if bias:
                copy(convolution.bias, layer.parameters["bias"])
            return convolution
        case Linear():
            linear = torch.nn.Linear(*layer.parameters["weight"].shape)
            copy(linear.weight, layer.parameters["weight"].T)
            copy(linear.bias, layer.parameters["bias"])
            return linear
        case BatchNorm():
            normalization = torch.nn.BatchNorm2d(
                len(layer.parameters["scale"]), eps=layer.epsilon, momentum=layer.momentum
            )
            copy(normalization.weight, layer.parameters["scale"])
            copy(normalization.bias, layer.parameters["shift"])
            return normalization
        case ReLU():
            return torch.nn.ReLU()
        case Dropout():
            return torch.nn.Dropout(layer.dropout_rate)
        case GlobalAveragePool():
            return torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())
        case Residual():
            return TorchResidual(_torch_chain(layer.body))
        case _:
            raise ValueError(f"{type(layer).__name__} has no counterpart here")


if __name__ == "__main__":
    sys.exit(main())
