"""The files of the models that are served, for whoever runs one of them elsewhere: the pages do, in the browser."""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from inference.deadline import Deadline
from inference.errors import NoSuchModelFile
from inference.served_models import ServedModels
from inference.settings import InferenceSettings
from inference.workers import Workers

MEDIA_TYPES = MappingProxyType(
    {
        "manifest.json": "application/json",
        "model.safetensors": "application/octet-stream",
        "README.md": "text/markdown; charset=utf-8",
        "history.csv": "text/csv; charset=utf-8",
        "reliability.png": "image/png",
    }
)
"""All that is given away of a model's folder."""
MAX_FILE_BYTES = 64 * 1024 * 1024
MAX_REQUESTS = 16
"""That are read for, and wait for that: a bound on memory, and on what a file system that hangs keeps waiting."""
_FOR_A_YEAR = "public, max-age=31536000, immutable"


class ModelFileRoutes:
    """Only of models that are loaded, so no name leads anywhere else; weights only as they were loaded."""

    def __init__(self, settings: InferenceSettings, models: ServedModels) -> None:
        self._settings = settings
        self._models = models
        self._reader = Workers(threads=1, max_requests=MAX_REQUESTS)

    def routes(self) -> list[Route]:
        return [Route("/models/{name}/{version}/{file}", self.show, methods=["GET"])]

    async def show(self, request: Request) -> Response:
        """``GET /models/NAME/VERSION/FILE?sha256=``: a file, or 404 if it is no longer the one of that hash."""
        name, version, file = (request.path_params[key] for key in ("name", "version", "file"))
        manifest = self._models.current.get(f"{name}/{version}").manifest
        if file not in MEDIA_TYPES:
            raise NoSuchModelFile
        path = self._settings.models_dir / manifest.name / manifest.version / file
        deadline = Deadline.of(request.scope, longest_seconds=self._settings.request_timeout_seconds)
        with deadline.enforced(), self._reader.admit():
            content, sha256 = await self._reader.run(partial(_read, path))
        expected = request.query_params.get("sha256")
        if expected not in (None, sha256) or (file == "model.safetensors" and sha256 != manifest.sha256):
            raise NoSuchModelFile
        headers = {"etag": f'"{sha256}"', "cache-control": _FOR_A_YEAR if expected else "no-cache"}
        return Response(content, headers=headers, media_type=MEDIA_TYPES[file])

    def close(self) -> None:
        self._reader.close()


def _read(path: Path) -> tuple[bytes, str]:
    """Returns: the content, and its SHA-256. Raises: NoSuchModelFile."""
    if not path.is_file():  # a pipe would never be read to its end
        raise NoSuchModelFile
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError:
        raise NoSuchModelFile from None
    if len(content) > MAX_FILE_BYTES:
        raise NoSuchModelFile
    return content, hashlib.sha256(content).hexdigest()
