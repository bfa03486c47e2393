"""The model card of catnet, written from the figures of its manifest, so that they cannot disagree.

Usage: python -m training.card models/catnet/1        writes the card anew
"""

import re
import sys
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nnlib.artifact import load_model
from nnlib.errors import ArtifactError
from nnlib.files import write_atomically

TEXT = Path(__file__).parent / "card.md"
_WHOLE_WORDS: Mapping[str, Any] = {"break_long_words": False, "break_on_hyphens": False}


def write_card(path: Path, manifest: Mapping[str, Any]) -> None:
    write_atomically(path, render(manifest).encode())


def render(manifest: Mapping[str, Any]) -> str:
    """The text of card.md with tables and figures in the places of {names}."""
    test, validation = manifest["metrics"]["cats64 test"], manifest["metrics"]["cats64 validation"]
    kinds = {kind["group"]: kind for kind in manifest["kinds"]["cats64 test"] if kind["source"] == "all"}
    novelty = manifest["novelty"] or {"share": 0.0, "threshold": 0.0}
    text = TEXT.read_text(encoding="utf-8").format(
        name=manifest["name"],
        version=manifest["version"],
        parameters=f"{_count_parameters(manifest['architecture']):,}",
        data_sets=_data_sets(manifest),
        kinds=_kinds(manifest["kinds"]["cats64 test"]),
        test=_Percent(test),
        validation=_Percent(validation),
        dogs_at_recall=f"{kinds['dogs']['called_cat_at_90_percent_recall']:.1%}",
        big_cats_at_recall=f"{kinds['big cats']['called_cat_at_90_percent_recall']:.1%}",
        dogs=f"{kinds['dogs']['called_cat']:.1%}",
        big_cats=f"{kinds['big cats']['called_cat']:.1%}",
        cats_found=f"{kinds['cats']['called_cat']:.1%}",
        temperature=f"{manifest['temperature']:.3f}",
        offset=f"{manifest['offset']:.3f}",
        coverage=f"{manifest['conformal']['coverage']:.0%}",
        threshold=f"{manifest['conformal']['threshold']:.3f}",
        novel_share=f"{novelty['share']:.0%}",
        data={key: f"{value:,}" for key, value in manifest["data"].items() if isinstance(value, int)},
        steps=f"{manifest['training']['steps']:,}",
        images_seen=f"{manifest['training']['steps'] * manifest['training']['batch_size'] / 1e6:.2f} million",
        reference_images=f"{(manifest['reference'] or {'images': 0})['images']:,}",
        one_view=_Percent(manifest["views"]["plain"]),
        two_views=_Percent(manifest["views"]["plain and flipped"]),
    )
    return "\n\n".join(_wrap(block) for block in text.strip().split("\n\n")) + "\n"


def _wrap(block: str) -> str:
    """Break the lines of prose and of lists, which figures have made longer or shorter, anew."""
    if block.startswith(("#", "|", "!")):
        return block
    items = re.split(r"\n(?=- )", block)
    return "\n".join(
        textwrap.fill(" ".join(item.split()), 118, subsequent_indent="  " * item.startswith("- "), **_WHOLE_WORDS)
        for item in items
    )


class _Percent(Mapping[str, str]):
    """Figures of a data set as a table shows them: {test[balanced_accuracy]}."""

    def __init__(self, figures: Mapping[str, float]) -> None:
        self._figures = figures

    def __getitem__(self, name: str) -> str:
        value = self._figures[name]
        if name == "images":
            return f"{value:,}"
        return f"{value:.3f}" if name in ("roc_auc", "expected_calibration_error") else f"{value:.1%}"

    def __iter__(self) -> Any:
        return iter(self._figures)

    def __len__(self) -> int:
        return len(self._figures)


def _data_sets(manifest: Mapping[str, Any]) -> str:
    models = {f"**{manifest['name']}**": manifest["metrics"], **manifest["comparison"]}
    lines = [
        "| pictures | number | network | accuracy | balanced accuracy | ROC AUC | ECE |",
        "|---|---|---|---|---|---|---|",
    ]
    for data_set in manifest["metrics"]:
        for model, metrics in models.items():
            figures = _Percent(metrics[data_set])
            error = figures.get("expected_calibration_error", "")
            lines.append(
                f"| {data_set} | {figures['images']} | {model} | {figures['accuracy']} |"
                f" {figures['balanced_accuracy']} | {figures['roc_auc']} | {error} |"
            )
    return "\n".join(lines)


def _kinds(kinds: Sequence[Mapping[str, Any]]) -> str:
    lines = [
        "| what it shows | source | pictures | called cat | called cat where 90 % of cats are | unsure | covered |",
        "|---|---|---|---|---|---|---|",
    ]
    for kind in kinds:
        group = f"**{kind['group']}**" if kind["source"] == "all" else kind["group"]
        lines.append(
            f"| {group} | {kind['source']} | {kind['images']:,} | {kind['called_cat']:.1%} |"
            f" {kind['called_cat_at_90_percent_recall']:.1%} | {kind['unsure']:.1%} | {kind['covered']:.1%} |"
        )
    return "\n".join(lines)


def _count_parameters(architecture: Sequence[Mapping[str, Any]]) -> int:
    count = 0
    for layer in architecture:
        match layer["type"]:
            case "Conv2D":
                count += layer["kernel"] ** 2 * layer["in_channels"] * layer["out_channels"]
                count += layer["out_channels"] * layer["bias"]
            case "Linear":
                count += (layer["in_features"] + 1) * layer["out_features"]
        count += _count_parameters(layer.get("body", []))
    return count


def main(arguments: Sequence[str] | None = None) -> int:
    (folder,) = map(Path, sys.argv[1:] if arguments is None else arguments)
    try:
        write_card(folder / "README.md", load_model(folder).manifest.raw)
    except ArtifactError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
