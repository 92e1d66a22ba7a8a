# SPDX-License-Identifier: Apache-2.0
"""The options of [collector] and of the named collectors as typed values."""

import dataclasses
import types
import typing

from distil.conf import collector
from distil.conf.collector import CollectorOptions
from distil.tests.support.configuration import ConfigurationTestCase

NAMED = "[DEFAULT]\nenabled_collectors = customers\n[collector:customers]\n"


class CollectorOptionsTest(ConfigurationTestCase):
    def options(self, text: str, name: str = "") -> CollectorOptions:
        conf = self.read(text)
        collector.register_named_opts(conf, conf.enabled_collectors)
        return collector.read(conf, f"{collector.GROUP}:{name}" if name else collector.GROUP)

    def test_fields_agree_with_options(self) -> None:
        names = [option.dest for option in collector.OPTS]
        fields = [field.name for field in dataclasses.fields(CollectorOptions)]
        self.assertEqual(["group", "name", *names], fields)

    def test_values_have_declared_types(self) -> None:
        restricted = ("project_order", "exporter_host")
        every = "".join(f"{option.dest} = 1\n" for option in collector.OPTS if option.dest not in restricted)
        hints = typing.get_type_hints(CollectorOptions)
        for options in (
            self.options(""),
            self.options(f"[collector]\n{every}"),
            self.options(f"{NAMED}{every}", "customers"),
        ):
            for name, hint in hints.items():
                self.assertTrue(matches(getattr(options, name), hint), (name, getattr(options, name)))

    def test_values_cannot_be_changed(self) -> None:
        with self.assertRaises(dataclasses.FrozenInstanceError):
            self.options("").workers = 2  # type: ignore[misc]

    def test_named_collector_defaults_to_collector(self) -> None:
        options = self.options(f"[collector]\nworkers = 3\nconcurrency = 2\n{NAMED}concurrency = 5\n", "customers")
        self.assertEqual(("customers", 3, 5), (options.name, options.workers, options.concurrency))

    def test_name_defaults_to_partitioning_suffix(self) -> None:
        self.assertEqual("default", self.options("").name)
        self.assertEqual("north", self.options("[collector]\npartitioning_suffix = north\n").name)

    def test_values_survive_reload(self) -> None:
        before = self.options("[collector]\nworkers = 3\n")
        self.path.write_text("[collector]\nworkers = 4\n")
        self.conf.reload_config_files()
        self.assertEqual((3, 4), (before.workers, collector.read(self.conf).workers))

    def test_workers_have_consecutive_exporter_ports(self) -> None:
        text = "[collector]\nenable_exporter = true\nworkers = 2\nexporter_port = {}\n"
        self.assertEqual([9000, 9001], self.options(text.format(9000)).exporter_ports)
        self.assertEqual([0, 0], self.options(text.format(0)).exporter_ports)
        self.assertEqual((), self.options("").exporter_ports)


class TrustSourcesTest(ConfigurationTestCase):
    def trusted(self, text: str) -> tuple[str, ...]:
        return collector.read(self.read(f"[collector]\ntrust_sources ={text}\n")).trust_sources

    def test_expressions_are_separated_by_commas(self) -> None:
        self.assertEqual(("openstack", ".{32}:TrafficAccounting"), self.trusted(" openstack, .{32}:TrafficAccounting"))

    def test_commas_in_brackets_do_not_separate(self) -> None:
        self.assertEqual(("a{1,3}", "[a,b]c", "d"), self.trusted(" a{1,3},[a,b]c , d"))

    def test_empty_value_yields_no_expressions(self) -> None:
        self.assertEqual((), self.trusted(""))


def matches(value: object, hint: object) -> bool:
    """Whether a value is of an annotated type: a class, a union of classes, or a tuple of values of one class."""
    if isinstance(hint, types.UnionType):
        return any(matches(value, part) for part in typing.get_args(hint))
    if typing.get_origin(hint) is tuple:
        return isinstance(value, tuple) and all(type(part) is typing.get_args(hint)[0] for part in value)
    return type(value) is hint
