"""The page of a clip in a real browser."""

import base64
import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from pipeline.pictures.viewer.clip_page import clip_page
from tests.browser import NO_3D, SOFTWARE_3D, browsers

from .made_up import FRAMES, HOSTILE, made_up_view

ATTACK = "Executing inline script violates"
"""What the browser says of a script that a test puts into the page."""

SIZE = {"width": 900, "height": 620}

WHILE_MOVING = """() => new Promise(done => {
  const view = document.getElementById('view');
  view.dispatchEvent(new WheelEvent('wheel', { deltaY: 0, cancelable: true }));
  requestAnimationFrame(() => done(view.toDataURL()));
})"""
"""Gives what is drawn while the camera moves, where it moves by nothing."""

NARROWED = """async full => {
  const view = document.getElementById('view');
  for (let n = 0; n < 1000 && view.width >= full; n++) {
    view.dispatchEvent(new WheelEvent('wheel', { deltaY: 0, cancelable: true }));
    await new Promise(requestAnimationFrame);
  }
  return [view.width / full, document.body.dataset.rests];
}"""
"""Moves the camera, by nothing, until a picture is narrower than a full one; gives how much, and whether it rests.

All within the page: what lasts a quarter of a second may be over before a busy machine asks from outside.
"""


@pytest.fixture(scope="module")
def start() -> Iterator[Callable[..., Browser]]:
    with browsers() as found:
        yield found


@pytest.fixture(scope="module")
def browser(start: Callable[..., Browser]) -> Browser:
    return start(*SOFTWARE_3D)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    view = made_up_view(HOSTILE)
    path = tmp_path_factory.mktemp("page") / "view.html"
    path.write_text(clip_page(replace(view, truth=np.roll(view.grids, 3, axis=2))), encoding="utf-8")
    return path


@pytest.fixture
def page(browser: Browser, written: Path) -> Iterator[Page]:
    """The page as it opens; it asked for nothing but itself, and nothing went wrong in it."""
    page = browser.new_page(viewport=SIZE)
    asked: list[str] = []
    troubles: list[str] = []
    page.on("request", lambda request: asked.append(request.url.partition(":")[0]))
    page.on("console", lambda said: troubles.append(said.text) if said.type == "error" or "GL_" in said.text else None)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.goto(written.as_uri())
    page.wait_for_selector("body[data-ready=yes]")
    yield page
    assert [said for said in troubles if ATTACK not in said] == []
    assert set(asked) <= {"file", "data", "blob"}
    page.close()


def pixels(page: Page, what: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(page.locator(what).screenshot())).convert("RGB"))


def shot(page: Page, what: str = "#view") -> np.ndarray:
    """Return what is drawn (h, w, 3) once the room rests."""
    page.wait_for_selector("body[data-rests=yes]")
    return pixels(page, what)


def test_moving_the_slider_changes_room_and_picture(page: Page):
    room, picture = shot(page), shot(page, "#picture")
    page.locator("#frame").fill(str(FRAMES - 1))
    assert page.locator("#when").inner_text() == "3 of 3 · 1.00 s"
    later, later_picture = shot(page), shot(page, "#picture")
    assert (room != later).any(axis=2).mean() > 0.01
    assert later_picture.mean() - picture.mean() > 30, "the later picture is brighter"
    page.locator("#frame").fill("0")
    assert np.array_equal(room, shot(page)), "the same state shows the same room"


def test_every_class_is_shown_and_hidden_alone(page: Page):
    page.uncheck("#truth")
    page.click("#none")
    bare = shot(page)
    boxes = page.locator("#classes input").all()
    assert len(boxes) == 14, "eleven classes, unnamed, seen empty, unknown"
    for box in boxes:
        box.check()
        assert (shot(page) != bare).any(axis=2).sum() > 30, box.get_attribute("data-label")
        box.uncheck()
    assert np.array_equal(shot(page), bare)


def test_points_path_squares_and_truth_are_shown_and_hidden(page: Page):
    before = shot(page)
    for part, shown in (("cloud", True), ("path", False), ("floor", False), ("truth", False), ("voxels", False)):
        page.locator(f"#{part}").set_checked(shown)
        after = shot(page)
        assert (after != before).any(axis=2).sum() > 50, part
        before = after


def test_other_looks_and_a_drag_move_the_camera(page: Page):
    seen = [shot(page)]
    for look in ("above", "camera", "over"):
        page.click(f"[data-look={look}]")
        seen.append(shot(page))
    assert np.array_equal(seen[0], seen[3])
    assert (seen[0] != seen[1]).any(axis=2).mean() > 0.05 < (seen[1] != seen[2]).any(axis=2).mean()
    page.mouse.move(200, 200)
    page.mouse.down()
    page.mouse.move(300, 230, steps=3)
    page.mouse.up()
    assert (shot(page) != seen[3]).any(axis=2).mean() > 0.05


def test_a_title_is_text_and_no_script_but_the_page_s_own_runs(page: Page):
    assert page.title() == page.locator("#title").inner_text() == HOSTILE
    assert page.locator("#title").locator("*").count() == 0
    page.evaluate(
        "addEventListener('securitypolicyviolation', e => document.body.dataset.refused = e.violatedDirective)"
    )
    page.evaluate(
        "const s = document.createElement('script'); s.textContent = 'window.taken = 1'; document.body.append(s)"
    )
    assert page.evaluate("window.taken") is None
    assert page.locator("body[data-refused=script-src-elem]").count() == 1


def test_a_phone_s_width_holds_the_page(page: Page):
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert shot(page).shape[1] == 360


def test_a_room_is_drawn_coarsely_while_it_moves_and_not_at_all_while_it_rests(page: Page):
    page.locator("#cloud").check()
    before, full = shot(page), page.evaluate("document.getElementById('view').width")
    page.mouse.move(200, 200)
    page.mouse.down()
    page.mouse.move(230, 200)
    narrower, rests = page.evaluate(NARROWED, full)
    assert narrower < 1
    assert rests == "no"
    page.mouse.move(200, 200)
    page.mouse.up()
    assert np.array_equal(shot(page), before), "back where it was, and every point of it"
    drawn = page.evaluate("document.body.dataset.drawn")
    page.wait_for_timeout(400)
    assert page.evaluate("document.body.dataset.drawn") == drawn


@pytest.mark.parametrize("part", ["voxels", "cloud"])
def test_what_is_drawn_while_the_room_moves_is_what_is_drawn_at_rest_but_coarser(page: Page, part: str):
    for box in ("voxels", "cloud", "path", "floor", "truth"):
        page.locator(f"#{box}").set_checked(box == part)
    page.click("[data-look=above]")
    full = shot(page)
    coarse = Image.open(io.BytesIO(base64.b64decode(page.evaluate(WHILE_MOVING).partition(",")[2]))).convert("RGB")
    assert coarse.size[0] < full.shape[1]
    assert int(page.evaluate("document.body.dataset.rows")) < int(page.evaluate("document.body.dataset.faces")) / 2
    small = np.asarray(Image.fromarray(full).resize(coarse.size, Image.Resampling.BOX), np.float32)
    drawn, wanted = (
        (np.abs(picture - small[0, 0]).max(axis=2) > 20) for picture in (np.asarray(coarse, np.float32), small)
    )
    assert wanted.mean() > 0.02
    assert 0.1 < drawn.mean() / wanted.mean() < 2, "points fewer but larger"
    assert np.array_equal(shot(page), full), "and at rest all of it again"


@pytest.mark.parametrize("flags", NO_3D)
def test_without_webgl_there_are_pictures(start: Callable[..., Browser], written: Path, flags: tuple[str, ...]):
    page = start(*flags).new_page(viewport=SIZE)
    page.goto(written.as_uri())
    page.wait_for_selector("body[data-ready=yes][data-flat=yes]")
    assert page.locator("#still img").is_visible()
    assert not page.locator("#view").is_visible()
    before = pixels(page, "#picture")
    page.locator("#frame").fill("2")
    assert pixels(page, "#picture").mean() - before.mean() > 30, "the slider still turns over the pictures"
