"""The dashboard, as somebody who runs the service uses it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.conftest import Faults
from tests.e2e.client import Client
from tests.processes import Catnet

if TYPE_CHECKING:
    from playwright.sync_api import Page

POLL_SECONDS = 5
PRETEND_HIDDEN = """(hidden) => {
    Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
}"""


def total(page: Page) -> Any:
    return page.locator("[data-figure=total] .figure")


def status(page: Page) -> Any:
    return page.locator("live-status [role=status]")


@pytest.fixture
def client(running_catnet: Catnet) -> Any:
    with Client(running_catnet.gateway_url) as client:
        yield client


def send_and_wait(client: Client, count: int) -> dict[str, Any]:
    """Send photos; return the report that counts them all."""
    before = client.total()
    assert client.predict_many(count) == [200] * count
    client.wait_for_total(before + count)
    return client.report()


def test_the_numbers_are_those_that_were_sent(page: Page, expect: Any, client: Client) -> None:
    before = client.total()
    report = send_and_wait(client, 7)
    assert report["predictions"]["total"] == before + 7
    page.goto("/dashboard?window=1h")

    predictions = report["predictions"]
    expect(total(page)).to_have_text(f"{predictions['total']:,}")
    ratio = page.locator("[data-figure=cat-ratio]")
    expect(ratio).to_contain_text(f"{predictions['cat']:,} cats, {predictions['non_cat']:,} others")
    expect(page.locator("[data-fact=consumed] dd")).to_have_text(f"{report['pipeline']['consumed']:,}")
    newest = page.locator("recent-predictions tbody tr").first
    expect(newest).to_contain_text(report["recent"][0]["label"])
    expect(newest).to_contain_text(report["recent"][0]["model"])


def test_a_new_prediction_appears_without_a_reload(page: Page, expect: Any, client: Client) -> None:
    send_and_wait(client, 1)
    page.goto("/dashboard")
    expect(status(page)).to_have_text("Live")
    before = client.total()
    expect(total(page)).to_have_text(f"{before:,}")
    page.evaluate("window.notReloaded = true")

    client.predict_many(3)

    expect(total(page)).to_have_text(f"{before + 3:,}")
    assert page.evaluate("window.notReloaded") is True


def test_the_window_is_kept_in_the_address(page: Page, expect: Any) -> None:
    page.goto("/dashboard")
    current = page.locator("window-picker [aria-current]")
    expect(current).to_have_text("1 hour")
    page.get_by_role("link", name="24 hours").click()
    expect(current).to_have_text("24 hours")
    assert page.url.endswith("/dashboard?window=24h")
    expect(page.locator(".panels")).to_have_attribute("aria-busy", "false")
    page.reload()
    expect(current).to_have_text("24 hours")
    page.go_back()
    expect(current).to_have_text("1 hour")


def test_every_chart_has_its_numbers_as_a_table(page: Page, expect: Any, client: Client) -> None:
    report = send_and_wait(client, 1)
    page.goto("/dashboard")
    expect(page.locator(".panels")).to_have_attribute("aria-busy", "false")
    for chart in page.locator("chart-figure").all():
        title = chart.locator("h2").inner_text()
        expect(chart.get_by_role("img")).to_have_attribute("aria-label", re.compile(rf"^{title}\. .+"))
        chart.get_by_text("Show the numbers").click()
        expect(chart.get_by_role("table")).to_be_visible()
    rows = page.locator("chart-figure[data-chart=confidence] tbody tr")
    expect(rows).to_have_count(len(report["confidence"]["counts"]))


def test_where_the_stream_is_held_back_the_report_is_polled(page: Page, expect: Any, faults: Faults) -> None:
    faults.expected_statuses = {502}
    page.route("**/api/monitor/stream*", lambda route: route.fulfill(status=502))
    page.goto("/dashboard")
    expect(status(page)).to_have_text("Updated every few seconds")
    expect(total(page)).not_to_have_text("–")


def test_where_the_charts_library_is_missing_the_numbers_are_shown(page: Page, expect: Any, faults: Faults) -> None:
    faults.expected_statuses = {404}
    page.route("**/vendor/**", lambda route: route.fulfill(status=404))
    page.goto("/dashboard")
    expect(page.locator("chart-figure[data-chart=traffic]").get_by_role("table")).to_be_visible()
    expect(status(page)).to_have_text("Live")


def test_a_tab_that_nobody_looks_at_holds_no_connection(page: Page, expect: Any, client: Client) -> None:
    page.goto("/dashboard")
    expect(status(page)).to_have_text("Live")
    with page.expect_event("requestfailed", lambda request: "/api/monitor/stream" in request.url):
        page.evaluate(PRETEND_HIDDEN, True)
    counted = send_and_wait(client, 1)["predictions"]["total"]
    page.evaluate(PRETEND_HIDDEN, False)
    expect(total(page)).to_have_text(f"{counted:,}")


def test_data_that_stops_is_called_stale_and_comes_back_by_itself(page: Page, expect: Any, faults: Faults) -> None:
    faults.expected_statuses = {502}
    page.clock.install()
    page.route("**/api/monitor/stream*", lambda route: route.fulfill(status=502))
    page.goto("/dashboard")
    expect(status(page)).to_have_text("Updated every few seconds")
    shown = total(page).inner_text()

    page.route("**/api/monitor/report*", lambda route: route.fulfill(status=502))
    page.clock.run_for(POLL_SECONDS * 1000)
    expect(status(page)).to_contain_text("Stale since")
    expect(page.get_by_text("The monitor cannot be reached.")).to_be_visible()
    expect(total(page)).to_have_text(shown)

    page.unroute_all()
    page.clock.run_for(POLL_SECONDS * 1000)
    expect(status(page)).to_have_text("Live")


def test_before_the_first_report_the_page_says_why_there_is_nothing(page: Page, expect: Any) -> None:
    page.route("**/api/monitor/**", lambda route: route.abort())
    page.goto("/dashboard")
    expect(status(page)).to_have_text("No data")
    expect(page.get_by_text("No connection to the service.")).to_be_visible()
    expect(total(page)).to_have_text("–")


def test_an_empty_window_is_shown_as_empty(page: Page, expect: Any, client: Client) -> None:
    report = client.report()
    empty = {
        **report,
        "model": None,
        "predictions": {"total": 0, "cat": 0, "non_cat": 0, "uncertain": 0, "cat_ratio": None, "per_second": 0.0},
        "latency_ms": {
            **report["latency_ms"],
            **dict.fromkeys(("avg", "p50", "p95", "p99", "max")),
            "count": 0,
            "stages": {"decode": {"p50": None}, "forward": {"p50": None}},
        },
        "confidence": {"bin_edges": [], "counts": [], "mean": None},
        "drift": {**report["drift"], "status": "insufficient_data", "window_size": 0, "features": []},
        "pipeline": {**report["pipeline"], "last_event_age_seconds": None},
        "series": [],
        "recent": [],
    }
    page.route("**/api/monitor/stream*", lambda route: route.abort())
    page.route("**/api/monitor/report*", lambda route: route.fulfill(json=empty))
    page.goto("/dashboard")
    expect(page.get_by_text("No photo was classified in this time.")).to_be_visible()
    expect(total(page)).to_have_text("0")
    expect(page.get_by_text("None yet.")).to_be_visible()
    assert "NaN" not in page.locator("main").inner_text()
    assert "null" not in page.locator("main").inner_text()


def show_report(page: Page, report: dict[str, Any]) -> None:
    page.route("**/api/monitor/stream*", lambda route: route.abort())
    page.route("**/api/monitor/report*", lambda route: route.fulfill(json=report))
    page.goto("/dashboard")
    page.locator(".panels[aria-busy=false]").wait_for()


@pytest.mark.parametrize(
    ("chart", "columns"),
    [
        ("traffic", "time,cat,non_cat"),
        ("latency", "time,p50_ms,p95_ms"),
        ("confidence", "confidence_from,confidence_to,predictions"),
    ],
)
def test_the_data_of_a_chart_can_be_saved(page: Page, client: Client, chart: str, columns: str) -> None:
    report = send_and_wait(client, 2)
    page.goto("/dashboard")
    page.locator(".panels[aria-busy=false]").wait_for()
    figure = page.locator(f"chart-figure[data-chart={chart}]")
    figure.get_by_text("Show the numbers").click()
    with page.expect_download() as download:
        figure.get_by_role("button", name="Save as CSV").click()
    assert download.value.suggested_filename == f"catnet-{chart}-1h.csv"
    header, *rows = download.value.path().read_text().splitlines()
    assert header == columns
    assert len(rows) == len(report["confidence"]["counts"] if chart == "confidence" else report["series"])
    if chart == "confidence":
        assert sum(int(row.split(",")[2]) for row in rows) == report["predictions"]["total"]


def test_the_stages_of_an_answer_have_their_times(page: Page, expect: Any, client: Client) -> None:
    report = client.report()
    report["latency_ms"] = {**report["latency_ms"], "stages": {"decode": {"p50": 3.21}, "forward": {"p50": 0.0456}}}
    show_report(page, report)
    latency = page.locator("[data-figure=latency]")
    expect(latency).to_contain_text(re.compile(r"decoding\s3\.21\sms"))
    expect(latency).to_contain_text(re.compile(r"model\s0\.046\sms"))


def quality(*, reliable: bool | None, count: int) -> dict[str, Any]:
    return {
        "estimated_accuracy": {"value": 0.871, "low": 0.85, "high": 0.89, "reliable": reliable},
        "feedback": {
            "count": count,
            "accuracy": 0.75 if count else None,
            "low": 0.62 if count else None,
            "high": 0.85 if count else None,
            "confusion": {"cat": {"cat": 11, "non-cat": 12}, "non-cat": {"cat": 13, "non-cat": 14}},
        },
    }


def test_accuracy_is_shown_with_its_interval_as_estimated_and_as_people_said(
    page: Page, expect: Any, client: Client
) -> None:
    show_report(page, {**client.report(), "quality": quality(reliable=True, count=50)})
    estimated, reported = page.locator("[data-part=estimated]"), page.locator("[data-part=reported]")
    expect(estimated).to_contain_text(re.compile(r"87\.1\s%.*between 85\.0\s% and 89\.0\s%", re.DOTALL))
    expect(reported).to_contain_text(re.compile(r"75\.0\s%.*between 62\.0\s% and 85\.0\s%.*50 replies", re.DOTALL))
    cells = page.get_by_role("table", name="Answers, by what people said they should have been").locator("td.number")
    expect(cells).to_have_text(["11", "12", "13", "14"])


def test_an_estimate_under_drift_is_doubted_and_without_replies_none_is_claimed(
    page: Page, expect: Any, client: Client
) -> None:
    show_report(page, {**client.report(), "quality": quality(reliable=False, count=0)})
    expect(page.locator("[data-part=estimated] .doubt")).to_contain_text("may well be wrong")
    expect(page.locator("[data-part=reported]")).to_contain_text("Nobody has said yet")
    expect(page.locator("[data-part=reported] .figure")).to_have_text("–")
    expect(page.locator("[data-part=confusion]")).to_have_count(0)


def test_a_shadow_model_is_compared_where_there_is_one(page: Page, expect: Any, client: Client) -> None:
    shadow = {"model": "cnn/2", "compared": 400, "disagreements": 30, "rate": 0.075, "low": 0.053, "high": 0.105}
    show_report(page, {**client.report(), "shadow": shadow})
    expect(page.locator("[data-part=shadow]")).to_contain_text(re.compile(r"7\.5\s%.*cnn/2 looked at 400", re.DOTALL))
    page.unroute_all()
    show_report(page, {**client.report(), "shadow": None})
    expect(page.locator("[data-part=shadow]")).to_have_count(0)


@pytest.mark.parametrize(
    ("drift_status", "words"),
    [("insufficient_data", "Insufficient data"), ("ok", "No drift"), ("warning", "Warning"), ("drift", "Drift")],
)
def test_each_state_of_drift_has_its_word_and_never_more_than_it_knows(
    page: Page, expect: Any, client: Client, drift_status: str, words: str
) -> None:
    feature = {
        "name": "brightness",
        "status": drift_status,
        "psi": None if drift_status == "insufficient_data" else 0.31,
        "threshold": None if drift_status == "insufficient_data" else 0.06,
        "p_value": None if drift_status == "insufficient_data" else 0.0004,
        "bin_edges": [0, 1, 2],
        "reference": [100, 100],
        "current": [0, 0] if drift_status == "insufficient_data" else [30, 170],
    }
    report = client.report()
    report["drift"] = {
        **report["drift"],
        "status": drift_status,
        "window_size": 57 if drift_status == "insufficient_data" else 200,
        "features": [{**feature, "sentence": "photos are <b>darker</b> than in the reference"}],
    }
    page.route("**/api/monitor/stream*", lambda route: route.abort())
    page.route("**/api/monitor/report*", lambda route: route.fulfill(json=report))
    page.goto("/dashboard")
    expect(page.locator("drift-panel header .status")).to_have_text(words)
    expect(page.locator("[data-feature=brightness] .status")).to_have_text(words)
    expect(page.locator("[data-feature=brightness] .sentence")).to_have_text(
        "photos are <b>darker</b> than in the reference"
    )
    assert "concept" not in page.locator("main").inner_text().lower()


def test_what_the_report_says_is_text(page: Page, expect: Any, client: Client) -> None:
    report = client.report()
    evil = "<img src=x onerror=document.title='owned'>"
    report["recent"] = [
        {
            "prediction_id": evil,
            "time": evil,
            "label": evil,
            "confidence": 0.9,
            "certain": True,
            "latency_ms": 1.0,
            "model": evil,
            "feedback": None,
        }
    ]
    page.route("**/api/monitor/stream*", lambda route: route.abort())
    page.route("**/api/monitor/report*", lambda route: route.fulfill(json=report))
    page.goto("/dashboard")
    expect(page.locator("recent-predictions .model").last).to_have_text(evil)
    assert page.title().startswith("Dashboard")
