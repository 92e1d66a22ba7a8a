# SPDX-License-Identifier: Apache-2.0
"""The status page in a real browser: phone and desktop, light and dark."""

import contextlib
import itertools
import os
import shutil
import unittest
from collections.abc import Iterator
from typing import ClassVar
from typing import Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser
from playwright.sync_api import Page
from playwright.sync_api import sync_playwright

from distil.exporter.server import Exporter
from distil.exporter.status_page import StatusPage
from distil.monitoring.history import RunOutcome
from distil.monitoring.history import Snapshot
from distil.tests.support import snapshots

PHONE = (390, 844)
SMALL_PHONE = (320, 568)
DESKTOP = (1280, 900)
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")

FAILED = snapshots.snapshot(runs=(snapshots.run(snapshots.HOUR, RunOutcome.FAILED, problem="HTTP 503 " * 40),))


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Starts Debian's Chromium.

    :raises unittest.SkipTest: it is not installed; in CI (the environment variable) that is an AssertionError.
    """
    path = shutil.which("chromium")
    if path is None:
        message = "chromium is not installed"
        if os.environ.get("CI"):
            raise AssertionError(message)
        raise unittest.SkipTest(message)
    with sync_playwright() as playwright:
        # Tests run as root and in containers, where Chromium's sandbox does not work.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


class StatusPageTest(unittest.TestCase):
    browser: ClassVar[Browser]

    @classmethod
    def setUpClass(cls) -> None:
        cls.browser = cls.enterClassContext(chromium())

    @contextlib.contextmanager
    def open(self, snapshot: Snapshot, size: tuple[int, int], scheme: Scheme) -> Iterator[Page]:
        """Opens the page, and asserts that the browser reports no problems."""
        exporter = Exporter({"/": StatusPage(lambda: snapshot, snapshots.clock)}, "127.0.0.1", 0)
        exporter.start()
        width, height = size
        problems: list[str] = []
        with self.browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme) as context:
            page = context.new_page()
            page.on("console", lambda message: problems.append(message.text))
            page.on("pageerror", lambda error: problems.append(str(error)))
            page.on("requestfailed", lambda request: problems.append(request.url))
            page.goto(f"http://127.0.0.1:{exporter.port}/")
            yield page
        exporter.stop()
        self.assertEqual([], problems)

    def test_page_fits_viewport_width(self) -> None:
        for snapshot, size in itertools.product((snapshots.rich(), FAILED), (SMALL_PHONE, PHONE, DESKTOP)):
            with self.subTest(size), self.open(snapshot, size, "light") as page:
                self.assertEqual(size[0], page.evaluate("document.documentElement.scrollWidth"))

    def test_page_passes_accessibility_checks(self) -> None:
        """By the rules of axe, which include WCAG AA."""
        for snapshot, scheme in itertools.product((snapshots.rich(), FAILED), SCHEMES):
            for size in (PHONE, DESKTOP):
                with self.subTest(f"{size} {scheme}"), self.open(snapshot, size, scheme) as page:
                    results = Axe().run(page)
                    self.assertGreater(len(results.response["passes"]), 10)
                    self.assertEqual(0, results.violations_count, results.generate_report())

    def test_background_follows_color_scheme(self) -> None:
        shades = []
        for scheme in SCHEMES:
            with self.open(snapshots.snapshot(), DESKTOP, scheme) as page:
                color = page.evaluate("getComputedStyle(document.body).backgroundColor")
                shades.append(sum(map(int, color.removeprefix("rgb(").removesuffix(")").split(","))))
        light, dark = shades
        self.assertGreater(light, 600)
        self.assertLess(dark, 150)

    def test_injected_markup_is_escaped(self) -> None:
        attack = "</bdi><script>document.title='x'</script><img src=/x onerror=\"document.title='x'\">"
        snapshot = snapshots.snapshot(lagging=(snapshots.lagging_project(attack, attack),))
        with self.open(snapshot, DESKTOP, "light") as page:
            self.assertEqual("default - Distil Collector", page.title())
            self.assertEqual(0, page.locator("script, img").count())
