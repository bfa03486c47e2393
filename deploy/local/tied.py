"""Run a command that ends when whoever started it is gone, however it went: ``python tied.py COMMAND [ARGUMENT ...]``.

A process that is killed (SIGKILL) tells its children nothing, and they would go on, holding ports and data. On Linux
the kernel sends them SIGTERM; elsewhere there is no such thing, and the command is only run.
Source: prctl(2), PR_SET_PDEATHSIG.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)  # the command inherits it, as it takes this process
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 - the command is the launcher's own


if __name__ == "__main__":
    main()
