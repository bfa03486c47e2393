"""The command nnlib: train, evaluate, predict, summary, export."""

import argparse
import datetime
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nnlib.artifact import load_model, save_model
from nnlib.calibration import fit_temperature, reliability
from nnlib.conformal import conformal_threshold
from nnlib.errors import ImageError, NnlibError
from nnlib.files import write_atomically
from nnlib.losses import sigmoid
from nnlib.manifest import CLASSES
from nnlib.metrics import DECISION_THRESHOLD, evaluate
from nnlib.model import Model
from nnlib.novelty import novelty_features
from nnlib.pictures import LabelledPictures, read_pictures
from nnlib.preprocessing import IMAGE_SIZE, RESAMPLE, preprocess
from nnlib.recipe import Recipe
from nnlib.summary import format_summary, summarise
from nnlib.training_run import follow_recipe, predict_probabilities, validation_part

DEFAULT_MODEL = Path("models") / "catnet" / "1"


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns: exit status, 1 if something that was asked for could not be done; the reason is on standard error."""
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(options)
    except (NnlibError, OSError) as error:
        print(f"nnlib: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("nnlib: interrupted", file=sys.stderr)
        return 130
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="nnlib", description="A neural network from scratch that recognises cats.")
    commands = parser.add_subparsers(title="commands", required=True)

    train = commands.add_parser("train", help="follow a recipe, or go on where it was interrupted")
    train.add_argument("recipe", type=Path)
    train.add_argument("data", type=Path, help="folder of class folders; what is in cat/ or cats/ is a cat")
    train.add_argument("output", type=Path, help="gets checkpoint, history and, at the end, the model folder")
    train.add_argument("--cache", type=Path, help="folder to keep decoded pictures in")
    train.set_defaults(run=_train)

    evaluation = commands.add_parser("evaluate", help="measure a model on labelled pictures")
    evaluation.add_argument("data", type=Path, help="folder of class folders; what is in cat/ or cats/ is a cat")
    evaluation.set_defaults(run=_evaluate)

    predict = commands.add_parser("predict", help="is there a cat in these photos?")
    predict.add_argument("photos", type=Path, nargs="+", metavar="PHOTO")
    predict.set_defaults(run=_predict)

    summary = commands.add_parser("summary", help="the layers of a model or of a recipe")
    summary.add_argument("what", type=Path, nargs="?", default=DEFAULT_MODEL, help="model folder or recipe file")
    summary.set_defaults(run=_summary)

    export = commands.add_parser("export", help="write a model for other runtimes")
    export.add_argument("output", type=Path, help="file to write")
    export.add_argument("--format", choices=["onnx"], default="onnx")
    export.set_defaults(run=_export)

    for command in (evaluation, predict, export):
        command.add_argument("--model", type=Path, default=DEFAULT_MODEL, help="model folder (default: %(default)s)")
    return parser


def _train(options: argparse.Namespace) -> int:
    """The model folder is calibrated on the recipe's validation part."""
    recipe = Recipe.read(options.recipe)
    network = follow_recipe(options.recipe, options.data, options.output, cache=options.cache)
    validation = validation_part(read_pictures(options.data, cache=options.cache))
    said = predict_probabilities(network, recipe.normalization, validation).astype(np.float64)
    smallest = np.finfo(np.float32).tiny
    said = np.clip(said, smallest, 1 - np.finfo(np.float32).eps)
    logits = np.log(said) - np.log1p(-said)
    temperature = fit_temperature(logits, validation.targets)
    calibrated = sigmoid(logits / temperature)
    threshold = conformal_threshold(calibrated, validation.targets, coverage=recipe.coverage)
    folder = options.output / "model"
    save_model(
        folder,
        network,
        {
            "name": recipe.name,
            "version": recipe.version,
            "created": f"{datetime.datetime.now(datetime.UTC):%Y-%m-%dT%H:%M:%SZ}",
            "preprocessing": {
                "size": IMAGE_SIZE,
                "resample": RESAMPLE,
                "scale": recipe.normalization.scale,
                "mean": list(recipe.normalization.mean),
                "std": list(recipe.normalization.std),
            },
            "classes": list(CLASSES),
            "temperature": temperature,
            "conformal": {"coverage": recipe.coverage, "threshold": threshold},
            "metrics": {"validation": evaluate(calibrated, validation.targets)},
            "confidence": {"bin_edges": [edge / 20 for edge in range(10, 21)]},
            "reference": None,
            "training": recipe.identity(),
        },
    )
    print(f"model: {folder}")
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    model = load_model(options.model)
    pictures = read_pictures(options.data)
    _say_skipped(pictures)
    said = np.concatenate(
        [model.predict(pictures.pixels[start : start + 64]).cat_probability for start in range(0, len(pictures), 64)]
    )
    figures = evaluate(said, pictures.targets)
    calibration = reliability(said, pictures.targets)
    covered = np.where(pictures.targets == 1, 1 - said, said) <= model.manifest.threshold
    figures["expected_calibration_error"] = calibration.expected_calibration_error
    figures["coverage"] = float(covered.mean())
    print(json.dumps(figures, indent=1))
    return 0


def _predict(options: argparse.Namespace) -> int:
    """One line a photo; those that cannot be used are named on standard error."""
    model = load_model(options.model)
    failed = False
    for photo in options.photos:
        try:
            pixels = preprocess(photo.read_bytes()).pixels[np.newaxis]
        except (ImageError, OSError) as error:
            print(f"{photo}: {error.strerror if isinstance(error, OSError) else error}", file=sys.stderr)
            failed = True
        else:
            print(f"{photo}: {_answer(model, pixels)}")
    return int(failed)


def _answer(model: Model, pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> str:
    prediction = model.predict(pixels)
    cat_probability = float(prediction.cat_probability[0])
    words = [f"{CLASSES[cat_probability > DECISION_THRESHOLD]}, P(cat) = {cat_probability:.3f}"]
    if not prediction.certain[0]:
        words.append("not sure")
    novelty = model.manifest.novelty
    if novelty and novelty.score(novelty_features(pixels, prediction.hidden))[0] > novelty.threshold:
        words.append("unlike the photos it knows")
    return ", ".join(words)


def _summary(options: argparse.Namespace) -> int:
    network = Recipe.read(options.what).build() if options.what.is_file() else load_model(options.what).network
    print(format_summary(summarise(network, (IMAGE_SIZE, IMAGE_SIZE, 3))))
    return 0


def _export(options: argparse.Namespace) -> int:
    try:
        from nnlib.onnx_export import to_onnx
    except ModuleNotFoundError:
        print("nnlib: exporting needs the package onnx: pip install 'catnet-nnlib[onnx]'", file=sys.stderr)
        return 1
    data = to_onnx(load_model(options.model))
    write_atomically(options.output, data)
    print(f"{options.output}: {len(data):,} bytes")
    return 0


def _say_skipped(pictures: LabelledPictures) -> None:
    if pictures.skipped:
        print(f"skipped {len(pictures.skipped)} files:", *pictures.skipped, sep="\n  ", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
