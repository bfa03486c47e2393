"""``python -m monitor`` runs the service; with a command, see ``python -m monitor --help``."""

from __future__ import annotations

import sys

from servicekit.logs import configure_logs
from servicekit.server import serve
from servicekit.settings import read_settings

from monitor.app import create_app
from monitor.commands import run
from monitor.settings import MonitorSettings


def main() -> None:
    if len(sys.argv) > 1:
        sys.exit(run(sys.argv[1:]))
    settings = read_settings(MonitorSettings)
    configure_logs(service="monitor", level=settings.log_level, style=settings.log_format)
    serve(create_app(settings), settings)


if __name__ == "__main__":
    main()
