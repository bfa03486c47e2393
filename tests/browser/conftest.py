"""A browser for the tests, that tells of everything a visitor's browser would complain about."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.browser.launch import launched_chromium
from tests.processes import Catnet
from tests.tools import missing

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response, Route

PATIENCE_MILLISECONDS = 15_000
OPTIONAL = ("/history.csv", "/README.md")
"""A model may do without these, and the pages with it."""
TELL_OF_VIOLATIONS = """document.addEventListener("securitypolicyviolation", (event) =>
    console.error(`content policy violated: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`))"""


@dataclass
class Faults:
    """What went wrong on the pages of a test; a test that provokes an error answer expects its status."""

    origin: str
    found: list[str] = field(default_factory=list)
    expected_statuses: set[int] = field(default_factory=set)

    def watch(self, page: Page) -> None:
        page.add_init_script(TELL_OF_VIOLATIONS)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.found.append(f"uncaught: {error}"))
        page.on("request", self._request)
        page.on("response", self._response)
        page.on("requestfailed", self._request_failed)

    def _console(self, message: ConsoleMessage) -> None:
        # Chromium writes one for each error answer and each lost connection; those are judged by their status.
        if message.type in ("error", "warning") and not message.text.startswith("Failed to load resource"):
            self.found.append(f"console: {message.text}")

    def _request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in ("blob", "data") and f"{address.scheme}://{address.netloc}" != self.origin:
            self.found.append(f"request outside the origin: {request.url}")

    def _response(self, response: Response) -> None:
        is_optional = response.status == 404 and urlsplit(response.url).path.endswith(OPTIONAL)
        if response.status >= 400 and response.status not in self.expected_statuses and not is_optional:
            self.found.append(f"{response.status} for {response.url}")

    def _request_failed(self, request: Request) -> None:
        # Without these there is no page; one that was aborted the browser gave up itself, for its answer or a new page.
        needed = request.resource_type in ("document", "script", "stylesheet")
        if needed and request.failure != "net::ERR_ABORTED":
            self.found.append(f"{request.failure} for {request.url}")


def failing(status: int) -> Callable[[Route], None]:
    """For ``page.route``: an answer of this status that does not say why."""
    return lambda route: route.fulfill(status=status, body="<h1>?</h1>")


def needs_route(catnet: Catnet, path: str) -> None:
    """Skip the test where the gateway does not have what it is about: the pages also stand before older services."""
    if path not in httpx.get(f"{catnet.gateway_url}/openapi.json", trust_env=False).json()["paths"]:
        pytest.skip(f"this gateway has no {path}")


def answer_of(catnet: Catnet, photo: bytes) -> Any:
    """What the service itself says of a photo."""
    return httpx.post(f"{catnet.gateway_url}/predict", files={"file": photo}, trust_env=False).json()


@pytest.fixture(scope="module")  # not the session: while it is open an event loop runs, and asynchronous tests fail
def browser(chromium: str) -> Iterator[Browser]:
    try:
        import playwright.sync_api  # noqa: F401
    except ImportError:
        missing("Playwright", "pip install playwright")
    with launched_chromium(chromium) as browser:
        yield browser


@pytest.fixture
def faults(running_catnet: Catnet) -> Iterator[Faults]:
    """Fails the test at its end if its pages had any."""
    faults = Faults(running_catnet.gateway_url)
    yield faults
    assert faults.found == []


@pytest.fixture
def new_context(browser: Browser, running_catnet: Catnet, faults: Faults) -> Iterator[Callable[..., BrowserContext]]:
    """A function that gives a fresh visitor, with Playwright's options for one; closed at the end."""
    contexts: list[BrowserContext] = []

    def create(**options: object) -> BrowserContext:
        context = browser.new_context(base_url=running_catnet.gateway_url, **options)
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        context.on("page", faults.watch)
        contexts.append(context)
        return context

    yield create
    for context in contexts:
        context.close()


@pytest.fixture
def page(new_context: Callable[..., BrowserContext]) -> Page:
    return new_context().new_page()


@pytest.fixture
def expect() -> Any:
    """Playwright's waiting assertions."""
    import playwright.sync_api

    playwright.sync_api.expect.set_options(timeout=PATIENCE_MILLISECONDS)
    return playwright.sync_api.expect
