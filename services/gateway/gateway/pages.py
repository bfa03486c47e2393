"""The pages and what they load: an allow list over the frontend's folder, revalidated by content."""

from __future__ import annotations

import asyncio
import hashlib
import mimetypes
import re
from pathlib import Path
from types import MappingProxyType

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.errors import PagesMissing

_log = structlog.get_logger("pages")

PAGES = MappingProxyType({"/": "index.html", "/dashboard": "dashboard.html", "/docs": "docs.html"})
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
_MEDIA_TYPES = {".js": "text/javascript", ".webmanifest": "application/manifest+json", ".ico": "image/x-icon"}

REVALIDATE = "no-cache"
KEEP_FOR_A_DAY = "public, max-age=86400"
"""For the libraries: their addresses have no version in them, so not for longer."""

SECURITY_HEADERS = MappingProxyType(
    {
        "content-security-policy": "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "permissions-policy": "camera=(), geolocation=(), microphone=()",
        "cross-origin-opener-policy": "same-origin",
    }
)


class Pages:
    """Routes for the files under one folder. Raises: PagesMissing if a page is not there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        missing = [name for name in PAGES.values() if not (folder / name).is_file()]
        if missing:
            raise PagesMissing(f"FRONTEND_DIR='{folder}' holds no {', '.join(missing)}: name the folder of the pages.")
        for path in VENDOR_FILES.values():
            if not (folder / path).is_file():
                _log.warning("library missing: run npm in the frontend's folder", file=path)

    def routes(self) -> list[Route]:
        return [
            *(self._route(address, path, REVALIDATE) for address, path in PAGES.items()),
            *(self._route(address, path, KEEP_FOR_A_DAY) for address, path in VENDOR_FILES.items()),
            self._route("/favicon.ico", "favicon.svg", KEEP_FOR_A_DAY),
            Route("/static/{path:path}", self._static),
        ]

    def _route(self, address: str, path: str, cache_control: str) -> Route:
        async def show(request: Request) -> Response:
            return await self._answer(request, path, cache_control)

        return Route(address, show)

    async def _static(self, request: Request) -> Response:
        path = request.path_params["path"]
        if not _STATIC_PATH.fullmatch(path):
            raise HTTPException(404)
        return await self._answer(request, path, REVALIDATE)

    async def _answer(self, request: Request, path: str, cache_control: str) -> Response:
        content = await asyncio.to_thread(self._read, path)
        etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
        headers = {**SECURITY_HEADERS, "cache-control": cache_control, "etag": etag}
        if _matches(request.headers.get("if-none-match", ""), etag):
            return Response(status_code=304, headers=headers)
        return Response(content, headers=headers, media_type=_media_type(path))

    def _read(self, path: str) -> bytes:
        try:
            file = (self._folder / path).resolve(strict=True)
            if file.is_relative_to(self._folder):  # a link may lead out
                return file.read_bytes()
        except OSError:  # not there, not a file, not readable, a name too long
            pass
        raise HTTPException(404)


def _matches(if_none_match: str, etag: str) -> bool:
    """Weak comparison. Source: RFC 9110, section 13.1.2."""
    candidates = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return etag in candidates or "*" in candidates


def _media_type(path: str) -> str:
    suffix = Path(path).suffix
    return _MEDIA_TYPES.get(suffix) or mimetypes.types_map[suffix]
