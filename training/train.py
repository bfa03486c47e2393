"""What `make train` runs: the recipes of the models under models/, one after the other."""

import sys
from collections.abc import Sequence

from training import catnet_mlp

RECIPES = (catnet_mlp.main,)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run every recipe with the same arguments; stop at the first that fails."""
    return next((status for recipe in RECIPES if (status := recipe(arguments)) != 0), 0)


if __name__ == "__main__":
    sys.exit(main())
