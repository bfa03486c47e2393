"""The dashboard, as somebody who runs the service uses it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.conftest import Faults
from tests.browser.live_reports import open_dashboard, push
from tests.browser.reports import FEATURES, Report, empty_report, full_report
from tests.e2e.client import Client
from tests.processes import Catnet

if TYPE_CHECKING:
    from playwright.sync_api import Page

POLL_SECONDS = 5
COLUMNS = {
    "traffic": "time,cat,non_cat",
    "cat-ratio": "time,cat,total,cat_ratio",
    "latency": "time,p50_ms,p95_ms",
    "percentiles": "measure,milliseconds",
    "confidence": "confidence_from,confidence_to,cat,non_cat",
    "calibration": "confidence_from,confidence_to,replies,confidence,accuracy,low,high",
}
"""Of each chart's file."""
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
    cats, others = predictions["cat"], predictions["non_cat"]
    expect(ratio).to_contain_text(f"{cats:,} cat{'s' * (cats != 1)}, {others:,} other{'s' * (others != 1)}")
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


def test_an_empty_window_is_shown_as_empty(page: Page, expect: Any) -> None:
    open_dashboard(page, empty_report())
    expect(page.get_by_text("No photo was classified in this time")).to_be_visible()
    expect(total(page)).to_have_text("0")
    expect(page.get_by_text("None yet.")).to_be_visible()
    expect(page.locator("figure[data-kind=empty]")).to_have_count(page.locator("chart-figure").count())
    for numbers in page.get_by_text("Show the numbers").all():
        numbers.click()
    for nothing in ("NaN", "null", "undefined", "Infinity"):
        assert nothing not in page.locator("main").inner_text()


def test_a_model_without_a_reference_is_said_to_have_none(page: Page, expect: Any) -> None:
    report = full_report()
    report["drift"] |= {"status": "insufficient_data", "features": []}
    open_dashboard(page, report)
    expect(page.locator("drift-panel")).to_contain_text("without a reference")
    expect(page.locator("drift-panel data-numbers")).to_be_hidden()


def test_the_data_of_every_chart_can_be_saved(page: Page, client: Client) -> None:
    report = send_and_wait(client, 2)
    page.goto("/dashboard")
    page.locator(".panels[aria-busy=false]").wait_for()
    sizes = {"percentiles": 7, **dict.fromkeys(("confidence", "calibration"), len(report["confidence"]["counts"]))}
    for chart, columns in COLUMNS.items():
        name, (header, *rows) = saved(page, page.locator(f"chart-figure[data-chart={chart}]"))
        assert name == f"catnet-{chart}-1h.csv"
        assert header == columns
        assert len(rows) == sizes.get(chart, len(report["series"])), chart
        if chart == "confidence":
            assert sum(int(count) for row in rows for count in row.split(",")[2:]) == report["predictions"]["total"]


def saved(page: Page, panel: Any) -> tuple[str, list[str]]:
    """Press a panel's button; return the name of the file that it gives, and its lines."""
    with page.expect_download() as download:
        panel.get_by_role("button", name="Save as CSV").click()
    return download.value.suggested_filename, download.value.path().read_text().splitlines()


def test_the_bins_of_every_drift_feature_can_be_read_and_saved(page: Page, expect: Any) -> None:
    report = full_report(drift_status="drift")
    open_dashboard(page, report)
    panel = page.locator("drift-panel")
    bins = sum(len(feature["reference"]) for feature in report["drift"]["features"])
    panel.get_by_text("Show the numbers").click()
    expect(panel.locator("tbody tr")).to_have_count(bins)
    name, lines = saved(page, panel)
    assert name == "catnet-drift-1h.csv"
    assert lines[0].startswith("feature,status,psi,")
    assert len(lines) == 1 + bins
    assert {line.split(",")[0] for line in lines[1:]} == set(FEATURES)


def test_the_stages_of_an_answer_have_their_times(page: Page, expect: Any) -> None:
    report = full_report()
    report["latency_ms"]["stages"] = {"decode": {"p50": 3.21}, "forward": {"p50": 0.0456}}
    open_dashboard(page, report)
    latency = page.locator("[data-figure=latency]")
    expect(latency).to_contain_text(re.compile(r"decoding\s3\.21\sms"))
    expect(latency).to_contain_text(re.compile(r"model\s0\.046\sms"))


def test_accuracy_is_shown_with_its_interval_as_estimated_and_as_people_said(page: Page, expect: Any) -> None:
    open_dashboard(page, full_report())
    estimated, reported = page.locator("[data-part=estimated]"), page.locator("[data-part=reported]")
    expect(estimated).to_contain_text(re.compile(r"87\.4\s%.*between 86\.2\s% and 88\.6\s%", re.DOTALL))
    expect(reported).to_contain_text(re.compile(r"85\.0\s%.*between 77\.5\s% and 90\.3\s%.*120 replies", re.DOTALL))
    expect(page.locator("quality-panel .doubt")).to_have_count(0)
    cells = page.get_by_role("table", name="Answers, by what people said they should have been").locator("td.number")
    expect(cells).to_have_text(["41", "8", "10", "61"])


def test_an_estimate_under_drift_is_marked_unreliable_and_without_replies_none_is_claimed(
    page: Page, expect: Any
) -> None:
    report = full_report(drift_status="drift")
    report["quality"]["feedback"] = empty_report()["quality"]["feedback"]
    open_dashboard(page, report)
    expect(page.locator("[data-part=estimated] .doubt")).to_have_text("unreliable")
    expect(page.locator("[data-part=estimated]")).to_contain_text("may well be wrong")
    expect(page.locator("[data-part=reported]")).to_contain_text("Nobody has said yet")
    expect(page.locator("[data-part=reported] .figure")).to_have_text("–")
    expect(page.locator("[data-part=confusion]")).to_have_count(0)


def test_a_shadow_model_is_compared_where_there_is_one(page: Page, expect: Any) -> None:
    open_dashboard(page, full_report())
    shadow = page.locator("[data-part=shadow]")
    expect(shadow).to_contain_text(
        re.compile(r"22\.0\s%.*between 18\.2\s% and 26\.3\s%.*catnet-mlp/1 looked at 400", re.DOTALL)
    )
    page.evaluate("(report) => live.push(report)", full_report() | {"shadow": None})
    expect(shadow).to_have_count(0)


def test_the_accounts_say_whether_every_prediction_is_counted(page: Page, expect: Any) -> None:
    open_dashboard(page)
    for changes, words in (
        ({}, "Every answered prediction is counted, each once."),
        ({"lag": 3, "pending": 1}, "4 predictions are on their way into these numbers."),
        (
            {"dropped": 5, "dropped_by_reason": {"buffer_full": 5}},
            "5 predictions were answered but could not be counted.",
        ),
        ({"balanced": False}, "The counts do not add up"),
    ):
        report = full_report()
        report["pipeline"] |= changes
        push(page, report)
        expect(page.locator("pipeline-health .verdict")).to_contain_text(words)
        for name in ("answered", "consumed", "lag", "pending", "buffered", "dropped", "lost", "dead", "duplicates"):
            expect(page.locator(f"[data-fact={name}] dd")).to_have_text(f"{report['pipeline'][name]:,}")
        if changes.get("dropped"):
            expect(page.locator("[data-fact=dropped]")).to_contain_text("buffer full 5")


def test_each_state_of_drift_has_its_word_and_never_more_than_it_knows(page: Page, expect: Any) -> None:
    open_dashboard(page)
    for drift_status, words in (
        ("insufficient_data", "Insufficient data"),
        ("ok", "No drift"),
        ("warning", "Warning"),
        ("drift", "Drift"),
    ):
        report = full_report(drift_status=drift_status)
        brightness = next(feature for feature in report["drift"]["features"] if feature["name"] == "brightness")
        brightness["sentence"] = f"photos are <b>darker</b> than in the reference: {drift_status}"
        push(page, report)
        expect(page.locator("drift-panel header .status")).to_have_text(words)
        expect(page.locator("[data-feature=brightness] .status")).to_have_text(words)
        expect(page.locator("[data-feature=brightness] .sentence")).to_have_text(brightness["sentence"])
        expect(page.locator("[data-feature=brightness]").get_by_role("img")).to_have_attribute(
            "aria-label", re.compile(r"Now: \d+ %.*Reference: 10 %")
        )
        assert "concept" not in page.locator("main").inner_text().lower()


def test_what_the_report_says_is_text(page: Page, expect: Any) -> None:
    evil = "<img src=x onerror=document.title='owned'>"
    report = full_report()
    report["recent"] = [report["recent"][0] | dict.fromkeys(("prediction_id", "time", "label", "model"), evil)]
    report["drift"]["features"][0] |= {"name": evil, "sentence": evil, "status": evil}
    report["model"]["name"] = report["shadow"]["model"] = evil
    report["pipeline"] |= {"dropped": 1, "dropped_by_reason": {evil: 1}}
    open_dashboard(page, report)
    for numbers in page.get_by_text("Show the numbers").all():
        numbers.click()
    expect(page.locator("recent-predictions td.model")).to_have_text(evil)
    expect(page.locator("main img")).to_have_count(0)
    assert page.title().startswith("Dashboard")


def shown_answers(page: Page) -> list[str]:
    return [str(label) for label in page.locator("recent-predictions .label").all_inner_texts()]


def test_the_recent_predictions_are_filtered_and_the_filter_is_kept_in_the_address(page: Page, expect: Any) -> None:
    report = full_report()
    open_dashboard(page, report)
    assert len(shown_answers(page)) == len(report["recent"])
    page.get_by_role("combobox", name="Answer", exact=True).select_option(label="cat")
    page.get_by_role("combobox", name="People said").select_option(label="it was right")
    right = [recent for recent in report["recent"] if recent["label"] == recent["feedback"] == "cat"]
    expect(page.locator("recent-predictions .shown")).to_have_text(f"{len(right)} of the last {len(report['recent'])}.")
    assert shown_answers(page) == ["cat"] * len(right)
    assert page.url.endswith("/dashboard?answer=cat&said=right")

    page.get_by_role("link", name="24 hours").click()
    assert page.url.endswith("/dashboard?answer=cat&said=right&window=24h")
    page.reload()
    page.evaluate("(report) => live.push(report)", report)
    expect(page.get_by_role("combobox", name="Answer", exact=True)).to_have_value("cat")
    expect(page.locator("recent-predictions .label")).to_have_count(len(right))

    page.get_by_role("button", name="Show all").click()
    expect(page.locator("recent-predictions .label")).to_have_count(len(report["recent"]))
    expect(page.get_by_role("combobox", name="Answer", exact=True)).to_be_focused()
    assert page.url.endswith("/dashboard?window=24h")


def test_a_filter_that_nothing_passes_says_so_and_what_is_saved_is_what_is_shown(page: Page, expect: Any) -> None:
    report = full_report()
    open_dashboard(page, report, "/dashboard?sure=no")
    unsure = [recent for recent in report["recent"] if not recent["certain"]]
    expect(page.locator("recent-predictions .label")).to_have_count(len(unsure))
    name, lines = saved(page, page.locator("recent-predictions"))
    assert name == "catnet-recent-1h.csv"
    assert [line.split(",")[1] for line in lines[1:]] == [recent["prediction_id"] for recent in unsure]
    page.get_by_role("spinbutton", name="At least").fill("99.9")
    expect(page.locator("recent-predictions .shown")).to_have_text("None of the last 20 is like that.")
    assert page.url.endswith("/dashboard?sure=no&min=99.9")


def test_what_somebody_reads_stays_where_it_is_when_numbers_arrive(page: Page, expect: Any) -> None:
    open_dashboard(page, full_report())
    rows = page.get_by_role("region", name="Recent predictions")
    rows.focus()
    rows.evaluate("rows => rows.scrollTo(0, 200)")
    report = full_report()
    report["predictions"]["total"] += 1
    page.evaluate("(report) => live.push(report)", report)
    expect(total(page)).to_have_text(f"{report['predictions']['total']:,}")
    expect(rows).to_be_focused()
    assert rows.evaluate("rows => rows.scrollTop") == 200


def test_another_window_that_cannot_be_had_does_not_pass_for_the_one_before(page: Page, expect: Any) -> None:
    open_dashboard(page, full_report())
    page.evaluate("live.cut()")
    expect(status(page)).to_contain_text("Stale since")
    page.get_by_role("link", name="7 days").click()
    expect(status(page)).to_have_text("No data")
    expect(page.locator("live-status")).to_contain_text("The numbers below are those asked for before.")
    expect(page.locator(".panels")).to_have_attribute("aria-busy", "true")
    page.get_by_role("link", name="1 hour").click()
    expect(status(page)).to_contain_text("Stale since")


def test_a_model_that_nobody_knows_is_called_that(page: Page, expect: Any, faults: Faults) -> None:
    faults.expected_statuses = {404}
    page.goto("/dashboard?model=nobody/9")
    expect(status(page)).to_have_text("No data")
    expect(page.locator("live-status")).to_contain_text("There are no numbers about such a model")
    expect(page.get_by_label("Model", exact=True)).to_have_value("nobody/9")
    page.get_by_label("Model", exact=True).select_option("")
    expect(status(page)).to_have_text("Live")
    assert page.url.endswith("/dashboard")


def shape_of(value: Any) -> Any:
    """What a document consists of: the names of its parts, of a list those of its first."""
    if isinstance(value, dict):
        return {name: shape_of(part) for name, part in value.items()}
    return [shape_of(value[0])] if isinstance(value, list) and value else None


def test_the_reports_made_up_for_these_tests_are_like_the_monitors(client: Client) -> None:
    real = send_and_wait(client, 1)

    def compared(report: Report) -> Any:
        parts = {name: part for name, part in report.items() if name != "shadow"}  # the services here have none
        parts["pipeline"] = {**parts["pipeline"], "dropped_by_reason": {}}
        return shape_of(parts)

    assert compared(full_report()) == compared(real)
