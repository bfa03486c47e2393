"""What `make train` runs: the recipes of the models under models/, all of them or those that are named.

Usage: python -m training.train [catnet-mlp] [catnet] [options of the recipes, such as --data FOLDER]
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from training import catnet, catnet_mlp
from training.datasets import default_folder

RECIPES: Mapping[str, Callable[[Sequence[str] | None], int]] = {
    "catnet-mlp": catnet_mlp.main,  # under a minute
    "catnet": catnet.main,  # an hour and a half at most, on two cores; goes on where it was interrupted
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the recipes with the same options; stop at the first that fails.

    Somebody's own pictures are none for catnet, whose recipe names the sources of cats64: unless it is asked for by
    name, it is then left out, with a word.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    options = [argument for argument in arguments if argument not in RECIPES]
    names = [argument for argument in arguments if argument in RECIPES]
    if not names:
        parser = argparse.ArgumentParser(add_help=False)
        parser.add_argument("--data", type=Path, default=default_folder())
        data = parser.parse_known_args(options)[0].data
        names = list(RECIPES)
        if not (data / "cats64").is_dir():
            names.remove("catnet")
            print(f"catnet is left out: there is no cats64 in {data}", file=sys.stderr)
    return next((status for name in names if (status := RECIPES[name](options)) != 0), 0)


if __name__ == "__main__":
    sys.exit(main())
