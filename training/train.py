"""What `make train` runs: the recipes of the models under models/, all of them or those that are named.

Usage: python -m training.train [catnet-mlp] [catnet] [options of both, such as --data FOLDER]
"""

import sys
from collections.abc import Callable, Mapping, Sequence

from training import catnet, catnet_mlp

RECIPES: Mapping[str, Callable[[Sequence[str] | None], int]] = {
    "catnet-mlp": catnet_mlp.main,  # under a minute
    "catnet": catnet.main,  # an hour and a half at most, on two cores; goes on where it was interrupted
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the recipes with the same options; stop at the first that fails."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    names = [argument for argument in arguments if argument in RECIPES]
    options = [argument for argument in arguments if argument not in RECIPES]
    return next((status for name in names or RECIPES if (status := RECIPES[name](options)) != 0), 0)


if __name__ == "__main__":
    sys.exit(main())
