"""The pages and what they load: an allow list over the frontend's folder, compressed, revalidated by content.

``/service-worker.js`` is the script of that name with a line in front that says what a browser keeps of the pages to
open them without the network: a changed file makes it another script, the sign for browsers to keep a new copy.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import hashlib
import json
import mimetypes
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.errors import PagesMissing

_log = structlog.get_logger("pages")

PAGES = MappingProxyType(
    {"/": "index.html", "/how-it-works": "how-it-works.html", "/dashboard": "dashboard.html", "/docs": "docs.html"}
)
OFFLINE_PAGES = ("/",)
"""Those that open without the network, for whoever keeps their photos on the device."""
SERVICE_WORKER = "service-worker.js"
VENDOR_FILES = MappingProxyType(
    {
        "/vendor/chart.js/chart.umd.min.js": "node_modules/chart.js/dist/chart.umd.min.js",
        "/vendor/swagger-ui/swagger-ui.css": "node_modules/swagger-ui-dist/swagger-ui.css",
        "/vendor/swagger-ui/swagger-ui-bundle.js": "node_modules/swagger-ui-dist/swagger-ui-bundle.js",
    }
)
_STATIC_PATH = re.compile(
    r"(?!(?:.*/)?(?:node_modules|tests)/)"  # neither libraries nor tests
    r"(?:[A-Za-z0-9_-]+/)*"  # folders: no dot, so neither hidden ones nor the way up
    r"[A-Za-z0-9_-][A-Za-z0-9_.-]*\.(?:js|css|svg|png|ico|webmanifest|txt)"
)
_WEIGHT_OF_NONE = re.compile(r"q=0(\.0*)?")
_MEDIA_TYPES = {".js": "text/javascript", ".webmanifest": "application/manifest+json", ".ico": "image/x-icon"}

KEEP_FOR_A_DAY = MappingProxyType({"cache-control": "public, max-age=86400"})
"""For the libraries: their addresses have no version in them, so not for longer."""

HEADERS = MappingProxyType(
    {
        "cache-control": "no-cache",
        "content-security-policy": "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
        "referrer-policy": "no-referrer",
        "permissions-policy": "camera=(), geolocation=(), microphone=()",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "vary": "accept-encoding",
    }
)
_CAMERA = MappingProxyType({"permissions-policy": "camera=(self), geolocation=(), microphone=()"})
"""For the page that takes photos."""
_HTTPS_ONLY = MappingProxyType({"strict-transport-security": "max-age=31536000"})
"""Where the gateway is reached over HTTPS, which a proxy in front says."""


@dataclass(frozen=True, slots=True)
class _File:
    """A file as it was at a time: read, hashed and compressed once."""

    stamp: tuple[int, int]
    content: bytes
    compressed: bytes
    sha256: str


class Pages:
    """Routes for the files under one folder. Raises: PagesMissing if a page is not there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._files: dict[Path, _File] = {}
        missing = [name for name in PAGES.values() if not (folder / name).is_file()]
        if missing:
            raise PagesMissing(f"FRONTEND_DIR='{folder}' holds no {', '.join(missing)}: name the folder of the pages.")
        for path in VENDOR_FILES.values():
            if not (folder / path).is_file():
                _log.warning("library missing: run npm in the frontend's folder", file=path)

    def routes(self) -> list[Route]:
        return [
            *(self._route(address, path, _CAMERA if address == "/" else {}) for address, path in PAGES.items()),
            *(self._route(address, path, KEEP_FOR_A_DAY) for address, path in VENDOR_FILES.items()),
            self._route("/favicon.ico", "favicon.svg", KEEP_FOR_A_DAY),
            Route("/static/{path:path}", self._static),
            Route(f"/{SERVICE_WORKER}", self._service_worker),
        ]

    def _route(self, address: str, path: str, own_headers: Mapping[str, str]) -> Route:
        async def show(request: Request) -> Response:
            return await self._answer(request, path, own_headers)

        return Route(address, show)

    async def _static(self, request: Request) -> Response:
        path = request.path_params["path"]
        if not _STATIC_PATH.fullmatch(path):
            raise HTTPException(404)
        return await self._answer(request, path, {})

    async def _service_worker(self, request: Request) -> Response:
        content = await asyncio.to_thread(self._service_worker_with_files)
        return Response(content, headers=HEADERS, media_type="text/javascript")

    def _service_worker_with_files(self) -> bytes:
        script = self._read(SERVICE_WORKER).content
        files = {address: self._read(PAGES[address]).sha256 for address in OFFLINE_PAGES}
        files |= {f"/static/{path}": file.sha256 for path, file in sorted(self._static_files())}
        version = hashlib.sha256(script + json.dumps(files).encode()).hexdigest()[:16]
        return f"const COPY = {json.dumps({'version': version, 'files': files})};\n".encode() + script

    def _static_files(self) -> Iterator[tuple[str, _File]]:
        """All that is served under /static/, by its path there, but for the script that keeps them."""
        for folder, folders, names in os.walk(self._folder):
            folders[:] = [name for name in folders if name not in ("node_modules", "tests")]
            for name in names:
                path = (Path(folder) / name).relative_to(self._folder).as_posix()
                if _STATIC_PATH.fullmatch(path) and path != SERVICE_WORKER:
                    with contextlib.suppress(HTTPException):  # a link that leads out, a file that is gone by now
                        yield path, self._read(path)

    async def _answer(self, request: Request, path: str, own_headers: Mapping[str, str]) -> Response:
        file = await asyncio.to_thread(self._read, path)
        compress = file.compressed is not file.content and _takes_gzip(request.headers.get("accept-encoding", ""))
        etag = f'"{file.sha256[:32]}-gzip"' if compress else f'"{file.sha256[:32]}"'
        headers = {**HEADERS, **own_headers, "etag": etag}
        if request.scope["scheme"] == "https":
            headers |= _HTTPS_ONLY
        if matches_etag(request.headers.get("if-none-match", ""), etag):
            return Response(status_code=304, headers=headers)
        if compress:
            headers["content-encoding"] = "gzip"
        return Response(file.compressed if compress else file.content, headers=headers, media_type=_media_type(path))

    def _read(self, path: str) -> _File:
        try:
            address = (self._folder / path).resolve(strict=True)
            if address.is_relative_to(self._folder):  # a link may lead out
                return self._read_once(address)
        except OSError:  # not there, not a file, not readable, a name too long
            pass
        raise HTTPException(404)

    def _read_once(self, address: Path) -> _File:
        status = address.stat()
        stamp = (status.st_mtime_ns, status.st_size)
        file = self._files.get(address)
        if file is None or file.stamp != stamp:
            content = address.read_bytes()
            compressed = min(gzip.compress(content, mtime=0), content, key=len)
            file = _File(stamp, content, compressed, hashlib.sha256(content).hexdigest())
            self._files[address] = file
        return file


def _takes_gzip(accept_encoding: str) -> bool:
    """Source: RFC 9110, section 12.5.3."""
    takes_others = False
    for coding in accept_encoding.lower().split(","):
        name, _, weight = (part.strip() for part in coding.partition(";"))
        takes = not _WEIGHT_OF_NONE.fullmatch(weight)
        if name == "gzip":
            return takes
        if name == "*":
            takes_others = takes
    return takes_others


def matches_etag(if_none_match: str, etag: str) -> bool:
    """Weak comparison. Source: RFC 9110, section 13.1.2."""
    candidates = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return etag in candidates or "*" in candidates


def _media_type(path: str) -> str:
    suffix = Path(path).suffix
    return _MEDIA_TYPES.get(suffix) or mimetypes.types_map[suffix]
