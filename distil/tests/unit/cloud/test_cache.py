# SPDX-License-Identifier: Apache-2.0
"""What a cache remembers, and for how long."""

import concurrent.futures
import itertools
import unittest

import hypothesis
from hypothesis import strategies

from distil import exceptions
from distil.cloud.cache import Cache

LIFETIME = 10


class TestCache(unittest.TestCase):
    def setUp(self) -> None:
        self.seconds = 0.0
        self.asked: list[str] = []

    def cache(self, size: int = 100) -> Cache[str | None]:
        return Cache(self._load, LIFETIME, size=size, clock=lambda: self.seconds)

    def _load(self, key: str) -> str | None:
        self.asked.append(key)
        return None if key == "unknown" else f"name of {key}"

    def test_an_answer_is_remembered(self) -> None:
        cache = self.cache()
        self.assertEqual(["name of a"] * 2, [cache.get("a"), cache.get("a")])
        self.assertEqual(["a"], self.asked)

    def test_none_is_remembered_too(self) -> None:
        cache = self.cache()
        self.assertEqual([None, None], [cache.get("unknown"), cache.get("unknown")])
        self.assertEqual(["unknown"], self.asked)

    def test_an_answer_is_asked_for_again_after_its_lifetime(self) -> None:
        cache = self.cache()
        for self.seconds in (0, LIFETIME - 0.1, LIFETIME, 2 * LIFETIME - 0.1):
            cache.get("a")
        self.assertEqual(["a", "a"], self.asked)

    def test_a_lifetime_counts_from_the_question(self) -> None:
        def slow(key: str) -> str:
            self.seconds += LIFETIME
            return self._load(key) or ""

        cache = Cache(slow, LIFETIME, clock=lambda: self.seconds)
        cache.get("a")
        cache.get("a")
        self.assertEqual(["a", "a"], self.asked)

    def test_a_failure_is_not_remembered(self) -> None:
        failures = itertools.chain([exceptions.LookupUnavailable("away")], itertools.repeat(None))

        def load(key: str) -> str:
            failure = next(failures)
            if failure:
                raise failure
            return key

        cache = Cache(load, LIFETIME)
        with self.assertRaises(exceptions.LookupUnavailable):
            cache.get("a")
        self.assertEqual("a", cache.get("a"))

    def test_a_refresh_asks_again_and_is_remembered(self) -> None:
        cache = self.cache()
        cache.get("a")
        cache.refresh("a")
        cache.get("a")
        self.assertEqual(["a", "a"], self.asked)

    def test_the_oldest_answer_goes_first(self) -> None:
        cache = self.cache(size=2)
        for key in ("a", "b", "a", "c", "b", "c"):
            cache.get(key)
        self.assertEqual(["a", "b", "c"], self.asked)
        cache.get("a")
        self.assertEqual(["a", "b", "c", "a"], self.asked)

    @hypothesis.given(
        strategies.lists(strategies.tuples(strategies.sampled_from("abcdef"), strategies.floats(0, 4))),
        strategies.integers(1, 4),
    )
    def test_no_answer_is_older_than_its_lifetime_and_no_more_are_kept_than_allowed(
        self, questions: list[tuple[str, float]], size: int
    ) -> None:
        cache: Cache[float] = Cache(lambda _: self.seconds, LIFETIME, size=size, clock=lambda: self.seconds)
        for key, pause in questions:
            self.seconds += pause
            self.assertLess(self.seconds - cache.get(key), LIFETIME)
            self.assertLessEqual(len(cache._entries), size)

    def test_many_threads_may_ask(self) -> None:
        cache = self.cache(size=3)
        keys = [str(i % 7) for i in range(2000)]
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            self.assertEqual([f"name of {key}" for key in keys], list(pool.map(cache.get, keys)))
        self.assertLessEqual(len(cache._entries), 3)
