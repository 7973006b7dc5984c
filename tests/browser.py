"""A real browser for tests of pages: the system's Chromium, drawing in software where there is no graphics card."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

SOFTWARE_3D = ("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")
NO_3D = (
    ("--disable-3d-apis",),
    ("--disable-gpu", "--disable-webgl", "--disable-webgl2", "--disable-software-rasterizer"),
)
"""Browsers that draw no 3D: one where it is forbidden, one without a graphics card and a stand-in for it."""


@contextmanager
def browsers() -> Iterator[Callable[..., Browser]]:
    """Give a function that starts Chromium with flags; fails the test, and does not skip it, where there is none."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if path is None:
        pytest.fail("no browser: sudo apt-get install chromium, or name one with CHROMIUM=/path/to/chrome")
    sandbox = [] if os.geteuid() else ["--no-sandbox"]  # Chromium has none for root
    started: list[Browser] = []
    with sync_playwright() as playwright:

        def start(*flags: str) -> Browser:
            started.append(playwright.chromium.launch(executable_path=path, args=[*flags, *sandbox]))
            return started[-1]

        yield start
        for browser in started:
            browser.close()
