"""What the pictures of cats64 show and where they come from, as the names of their files tell it.

A name begins with its source; in ImageNet's sources a WordNet id follows, in Caltech-101 the name of a class. WordNet
numbers its nouns so that, in ImageNet, dogs lie in one range, cats in another, and all animals below all things.
"""

import re
from collections.abc import Mapping, Sequence

import numpy as np
from nnlib.arrays import Array
from nnlib.errors import DatasetError

GROUPS = ("cats", "dogs", "big cats", "other animals", "people and clothes", "things")
SOURCES = {
    "tin": "Tiny ImageNet",
    "cd": "Dogs vs. Cats",
    "cdb": "Dogs vs. Cats, cut at the top left",
    "catbreed": "cat breeds",
    "dogbreed": "dog breeds",
    "ins": "ImageNet samples",
    "cal": "Caltech-101",
}

_DOGS = range(2085620, 2113979)  # to the poodles; wolves and foxes follow
_WILD_CATS = {2123159, 2125311, 2127052, 2128385, 2128757, 2128925, 2129165, 2129604, 2130308}
_FIRST_THING = 2666196
_PEOPLE = {9835506, 10148035, 10565667}
_CLOTHES = {
    2669723, 2730930, 2837789, 2883205, 2963159, 3404251, 3617480, 3763968, 3770439, 3814639, 3980874, 4133789,
    4254777, 4259630, 4356056, 4371430, 4532106,
}  # fmt: skip
_CALTECH = {
    "dogs": {"dalmatian"},
    "big cats": {"Leopards", "cougar_body", "cougar_face", "wild_cat"},
    "people and clothes": {"Faces", "Faces_easy"},
    "other animals": {
        "ant", "bass", "beaver", "butterfly", "crab", "crayfish", "crocodile", "crocodile_head", "dolphin", "dragonfly",
        "elephant", "emu", "flamingo", "flamingo_head", "gerenuk", "hawksbill", "hedgehog", "ibis", "kangaroo",
        "llama", "lobster", "mayfly", "nautilus", "octopus", "okapi", "panda", "pigeon", "platypus", "rhino", "rooster",
        "scorpion", "sea_horse", "starfish", "tick",
    },
}  # fmt: skip

# How many pictures of each kind the test part has: the mix that calibration and coverage are stated for.
TEST_MIX = {
    ("cats", "tin"): 150,
    ("cats", "cd"): 300,
    ("cats", "catbreed"): 197,
    ("dogs", "tin"): 299,
    ("dogs", "cd"): 300,
    ("dogs", "dogbreed"): 198,
    ("big cats", "tin"): 100,
    ("other", "tin"): 943,
}


def source_of(name: str) -> str:
    """The key of SOURCES.

    Raises: DatasetError if the name begins with none of them.
    """
    source = name.partition("_")[0]
    if source not in SOURCES:
        raise DatasetError(f"{name}: its beginning is none of {', '.join(SOURCES)}")
    return source


def group_of(name: str, *, is_cat: bool) -> str:
    """One of GROUPS.

    Raises: DatasetError if the name tells no source.
    """
    if is_cat:
        return "cats"
    match source_of(name):
        case "cd" | "cdb" | "dogbreed" | "catbreed":
            return "dogs"
        case "cal":
            kind = re.sub(r"_\d+$", "", name.removeprefix("cal_").partition(".")[0])
            return next((group for group, kinds in _CALTECH.items() if kind in kinds), "things")
        case _:
            found = re.match(r"[a-z]+_n(\d{8})_", name)
            if found is None:
                raise DatasetError(f"{name}: no WordNet id in it")
            return _group_of_synset(int(found[1]))


def _group_of_synset(synset: int) -> str:
    if synset in _DOGS:
        return "dogs"
    if synset in _WILD_CATS:
        return "big cats"
    if synset in _CLOTHES or synset in _PEOPLE:
        return "people and clothes"
    return "other animals" if synset < _FIRST_THING else "things"


def mix_weights(names: Sequence[str], targets: Array, mix: Mapping[tuple[str, str], float] = TEST_MIX) -> Array:
    """A weight a picture, so that together they are mixed as stated; 0 for kinds that the mix does not have.

    Shapes: targets and result (samples,), which adds up to 1.
    Raises: DatasetError if a kind of the mix has no picture.
    """
    kinds = [_kind(name, is_cat=bool(target), mix=mix) for name, target in zip(names, targets, strict=True)]
    weights = np.zeros(len(names))
    for kind, share in mix.items():
        members = [position for position, other in enumerate(kinds) if other == kind]
        if not members:
            raise DatasetError(f"no picture of {kind[0]} from {SOURCES[kind[1]]}")
        weights[members] = share / sum(mix.values()) / len(members)
    return weights


def _kind(name: str, *, is_cat: bool, mix: Mapping[tuple[str, str], float]) -> tuple[str, str]:
    group, source = group_of(name, is_cat=is_cat), source_of(name)
    return (group, source) if (group, source) in mix else ("other", source)
