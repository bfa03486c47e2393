"""``python -m inference``: read the settings, load the models, serve."""

from __future__ import annotations

import os
import signal
import sys

# Before all that takes time: the default would kill the process as long as there is no model to reload.
signal.signal(signal.SIGHUP, signal.SIG_IGN)

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


def main() -> None:
    settings = read_settings(InferenceSettings)
    configure_logs(service="inference", level=settings.log_level, style=settings.log_format)
    quiet_decoders()
    return_large_blocks(MEGAPIXEL_BYTES)
    try:
        app = create_app(settings)
    except ModelRefused as error:
        print(error, file=sys.stderr)
        sys.exit(CONFIGURATION_ERROR)
    serve(app, settings)


if __name__ == "__main__":
    main()
