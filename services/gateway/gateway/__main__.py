"""``python -m gateway``: read the settings, serve until SIGTERM."""

from __future__ import annotations

import logging
import sys

from servicekit.logs import configure_logs
from servicekit.server import serve
from servicekit.settings import CONFIGURATION_ERROR, read_settings

from gateway.app import create_app
from gateway.errors import PagesMissing
from gateway.settings import Settings


def main() -> None:
    settings = read_settings(Settings)
    configure_logs(service="gateway", level=settings.log_level, style=settings.log_format)
    logging.getLogger("python_multipart").setLevel(logging.ERROR)  # it warns of every broken body: those are answered
    try:
        app = create_app(settings)
    except PagesMissing as error:
        print(error, file=sys.stderr)
        sys.exit(CONFIGURATION_ERROR)
    serve(app, settings)


main()
