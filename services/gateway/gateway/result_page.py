"""The answer to a photo as a page of its own, for a browser that sent the form without JavaScript.

Who prefers HTML to JSON and sends a form gets the same answer, with the same status and headers, in words; every other
client gets the JSON that it asked for.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable
from html import escape
from typing import Any

from servicekit.problems import Problem, problem_response
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.pages import HEADERS as PAGE_HEADERS

_STYLES = (
    "styles/reset",
    "styles/variables",
    "styles/global",
    "components/site-header/site-header",
    "components/prediction-result/prediction-result",
)
_PROBLEMS = {
    400: ("The photo did not arrive", "No file was chosen, it is empty, or it was damaged on its way."),
    401: ("This service asks for a key", "A form cannot send one: ask its owner for another way in."),
    404: ("This model is not served", "Ask again without naming a model."),
    408: ("The photo took too long to arrive", "The connection may be slow. Send a smaller copy of the photo."),
    413: ("This file is too large", "Send a smaller copy: a screenshot of the photo will do."),
    415: ("This is not a photo we can read", "Choose a JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF or HEIC file."),
    422: ("This photo is broken or has too many pixels", "Save it again at a smaller size, or choose another one."),
    429: ("Many people are asking right now", "Go back and send the photo again."),
    502: ("The model cannot be reached", "The part that looks at photos is away. Try again in a minute."),
    503: ("The model is not ready", "It is starting, or has more to do than it can. Try again in a minute."),
    504: ("The answer took too long", "The service gave up waiting. Go back and send the photo again."),
}
_ANY_PROBLEM = ("Something went wrong on our side", "Go back and send the photo again in a minute.")


class ResultPage:
    """ASGI middleware of the route that answers a photo."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        return (self._answer_page if _is_from_a_form(scope) else self._app)(scope, receive, send)

    async def _answer_page(self, scope: Scope, receive: Receive, send: Send) -> None:
        send = _as_page(send)
        try:
            await self._app(scope, receive, send)
        except Problem as problem:
            await problem_response(scope, problem.status, problem.detail, problem.headers)(scope, receive, send)


def _is_from_a_form(scope: Scope) -> bool:
    """A multipart body, and HTML preferred to JSON."""
    accept = content_type = b""
    for name, value in scope["headers"]:
        if name == b"accept":
            accept += b"," + value
        elif name == b"content-type":
            content_type = value
    if b"text/html" not in accept.lower() or not content_type.lower().startswith(b"multipart/form-data"):
        return False  # at once, as this is the way of every client that is no browser
    weights = _weights(accept.decode("latin-1").lower())
    if "*" in weights:
        return False  # no browser: Java's own client prefers HTML so unless it is told otherwise, and is a program
    json_weight = next((weights[kind] for kind in ("application/json", "application/*", "*/*") if kind in weights), 0.0)
    return weights.get("text/html", 0.0) > json_weight


def _weights(accept: str) -> dict[str, float]:
    """The weight of each media range. Source: RFC 9110, section 12.5.1."""
    weights = {}
    for item in accept.split(","):
        kind, *parameters = (part.strip() for part in item.split(";"))
        weight = next((text[2:] for text in parameters if text.startswith("q=")), "1")
        try:
            weights[kind] = float(weight)
        except ValueError:
            continue
    return weights


def _as_page(send: Send) -> Send:
    """Sends an answer of JSON as a page. Its whole body is in the first piece, as every answer to a photo is sent."""
    start: Message = {}

    async def send_page(message: Message) -> None:
        nonlocal start
        if message["type"] == "http.response.start":
            start = message
        elif start:
            headers = MutableHeaders(raw=list(start["headers"]))
            page = _page(start["status"], json.loads(message["body"]), headers.get("retry-after")).encode()
            of_a_page = {**PAGE_HEADERS, "cache-control": "no-store", "vary": "accept"}
            headers.update(of_a_page | {"content-type": "text/html; charset=utf-8", "content-length": str(len(page))})
            await send({**start, "headers": headers.raw})
            await send({**message, "body": page})
            start = {}
        else:
            await send(message)

    return send_page


def _page(status: int, answer: dict[str, Any], retry_after: str | None) -> str:
    """An HTML page without a script; every value of the answer is escaped."""
    title, verdict, content = _prediction(answer) if status == 200 else _problem(status, answer, retry_after)
    styles = "".join(f'<link rel="stylesheet" href="/static/{name}.css">' for name in _STYLES)
    return f"""<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>{escape(title)} · catnet</title>
    <link rel="icon" href="/static/favicon.svg" type="image/svg+xml">
    {styles}
  </head>
  <body>
    <header class="site-header">
      <a class="brand" href="/"><img src="/static/favicon.svg" alt="" width="28" height="28">catnet</a>
    </header>
    <main class="site-main">
      <prediction-result class="panel">
        <div class="content">
          <h1 class="headline" data-verdict="{verdict}">{escape(title)}</h1>
          {content}
          <a class="button" href="/">Ask about another photo</a>
        </div>
      </prediction-result>
    </main>
  </body>
</html>
"""


def _prediction(answer: dict[str, Any]) -> tuple[str, str, str]:
    """Returns: headline, verdict (which gives it its colour), HTML."""
    cat_probability = float(answer["cat_probability"])
    percent = f"{100 * cat_probability:.1f} %"
    is_cat = answer["label"] == "cat"
    if not answer["certain"]:
        leaning = "a cat" if is_cat else "no cat"
        sentence = (
            f"It leans towards {leaning} ({percent} for a cat), "
            "but with such a value this model is wrong too often to be sure."
        )
        title, verdict = "Not sure.", "unsure"
    elif is_cat:
        title, verdict, sentence = "Yes, a cat.", "cat", f"The model gives a cat a probability of {percent}."
    else:
        title, verdict = "No, not a cat.", "non-cat"
        sentence = f"The model gives a cat a probability of only {percent}."
    model, image = answer["model"], answer["image"]
    facts = {
        "Model": f"{model['name']}, version {model['version']}",
        "Photo": f"{image['format']}, {image['width']} × {image['height']} pixels",
    }
    rows = "".join(f"<div><dt>{term}</dt><dd>{escape(fact)}</dd></div>" for term, fact in facts.items())
    return title, verdict, f'<p class="sentence">{escape(sentence)}</p><dl class="facts">{rows}</dl>'


def _problem(status: int, problem: dict[str, Any], retry_after: str | None) -> tuple[str, str, str]:
    """Returns as _prediction() does."""
    title, advice = _PROBLEMS.get(status, _ANY_PROBLEM)
    if retry_after:
        advice += f" Wait {retry_after} {'second' if retry_after == '1' else 'seconds'} before you do."
    details = f"{status} {problem['title']}. {problem['detail']} Request {problem['request_id']}"
    return title, "failed", f'<p class="sentence">{escape(advice)}</p><p class="quiet-text">{escape(details)}</p>'
