"""The network at work on a visitor's photo, in the browser alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.conftest import Faults, answer_of
from tests.pictures import drawn_cat, encoded, photo
from tests.processes import Catnet

if TYPE_CHECKING:
    from playwright.sync_api import Page

PATH = "/how-it-works"
PHONE = {"width": 390, "height": 844}
HISTORY = "\n".join(
    [
        "step,images,loss,learning_rate,gradient_norm,images_per_second,"
        "validation_loss,validation_balanced_accuracy,validation_roc_auc",
        "500,48000,0.61,0.003,1.2,220,0.55,0.71,0.79",
        "1000,96000,0.48,0.003,0.9,221,0.42,0.81,0.88",
        "1500,144000,0.41,0.003,0.8,219,0.36,0.86,0.93",
    ]
)
FRAMES = 90
DRAG = """async (frames) => {
    const slider = document.querySelector("#rotation");
    for (let frame = 0; frame < frames; frame++) {
        slider.value = -180 + frame * 4;
        slider.dispatchEvent(new Event("input", { bubbles: true }));
        await new Promise(requestAnimationFrame);
    }
}"""
WHOLE_CURVE = re.compile(r"^(\S+ ){32}\S+$")


def shown(page: Page) -> Any:
    return page.locator("photo-choice[data-kind=shown]")


def opened(page: Page, address: str = PATH) -> Page:
    page.goto(address)
    shown(page).wait_for()
    return page


def choose(page: Page, name: str, content: bytes) -> None:
    page.set_input_files("#photo", {"name": name, "mimeType": "image/png", "buffer": content})


def curve(page: Page) -> Any:
    return page.locator("failure-explorer polyline")


def local_probability(page: Page) -> float:
    return float(page.locator("photo-choice").get_attribute("data-cat-probability") or "nan")


def test_it_begins_with_a_drawn_cat(page: Page, expect: Any) -> None:
    opened(page)
    expect(page.get_by_role("img", name="drawn cat.png at 64 × 64 pixels")).to_be_visible()
    expect(page.locator("network-stages li").first).to_contain_text("Stage 1: 32 maps of 32 × 32")
    expect(page.locator("answer-path")).to_contain_text("Sum (logit)")


def test_the_answer_is_the_services_own_on_the_same_pixels(page: Page, running_catnet: Catnet) -> None:
    opened(page)
    for seed, size in enumerate([(64, 64), (512, 384), (130, 255), (301, 1200), (1500, 700)]):
        picture = encoded(drawn_cat(*size, seed=seed), "PNG")  # without loss: both see the same
        answer = answer_of(running_catnet, picture)
        choose(page, f"sent-{seed}.png", picture)
        page.get_by_role("img", name=f"sent-{seed}.png at 64 × 64 pixels").wait_for()
        assert local_probability(page) == pytest.approx(answer["cat_probability"], abs=1e-4), size


def test_the_photo_is_sent_nowhere(page: Page, expect: Any) -> None:
    opened(page)
    page.wait_for_load_state("networkidle")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method + " " + request.url))
    choose(page, "mine.jpg", photo())
    expect(page.get_by_role("img", name="mine.jpg at 64 × 64 pixels")).to_be_visible()
    page.get_by_role("slider", name="Blur").fill("3")
    expect(page.locator("failure-explorer output[for=blur]")).to_have_text("3 px")
    assert [request for request in sent if "blob:" not in request] == []


def test_what_is_no_picture_is_said_and_what_was_there_stays(page: Page, expect: Any) -> None:
    opened(page)
    choose(page, "notes.png", b"no picture at all")
    expect(page.locator("photo-choice .words")).to_contain_text("cannot read that file")
    expect(page.get_by_role("img", name="drawn cat.png at 64 × 64 pixels")).to_be_visible()
    page.get_by_role("button", name="Use the drawn cat").click()
    expect(page.locator("photo-choice .words")).to_contain_text("in this page")


def test_another_model_is_shown_by_its_own_stages(page: Page, expect: Any) -> None:
    opened(page, f"{PATH}?model=catnet-mlp")
    expect(page.locator("network-stages li").first).to_contain_text("20 numbers")
    expect(page.get_by_label("Model that is asked")).to_have_value("catnet-mlp")
    page.get_by_label("Model that is asked").select_option("")
    expect(page.locator("network-stages li").first).to_contain_text("maps")
    assert "model=" not in page.url
    page.go_back()
    expect(page.locator("network-stages li").first).to_contain_text("20 numbers")


def test_a_slider_changes_the_picture_the_answer_and_the_curve(page: Page, expect: Any) -> None:
    opened(page)
    expect(page.locator("failure-explorer .headline")).to_contain_text("%")
    before = page.locator("failure-explorer .headline").inner_text()
    page.get_by_role("slider", name="Darkness").focus()
    page.keyboard.press("End")
    expect(page.locator("output[for=darkness]")).to_have_text("100 %")
    expect(page.locator("failure-explorer .headline")).not_to_have_text(before)
    expect(page.locator("failure-explorer h3")).to_have_text("Probability of a cat over darkness")
    expect(page.locator("failure-explorer [role=status]")).to_contain_text("Darkness 100 %")
    expect(curve(page)).to_have_attribute("points", WHOLE_CURVE)
    assert (
        page.evaluate(
            "new Set(document.querySelector('canvas[aria-label^=\"What\"]').getContext('2d')"
            ".getImageData(0, 0, 64, 64).data.filter((_, index) => index % 4 < 3)).size"
        )
        == 1
    )
    page.get_by_role("button", name="Undo all").click()
    expect(page.locator("output[for=darkness]")).to_have_text("as it is")
    expect(page.locator("failure-explorer .headline")).to_have_text(before)


def test_every_slider_leads_to_a_curve(page: Page, expect: Any) -> None:
    opened(page)
    for name in ("rotation", "blur", "darkness", "noise", "quality"):
        page.locator(f"#{name}").focus()
        page.keyboard.press("ArrowRight" if name != "quality" else "ArrowLeft")
        expect(curve(page)).to_have_attribute("points", WHOLE_CURVE)


def test_dragging_a_slider_leaves_the_page_time_for_60_frames_a_second(page: Page) -> None:
    """Measured as processor time of the page's own thread, so that a busy machine does not matter."""
    opened(page)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def busy_seconds() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return next(float(metric["value"]) for metric in metrics if metric["name"] == "TaskDuration")

    before = busy_seconds()
    page.evaluate(DRAG, FRAMES)
    milliseconds = (busy_seconds() - before) / FRAMES * 1000
    assert milliseconds < 12, f"{milliseconds:.1f} of the 16.7 ms of a frame"


def test_the_training_is_drawn_where_its_history_is_there(page: Page, expect: Any) -> None:
    page.route("**/history.csv", lambda route: route.fulfill(body=HISTORY, content_type="text/csv"))
    opened(page)
    expect(page.get_by_role("img", name=re.compile("^Loss over the pictures seen"))).to_be_visible()
    page.get_by_text("Show the numbers of Training").click()
    expect(page.get_by_role("region", name="Training, the numbers")).to_contain_text("144,000")


def test_without_a_history_there_is_a_sentence(page: Page, expect: Any) -> None:
    page.route("**/history.csv", lambda route: route.fulfill(status=404))
    opened(page)
    expect(page.locator("training-curves")).to_contain_text("not among the files")


def test_the_reliability_and_the_card_are_those_of_the_model(page: Page, expect: Any) -> None:
    opened(page, f"{PATH}?model=catnet")
    expect(page.get_by_role("img", name="Reliability on cats64 test")).to_be_visible()
    page.get_by_text("Show the numbers of Reliability").click()
    expect(page.get_by_role("region", name="Reliability, the numbers")).to_contain_text("cats64 validation")
    expect(page.locator("model-card h3").first).to_contain_text("catnet")
    page.get_by_role("heading", name="How good it is").click()
    expect(page.locator("model-card table").first).to_contain_text("balanced accuracy")


def test_a_model_without_reliability_has_a_sentence_about_it(page: Page, expect: Any) -> None:
    opened(page, f"{PATH}?model=catnet-mlp")
    expect(page.locator("reliability-diagram")).to_contain_text("was not measured")
    expect(page.locator("reliability-diagram line-plot")).to_have_count(0)


@pytest.mark.parametrize("size", [PHONE, {"width": 1440, "height": 900}])
def test_the_sections_are_a_link_away_and_the_one_that_is_read_is_marked(page: Page, expect: Any, size: Any) -> None:
    page.set_viewport_size(size)
    opened(page)
    page.locator("model-card summary").first.wait_for()
    contents = page.get_by_role("navigation", name="On this page")
    for name, heading in (("Model card", "The model card"), ("Answer", "How that becomes an answer")):
        contents.get_by_role("link", name=name).click()
        expect(page.get_by_role("heading", name=heading, exact=True)).to_be_in_viewport()
        expect(contents.locator("[aria-current]")).to_have_text([name])
        expect(contents.get_by_role("link", name=name)).to_be_in_viewport()  # the bar moves sideways with the page
    page.evaluate("scrollTo(0, 0)")
    expect(contents.locator("[aria-current]")).to_have_text(["Photo"])


def test_what_gets_the_focus_below_the_bar_of_sections_comes_out_of_it(page: Page) -> None:
    page.set_viewport_size(PHONE)
    opened(page)
    for before, name in (("rotation", "blur"), ("darkness", "noise"), ("noise", "quality")):
        page.evaluate(
            """([before, name]) => {
                scrollBy(0, document.getElementById(name).getBoundingClientRect().top - 5);
                document.getElementById(before).focus({ preventScroll: true });
            }""",
            [before, name],
        )
        covered = f"""document.getElementById("{name}").getBoundingClientRect().top
            < document.querySelector("page-contents").getBoundingClientRect().bottom"""
        assert page.evaluate(covered)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.id") == name
        page.wait_for_function(f"!({covered})")


def test_on_a_phone_it_is_no_longer_than_a_dozen_screens(page: Page) -> None:
    page.set_viewport_size(PHONE)
    opened(page)
    page.locator("model-card summary").first.wait_for()
    assert page.evaluate("document.documentElement.scrollHeight") < 12 * PHONE["height"]


def test_a_section_of_the_card_opens_by_keyboard(page: Page, expect: Any) -> None:
    opened(page)
    section = page.locator("model-card details", has_text="Limits").last
    expect(section.locator("ul")).to_be_hidden()
    section.locator("summary").press("Enter")
    expect(section.locator("ul")).to_be_visible()


def test_a_card_brings_no_html_of_its_own(page: Page, expect: Any) -> None:
    hostile = '# Card\n\n<img src=x onerror="document.title=1"> [x](javascript:document.title=1)'
    page.route("**/README.md", lambda route: route.fulfill(body=hostile, content_type="text/markdown"))
    opened(page)
    expect(page.locator("model-card")).to_contain_text("<img src=x")
    assert page.locator("model-card").locator("img, a").count() == 0


def test_a_service_that_is_away_is_said_and_can_be_tried_again(page: Page, expect: Any, faults: Faults) -> None:
    faults.expected_statuses = {503}
    page.route("**/api/models", lambda route: route.fulfill(status=503))
    page.goto(PATH)
    page.locator("photo-choice[data-kind=failed]").wait_for()
    page.unroute("**/api/models")
    page.get_by_role("button", name="Try again").click()
    expect(shown(page)).to_be_visible()


def test_a_service_that_comes_back_is_noticed_and_the_photo_that_was_chosen_meanwhile_is_looked_at(
    page: Page, expect: Any, faults: Faults
) -> None:
    faults.expected_statuses = {503}
    page.route("**/api/models", lambda route: route.fulfill(status=503))
    page.goto(PATH)
    words = page.locator("photo-choice .words")
    expect(words).to_contain_text("asked for again by itself")
    expect(words).not_to_contain_text("sent")  # a photo never is, here
    choose(page, "mine.jpg", photo())
    page.unroute("**/api/models")
    expect(page.get_by_role("img", name="mine.jpg at 64 × 64 pixels")).to_be_visible()


def test_weights_that_arrive_damaged_are_not_used(page: Page, expect: Any) -> None:
    page.route(
        re.compile("model.safetensors"),
        lambda route: route.fulfill(body=b"damaged", content_type="application/octet-stream"),
    )
    page.goto(PATH)
    expect(page.locator("photo-choice .words")).to_contain_text("The model did not arrive whole.")


def test_nothing_jumps_while_the_page_fills(page: Page) -> None:
    page.add_init_script(
        """window.shift = 0; new PerformanceObserver((list) => {
            for (const entry of list.getEntries()) window.shift += entry.value;
        }).observe({ type: "layout-shift", buffered: true });"""
    )
    opened(page)
    page.wait_for_load_state("networkidle")
    assert page.evaluate("window.shift") < 0.02
