"""`python -m servicekit.healthcheck` in a service's container: exit status 0 if the service there is ready, else 1."""

from __future__ import annotations

import http.client
import os
import sys


def is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(not is_ready(int(os.environ["PORT"])))
