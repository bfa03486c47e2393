"""The pages and what they load are served, and nothing else of their folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from gateway.app import create_app
from gateway.settings import GatewaySettings

pytestmark = pytest.mark.anyio


@pytest.fixture
async def http(frontend_dir: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Asks the application itself: pages need neither a port nor the services."""
    transport = httpx.ASGITransport(create_app(GatewaySettings(frontend_dir=frontend_dir)))
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as http:
        yield http


@pytest.mark.parametrize(
    ("address", "media_type", "cache_control"),
    [
        ("/", "text/html; charset=utf-8", "no-cache"),
        ("/how-it-works", "text/html; charset=utf-8", "no-cache"),
        ("/dashboard", "text/html; charset=utf-8", "no-cache"),
        ("/docs", "text/html; charset=utf-8", "no-cache"),
        ("/static/index.js", "text/javascript; charset=utf-8", "no-cache"),
        ("/static/components/photo-drop/photo-drop.css", "text/css; charset=utf-8", "no-cache"),
        ("/static/favicon.svg", "image/svg+xml", "no-cache"),
        ("/favicon.ico", "image/svg+xml", "public, max-age=86400"),
        ("/vendor/chart.js/chart.umd.min.js", "text/javascript; charset=utf-8", "public, max-age=86400"),
        ("/vendor/swagger-ui/swagger-ui.css", "text/css; charset=utf-8", "public, max-age=86400"),
        ("/vendor/swagger-ui/swagger-ui-bundle.js", "text/javascript; charset=utf-8", "public, max-age=86400"),
    ],
)
async def test_what_is_served(http: httpx.AsyncClient, address: str, media_type: str, cache_control: str) -> None:
    response = await http.get(address)
    assert response.status_code == 200
    assert response.content
    assert response.headers["content-type"] == media_type
    assert response.headers["cache-control"] == cache_control
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "address",
    [
        "/static/",
        "/static/missing.js",
        "/static/index.html",
        "/static/package.json",
        "/static/components",
        "/static/tests/index.test.js",
        "/static/node_modules/chart.js/dist/chart.umd.min.js",
        "/static/.hidden.js",
        "/static/../secret.js",
        "/static/..%2fsecret.js",
        "/static/%252e%252e/secret.js",
        "/static/%c0%ae%c0%ae/secret.js",
        "/static/....//secret.js",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/static/%2e%2e/secret.js",
        "/static/components/..%2f..%2f..%2fsecret.js",
        "/static//etc/passwd.txt",
        "/static/%2fetc%2fpasswd.txt",
        "/static/..%5csecret.js",
        "/static/index.js%00.js",
        "/static/index.js/",
        "/static/link.js",
        "/static/" + "a" * 5000 + ".js",
        "/vendor/chart.js/package.json",
        "/vendor/other.js",
    ],
)
async def test_what_is_not_served(http: httpx.AsyncClient, frontend_dir: Path, address: str) -> None:
    (frontend_dir / "link.js").symlink_to(frontend_dir.parent / "secret.js")
    request = http.build_request("GET", "/")
    request.url = request.url.copy_with(raw_path=address.encode())
    response = await http.send(request)
    assert response.status_code == 404
    assert response.json()["title"] == "Not Found"
    assert "outside" not in response.text


async def test_an_unchanged_file_is_not_sent_again(http: httpx.AsyncClient, frontend_dir: Path) -> None:
    first = await http.get("/static/index.js")
    etag = first.headers["etag"]
    for tags in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = await http.get("/static/index.js", headers={"if-none-match": tags})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == etag
    (frontend_dir / "index.js").write_text("export const changed = true;")
    changed = await http.get("/static/index.js", headers={"if-none-match": etag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != etag


async def test_the_service_worker_is_told_what_belongs_to_the_page_now(
    http: httpx.AsyncClient, frontend_dir: Path
) -> None:
    (frontend_dir / "link.js").symlink_to(frontend_dir.parent / "secret.js")
    response = await http.get("/service-worker.js")
    assert response.headers["content-type"] == "text/javascript; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache"
    first, rest = response.text.split("\n", 1)
    assert rest == "// keeps what COPY lists"
    files = json.loads(first.removeprefix("const COPY = ").removesuffix(";"))["files"]
    assert set(files) == {
        "/",
        "/static/index.js",
        "/static/components/photo-drop/photo-drop.css",
        "/static/favicon.svg",
    }
    for address, sha256 in files.items():
        assert hashlib.sha256((await http.get(address)).content).hexdigest() == sha256

    assert (await http.get("/service-worker.js")).content == response.content
    for name in ("index.html", "index.js", "service-worker.js"):
        (frontend_dir / name).write_text("changed")
        changed = await http.get("/service-worker.js")
        assert changed.content != response.content, f"another {name} is not noticed"
        response = changed


async def test_pages_run_only_what_they_are_served(http: httpx.AsyncClient) -> None:
    headers = (await http.get("/")).headers
    policy = headers["content-security-policy"]
    assert "default-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "base-uri 'none'" in policy
    assert "form-action 'self'" in policy
    assert headers["referrer-policy"] == "no-referrer"


async def test_only_the_page_that_takes_photos_may_use_the_camera(http: httpx.AsyncClient) -> None:
    permissions = {path: (await http.get(path)).headers["permissions-policy"] for path in ("/", "/dashboard", "/docs")}
    assert [path for path, permission in permissions.items() if "camera=(self)" in permission] == ["/"]
    assert all("microphone=()" in permission for permission in permissions.values())


@pytest.mark.parametrize(
    ("accepted", "is_compressed"),
    [
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("*", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000, br", False),
        ("*;q=0, gzip", True),
        ("*, gzip;q=0", False),
        ("*;q=0, br", False),
        ("identity", False),
        ("", False),
    ],
)
async def test_a_text_is_compressed_for_those_who_take_it(
    http: httpx.AsyncClient, frontend_dir: Path, accepted: str, is_compressed: bool
) -> None:
    text = "export const cats = 1;\n" * 100
    (frontend_dir / "cats.js").write_text(text)
    response = await http.get("/static/cats.js", headers={"accept-encoding": accepted})
    assert response.text == text
    assert response.headers["vary"] == "accept-encoding"
    assert ("content-encoding" in response.headers) == is_compressed
    assert (int(response.headers["content-length"]) < len(text)) == is_compressed


async def test_the_two_forms_of_a_file_are_told_apart(http: httpx.AsyncClient, frontend_dir: Path) -> None:
    (frontend_dir / "cats.js").write_text("export const cats = 1;\n" * 100)
    plain, compressed = [
        (await http.get("/static/cats.js", headers={"accept-encoding": coding})).headers["etag"]
        for coding in ("identity", "gzip")
    ]
    assert plain != compressed
    again = await http.get("/static/cats.js", headers={"accept-encoding": "gzip", "if-none-match": compressed})
    assert again.status_code == 304


async def test_over_https_browsers_are_told_to_stay_there(frontend_dir: Path) -> None:
    transport = httpx.ASGITransport(create_app(GatewaySettings(frontend_dir=frontend_dir)))
    async with httpx.AsyncClient(transport=transport) as http:
        assert "strict-transport-security" in (await http.get("https://gateway/")).headers
        assert "strict-transport-security" not in (await http.get("http://gateway/")).headers


async def test_a_head_request_has_the_headers_alone(http: httpx.AsyncClient) -> None:
    response = await http.head("/")
    assert (response.status_code, response.content) == (200, b"")
    assert int(response.headers["content-length"]) > 0
