"""The files of the models that are served, for whoever runs one of them elsewhere: the pages do, in the browser."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from inference.errors import NoSuchModelFile
from inference.served_models import ServedModels

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
_FOR_A_YEAR = "public, max-age=31536000, immutable"


class ModelFileRoutes:
    """Only of models that are loaded, so no name leads anywhere else; weights only as they were loaded."""

    def __init__(self, folder: Path, models: ServedModels) -> None:
        self._folder = folder
        self._models = models

    def routes(self) -> list[Route]:
        return [Route("/models/{name}/{version}/{file}", self.show, methods=["GET"])]

    async def show(self, request: Request) -> Response:
        """``GET /models/NAME/VERSION/FILE?sha256=``: a file, or 404 if it is no longer the one of that hash."""
        name, version, file = (request.path_params[key] for key in ("name", "version", "file"))
        manifest = self._models.current.get(f"{name}/{version}").manifest
        if file not in MEDIA_TYPES:
            raise NoSuchModelFile
        content = await asyncio.to_thread(_read, self._folder / manifest.name / manifest.version / file)
        sha256 = hashlib.sha256(content).hexdigest()
        expected = request.query_params.get("sha256")
        if expected not in (None, sha256) or (file == "model.safetensors" and sha256 != manifest.sha256):
            raise NoSuchModelFile
        headers = {"etag": f'"{sha256}"', "cache-control": _FOR_A_YEAR if expected else "no-cache"}
        return Response(content, headers=headers, media_type=MEDIA_TYPES[file])


def _read(path: Path) -> bytes:
    """Raises: NoSuchModelFile."""
    if not path.is_file():  # a pipe would never be read to its end
        raise NoSuchModelFile
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError:
        raise NoSuchModelFile from None
    if len(content) > MAX_FILE_BYTES:
        raise NoSuchModelFile
    return content
