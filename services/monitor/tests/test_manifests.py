"""Manifests are read as they are; a missing or broken one never keeps an event from being counted."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from monitor.manifests import DEFAULT_CONFIDENCE_EDGES, MAX_BYTES, Manifest, Manifests, is_model_name, version_order

from services.monitor.tests.examples import write_manifest


def test_a_manifest_gives_bins_and_references(manifests: Manifests) -> None:
    manifest = manifests.get("catnet-mlp", "1")
    assert manifest.model == "catnet-mlp/1"
    assert manifest.confidence_edges == (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
    assert [feature.name for feature in manifest.features] == ["cat_probability", "brightness"]
    assert manifest.features[0].psi_null.window_sizes == (200, 2000)


def test_an_unknown_model_has_the_default_bins(tmp_path: Path) -> None:
    assert Manifests(tmp_path).get("stranger", "1") == Manifest("stranger", "1", DEFAULT_CONFIDENCE_EDGES, ())


def test_a_model_without_reference_has_no_features(tmp_path: Path) -> None:
    write_manifest(tmp_path, reference=None)
    assert Manifests(tmp_path).get("catnet-mlp", "1").features == ()


def test_a_manifest_that_arrives_later_is_found(tmp_path: Path) -> None:
    now = 0.0
    manifests = Manifests(tmp_path, clock=lambda: now)
    assert not manifests.get("catnet-mlp", "1").features
    write_manifest(tmp_path)
    now = 60.0
    assert manifests.get("catnet-mlp", "1").features


@pytest.mark.parametrize(
    "changes",
    [
        {"confidence": {"bin_edges": [0.5]}},
        {"confidence": {"bin_edges": [1.0, 0.5]}},
        {"confidence": {"bin_edges": [0.5, "NaN"]}},
        {"confidence": None},
        {"reference": {}},
        {"reference": {"features": [{"name": "brightness", "bin_edges": [0, 1], "counts": [1, 2]}]}},
    ],
)
def test_a_broken_manifest_is_treated_as_missing(tmp_path: Path, changes: dict[str, Any]) -> None:
    write_manifest(tmp_path, **changes)
    assert Manifests(tmp_path).get("catnet-mlp", "1") == Manifest("catnet-mlp", "1")


def nested(path: Path) -> None:
    path.write_text("[" * 200_000)


def huge(path: Path) -> None:
    path.touch()
    os.truncate(path, MAX_BYTES + 1)


@pytest.mark.parametrize("spoil", [nested, huge, os.mkfifo, Path.mkdir])
def test_whatever_stands_where_a_manifest_should_counting_goes_on(
    tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    folder = tmp_path / "catnet" / "1"
    folder.mkdir(parents=True)
    spoil(folder / "manifest.json")
    assert Manifests(tmp_path).get("catnet", "1") == Manifest("catnet", "1")


def test_a_manifest_in_the_folder_of_another_is_treated_as_missing(tmp_path: Path) -> None:
    write_manifest(tmp_path)
    (tmp_path / "catnet-mlp").rename(tmp_path / "other")
    assert Manifests(tmp_path).get("other", "1") == Manifest("other", "1")


def test_versions_are_ordered_as_people_count() -> None:
    assert sorted(["10", "9", "1.10", "1.9", "2-beta"], key=version_order) == ["1.9", "1.10", "2-beta", "9", "10"]


@pytest.mark.parametrize("text", ["catnet-mlp", "1", "a.b_c-1", "x" * 64])
def test_names_that_are_safe_in_keys_and_paths(text: str) -> None:
    assert is_model_name(text)


@pytest.mark.parametrize("text", ["", ".", "..", "a/b", "a:b", "a b", "x" * 65, "kätzchen", "-a", "a\n"])
def test_names_that_are_not(text: str) -> None:
    assert not is_model_name(text)
