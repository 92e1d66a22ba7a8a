# SPDX-License-Identifier: Apache-2.0
"""What transformers declare that they read."""

import unittest
from collections.abc import Sequence
from typing import Any

import msgspec

from distil import exceptions
from distil import model
from distil.rating import sample_parser
from distil.tests.support import builders
from distil.transformers.base import Transformer
from distil.transformers.lookups import Lookups
from distil.transformers.options import Options

OPTIONS = {
    "tracked_states": ["active"],
    "md_keys": ["image_ref", "image"],
    "none_values": ["None"],
    "size_keys": ["root_gb", "disk_gb"],
}
LOOKUPS = Lookups(flavors={"1": "c1"}, volume_types={"1": "fast"}, types_of_volumes={"1": "fast"})


class ReadKeys(dict[str, Any]):
    """Metadata that records which keys are looked for."""

    def __init__(self, values: dict[str, Any]) -> None:
        super().__init__(values)
        self.read: set[str] = set()

    def get(self, key: str, default: Any = None, /) -> Any:
        self.read.add(key)
        return super().get(key, default)

    def __getitem__(self, key: str) -> Any:
        self.read.add(key)
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        self.read.add(str(key))
        return super().__contains__(key)


def transformers() -> dict[str, Transformer]:
    made = {}
    for name, plugin in builders.plugins().items():
        known = Options(OPTIONS)
        plugin(known)
        made[name] = plugin(Options({key: OPTIONS[key] for key in known._known if key in OPTIONS}))
    return made


def read(transformer: Transformer, metadata: dict[str, Any]) -> set[str]:
    """Return the keys that a transformer looks for in a sample."""
    keys = ReadKeys(metadata)
    parsed = sample_parser.parse_sample(builders.document(resource_id="a/b"), builders.PROJECT, builders.METER)
    assert isinstance(parsed, model.Sample)
    sample = msgspec.structs.replace(parsed, metadata=keys, document={**parsed.document, "metadata": keys})
    try:
        transformer.validate(sample, LOOKUPS)
        transformer.usage("s1", [sample], builders.HOUR, LOOKUPS)
    except exceptions.SampleRejected:
        keys.read.add("rejected")
    return keys.read


def flat(keys: Sequence[Sequence[str]]) -> set[str]:
    return {key for alternatives in keys for key in alternatives}


class RequiredMetadataTest(unittest.TestCase):
    def test_nothing_else_is_read(self) -> None:
        values = {"status": "active", "volume.size": "1", "root_gb": "1", "image_ref": "an image"}
        for name, transformer in transformers().items():
            with self.subTest(name):
                declared = flat(transformer.required_metadata())
                metadata = {key: values.get(key, "1") for key in declared}
                found = read(transformer, metadata)
                self.assertLessEqual(found, declared)
                # The first key of each value is looked for, whatever else there is.
                self.assertLessEqual({keys[0] for keys in transformer.required_metadata()}, found)

    def test_later_keys_are_read_where_first_is_missing(self) -> None:
        for name, transformer in transformers().items():
            with self.subTest(name):
                declared = flat(transformer.required_metadata())
                last = {keys[-1]: "active" if "stat" in keys[-1] else "1" for keys in transformer.required_metadata()}
                self.assertEqual(declared, read(transformer, last))

    def test_only_sum_adds_volumes(self) -> None:
        self.assertEqual(["sum"], [name for name, made in transformers().items() if made.adds_volumes])
