# SPDX-License-Identifier: Apache-2.0
"""Lifetime and size of cached values."""

import concurrent.futures
import itertools
import unittest

import hypothesis
from hypothesis import strategies as st

from distil import exceptions
from distil.cloud.cache import TTLCache

LIFETIME = 10


class TTLCacheTest(unittest.TestCase):
    def setUp(self) -> None:
        self.seconds = 0.0
        self.loaded: list[str] = []

    def cache(self, size: int = 100) -> TTLCache[str | None]:
        return TTLCache(self._load, LIFETIME, size=size, clock=lambda: self.seconds)

    def _load(self, key: str) -> str | None:
        self.loaded.append(key)
        return None if key == "unknown" else f"name of {key}"

    def test_value_is_cached(self) -> None:
        cache = self.cache()
        self.assertEqual(["name of a"] * 2, [cache.get("a"), cache.get("a")])
        self.assertEqual(["a"], self.loaded)

    def test_none_is_cached(self) -> None:
        cache = self.cache()
        self.assertEqual([None, None], [cache.get("unknown"), cache.get("unknown")])
        self.assertEqual(["unknown"], self.loaded)

    def test_value_expires_after_ttl(self) -> None:
        cache = self.cache()
        for self.seconds in (0, LIFETIME - 0.1, LIFETIME, 2 * LIFETIME - 0.1):
            cache.get("a")
        self.assertEqual(["a", "a"], self.loaded)

    def test_ttl_starts_at_request(self) -> None:
        def load_slowly(key: str) -> str:
            self.seconds += LIFETIME
            return self._load(key) or ""

        cache = TTLCache(load_slowly, LIFETIME, clock=lambda: self.seconds)
        cache.get("a")
        cache.get("a")
        self.assertEqual(["a", "a"], self.loaded)

    def test_failure_is_not_cached(self) -> None:
        failures = itertools.chain([exceptions.LookupUnavailable("unavailable")], itertools.repeat(None))

        def load(key: str) -> str:
            failure = next(failures)
            if failure:
                raise failure
            return key

        cache = TTLCache(load, LIFETIME)
        with self.assertRaises(exceptions.LookupUnavailable):
            cache.get("a")
        self.assertEqual("a", cache.get("a"))

    def test_refresh_reloads_and_caches(self) -> None:
        cache = self.cache()
        cache.get("a")
        cache.refresh("a")
        cache.get("a")
        self.assertEqual(["a", "a"], self.loaded)

    def test_oldest_entry_is_evicted_first(self) -> None:
        cache = self.cache(size=2)
        for key in ("a", "b", "a", "c", "b", "c"):
            cache.get(key)
        self.assertEqual(["a", "b", "c"], self.loaded)
        cache.get("a")
        self.assertEqual(["a", "b", "c", "a"], self.loaded)

    @hypothesis.given(
        st.lists(st.tuples(st.sampled_from("abcdef"), st.floats(0, 4))),
        st.integers(1, 4),
    )
    def test_age_and_size_stay_bounded(self, requests: list[tuple[str, float]], size: int) -> None:
        cache: TTLCache[float] = TTLCache(lambda _: self.seconds, LIFETIME, size=size, clock=lambda: self.seconds)
        for key, pause in requests:
            self.seconds += pause
            self.assertLess(self.seconds - cache.get(key), LIFETIME)
            self.assertLessEqual(len(cache._entries), size)

    def test_concurrent_gets_return_correct_values(self) -> None:
        cache = self.cache(size=3)
        keys = [str(i % 7) for i in range(2000)]
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            self.assertEqual([f"name of {key}" for key in keys], list(pool.map(cache.get, keys)))
        self.assertLessEqual(len(cache._entries), 3)
