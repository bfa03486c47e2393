"""What a stranger's picture makes a decoder say is counted, not printed among the logs."""

from __future__ import annotations

import ctypes
import logging
from contextlib import suppress

from PIL import _imaging


def quiet_decoders() -> None:
    """Silence Pillow's logger, and the warnings and errors that libtiff itself prints on standard error.

    libtiff is asked through the module that is linked to it. Where it cannot be (linked in without its names), it goes
    on talking.
    Source: TIFFError(3), TIFFWarning(3): a handler of NULL prints nothing.
    """
    logging.getLogger("PIL").setLevel(logging.CRITICAL)
    with suppress(OSError, AttributeError):
        libtiff = ctypes.CDLL(_imaging.__file__)
        for set_handler in (libtiff.TIFFSetWarningHandler, libtiff.TIFFSetErrorHandler):
            set_handler.argtypes, set_handler.restype = [ctypes.c_void_p], ctypes.c_void_p
            set_handler(None)
