"""Turn the original project's parameters.pkl into a model folder.

The pickle is never trusted (see nnlib.legacy_pickle). Without pictures to calibrate on the imported model is never
certain and has no drift reference; with --data it is measured and calibrated as a trained one is.

Usage: python -m training.import_parameters parameters.pkl models/imported/1 [--data FOLDER]
"""

import argparse
import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path

from nnlib.errors import ArtifactError, DatasetError, LegacyPickleError
from nnlib.legacy_pickle import network_from_parameters, read_parameters

from training.catnet_mlp import NORMALIZATION
from training.datasets import Pictures, evaluation_sets, load_split
from training.packaging import package_model


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Turn the original's parameters.pkl into a model folder.")
    parser.add_argument("pickle", type=Path, help="the dict W1, b1, ... W4, b4, pickled")
    parser.add_argument("folder", type=Path, help="models/NAME/VERSION, to be written")
    parser.add_argument("--data", type=Path, help="pictures to measure and calibrate on (default: none)")
    options = parser.parse_args(arguments)
    measured_on: dict[str, Pictures] = {}
    held_back = None
    try:
        pickled = options.pickle.read_bytes()
        network = network_from_parameters(read_parameters(pickled))
        if options.data is not None:
            measured_on, held_back = evaluation_sets(options.data, load_split(options.data))
        package_model(
            options.folder,
            network,
            measured_on=measured_on,
            held_back=held_back,
            training={"imported_from": options.pickle.name, "sha256": hashlib.sha256(pickled).hexdigest()},
            data=None,
            normalization=NORMALIZATION,
        )
    except (OSError, LegacyPickleError, DatasetError, ArtifactError) as error:
        print(f"{options.pickle}: {error}" if isinstance(error, LegacyPickleError) else error, file=sys.stderr)
        return 1
    print(f"model: {options.folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
