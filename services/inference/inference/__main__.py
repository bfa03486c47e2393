"""``python -m inference``: read the settings, load the models, serve."""

from __future__ import annotations

import gc
import os
import signal
import sys

# Before NumPy loads its BLAS: requests run side by side, so one forward pass must not take every core.
for _variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

from servicekit.logs import configure_logs  # noqa: E402
from servicekit.memory import return_large_blocks  # noqa: E402
from servicekit.server import serve  # noqa: E402
from servicekit.settings import CONFIGURATION_ERROR, read_settings  # noqa: E402

from inference.app import create_app  # noqa: E402
from inference.model_registry import ModelRefused  # noqa: E402
from inference.quiet_decoders import quiet_decoders  # noqa: E402
from inference.settings import InferenceSettings  # noqa: E402

MEGAPIXEL_BYTES = 4 * 2**20
"""What a decoded picture of a megapixel takes. One up to this size would otherwise cost a tenth more to decode."""

NEW_OBJECTS_TO_SEARCH = 10_000
"""So many more objects than before, and they are searched for cycles of garbage. Requests leave no such cycles, but at
the usual 700 those in work together would be searched over and over."""


def main() -> None:
    settings = read_settings(InferenceSettings)
    configure_logs(service="inference", level=settings.log_level, style=settings.log_format)
    quiet_decoders()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # its default would kill the process before there is a model to reload
    return_large_blocks(MEGAPIXEL_BYTES)
    try:
        app = create_app(settings)
    except ModelRefused as error:
        print(error, file=sys.stderr)
        sys.exit(CONFIGURATION_ERROR)
    _spare_garbage_collector()
    serve(app, settings)


def _spare_garbage_collector() -> None:
    """What is here now stays to the end: never again go through all of it, which stops every request for a while."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS_TO_SEARCH)


if __name__ == "__main__":
    main()
