"""``python -m gateway``: read the settings, serve until SIGTERM."""

from __future__ import annotations

import logging
import sys

from servicekit.logs import configure_logs
from servicekit.memory import return_large_blocks
from servicekit.server import serve
from servicekit.settings import CONFIGURATION_ERROR, read_settings

from gateway.app import create_app
from gateway.errors import PagesMissing
from gateway.settings import GatewaySettings

_LARGE_PHOTO_BYTES = 1024 * 1024
"""What is held of a photo of this length is given back with it; smaller ones are cheaper to hold where others were."""


def main() -> None:
    settings = read_settings(GatewaySettings)
    configure_logs(service="gateway", level=settings.log_level, style=settings.log_format)
    logging.getLogger("python_multipart").setLevel(logging.ERROR)  # it warns of every broken body: those are answered
    return_large_blocks(_LARGE_PHOTO_BYTES)
    try:
        app = create_app(settings)
    except PagesMissing as error:
        print(error, file=sys.stderr)
        sys.exit(CONFIGURATION_ERROR)
    serve(app, settings)


main()
