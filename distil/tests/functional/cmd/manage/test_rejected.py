# SPDX-License-Identifier: Apache-2.0
"""``rejected list``, ``rejected show`` and ``rejected retry``."""

import json
from decimal import Decimal

import sqlalchemy as sa

from distil import model
from distil.db import models
from distil.db import store
from distil.tests.support import manage
from distil.tests.support.rejected_samples import HOUR
from distil.tests.support.rejected_samples import MAPPINGS
from distil.tests.support.rejected_samples import START
from distil.tests.support.rejected_samples import WINDOWS
from distil.tests.support.rejected_samples import RejectedSamplesTestCase
from distil.tests.support.rejected_samples import rejected


class RejectedListAndShowTest(RejectedSamplesTestCase):
    def test_list_shows_samples_with_reasons(self) -> None:
        rows = self.rows("rejected", "list")
        self.assertEqual(self.ids(), [row.pop("id") for row in rows])
        window = {"start": "2026-01-02T03:00:00Z", "end": "2026-01-02T04:00:00Z"}
        first = {"project_id": "p1", "meter": "network", "resource_id": "r1", "reason": "there was an error"}
        self.assertEqual(first | window, rows[0])

    def test_filters_and_limit_select_samples(self) -> None:
        for arguments, where in (
            (["--project", "name of p2"], {"tenant_id": "p2"}),
            (["--meter", "network"], {"meter": "network"}),
            (["--start", WINDOWS[1].start.isoformat()], {"start": WINDOWS[1].start}),
            (["--end", "2026-01-02T04:00:00"], {"start": WINDOWS[0].start}),
        ):
            with self.subTest(arguments):
                self.assertEqual(self.ids(**where), [row["id"] for row in self.rows("rejected", "list", *arguments)])
        self.assertEqual(3, len(self.rows("rejected", "list", "--limit", "3")))

    def test_limit_follows_sort(self) -> None:
        newest = sorted(self.ids(), reverse=True)[:2]
        order = ("--sort-column", "id", "--sort-descending", "--limit", "2")
        self.assertEqual(newest, [row["id"] for row in self.rows("rejected", "list", *order)])

    def test_show_includes_sample_and_reason(self) -> None:
        (sample_id, *_) = self.ids()
        shown = self.rows("rejected", "show", str(sample_id))
        self.assertEqual({"name": "größe"}, shown["sample"]["metadata"])
        self.assertEqual("there was an error", shown["reason"])
        self.assertIn('"name": "größe"', self.output("rejected", "show", str(sample_id)))

    def test_unknown_id_exits_with_3(self) -> None:
        for command in ("show", "retry"):
            self.assertIn("no rejected sample has ID 99999", self.error("rejected", command, "99999", status=3))


class RejectedRetryTest(RejectedSamplesTestCase):
    def test_closed_period_is_refused(self) -> None:
        ids = self.ids()
        row = {
            "name": "2026-01",
            "start": START,
            "end": START + HOUR,
            "closing": START,
            "closed_by": "bob",
            "previous": "",
        }
        self.insert(models.periods, row)
        for arguments in ((), ("--dry-run",)):
            rows = self.rows("rejected", "retry", "--end", "2026-01-02T04:00:00", *arguments, status=1)
            self.assertEqual({"refused"}, {row["result"] for row in rows})
            self.assertIn("is in period 2026-01, which is closed", rows[0]["detail"])
        self.assertEqual(([], ids), (self.usage(), self.ids()))

    def test_invalid_selection_exits_with_2(self) -> None:
        for arguments in ((), ("--all", "--meter", "network"), ("--all", "1")):
            result = manage.run(self.config, "rejected", "retry", *arguments)
            self.assertEqual((2, ""), (result.returncode, result.stdout), result.stderr)

    def test_dry_run_changes_nothing(self) -> None:
        before = self.ids()
        rows = self.rows("rejected", "retry", "--all", "--dry-run", status=1)
        self.assertEqual(before, sorted(row["id"] for row in rows))
        self.assertEqual({"would be billed", "still rejected"}, {row["result"] for row in rows})
        self.assertEqual(([], before), (self.usage(), self.ids()))

    def test_valid_samples_are_billed_others_kept(self) -> None:
        bad = self.ids(resource_id="r3")
        for _ in range(2):
            rows = self.rows("rejected", "retry", "--all", status=1)
            self.assertEqual((self.expected("p1", "p2"), bad), (self.usage(), self.ids()))
        self.assertEqual(
            {("r3", "volume 'much' is not a number")}, {(row["resource_id"], row["detail"]) for row in rows}
        )
        with self.engine.connect() as connection:
            info = set(connection.scalars(sa.select(models.resources.c.info).where(models.resources.c.id == "r1")))
        self.assertEqual([{"name": "größe", "type": "Network"}], [json.loads(text) for text in info])

    def test_output_shows_billed_usage(self) -> None:
        rows = self.rows("rejected", "retry", "--project", "p1", status=1)
        self.assertEqual(
            {
                ("r1", "billed", "n1.network 5 hour of r1"),
                ("r2", "billed", "n1.traffic 3.5 byte of r2"),
                ("r3", "still rejected", "volume 'much' is not a number"),
            },
            {(row["resource_id"], row["result"], row["detail"]) for row in rows},
        )

    def test_only_selected_samples_are_retried(self) -> None:
        others = self.ids(tenant_id="p2") + self.ids(tenant_id="p1", resource_id="r3")
        self.rows("rejected", "retry", "--project", "p1", status=1)
        self.assertEqual((self.expected("p1"), sorted(others)), (self.usage(), self.ids()))

    def test_samples_of_same_resource_are_included(self) -> None:
        (first, second, *_) = self.ids(resource_id="r2")
        rows = self.rows("rejected", "retry", str(second))
        self.assertEqual([first, second], [row["id"] for row in rows])
        self.assertEqual([("p1", "n1.traffic", "r2", Decimal("3.5"), START)], self.usage())

    def test_billed_resource_is_not_billed_again(self) -> None:
        entry = {"service": "n1.traffic", "unit": "byte", "volume": 7, "tenant_id": "p1", "resource_id": "r2"}
        with self.engine.begin() as connection:
            connection.execute(sa.insert(models.resources), {"id": "r2", "tenant_id": "p1"})
            connection.execute(sa.insert(models.usage_entry), entry | {"start": START, "end": START + HOUR})
        (first, *_) = self.ids(resource_id="r2")
        rows = self.rows("rejected", "retry", str(first), status=1)
        self.assertEqual({"billed already"}, {row["result"] for row in rows})
        detail = "stored: n1.traffic 7 byte of r2; these samples alone: n1.traffic 3.5 byte of r2"
        self.assertEqual(detail, rows[0]["detail"])
        self.assertEqual([("p1", "n1.traffic", "r2", Decimal(7), START)], self.usage())
        self.assertIn(first, self.ids())

    def test_renamed_resource_requires_force(self) -> None:
        with self.engine.begin() as connection:
            connection.execute(sa.insert(models.resources), {"id": "r1-net", "tenant_id": "p1"})
            row = {"service": "old", "unit": "h", "volume": 1, "tenant_id": "p1", "resource_id": "r1-net"}
            connection.execute(sa.insert(models.usage_entry), row | {"start": START, "end": START + HOUR})
        (sample_id, *_) = self.ids(resource_id="r1")
        (row,) = self.rows("rejected", "retry", str(sample_id), status=1)
        self.assertEqual("stored: old 1 h of r1-net; these samples alone: n1.network 5 hour of r1", row["detail"])
        (row,) = self.rows("rejected", "retry", str(sample_id), "--force")
        detail = "n1.network 5 hour of r1; already stored: old 1 h of r1-net"
        self.assertEqual(("billed", detail), (row["result"], row["detail"]))
        self.assertIn(("p1", "n1.network", "r1", Decimal(5), START), self.usage())

    def test_unmapped_meter_keeps_samples(self) -> None:
        self.write_mappings(MAPPINGS.replace("meter: network", "meter: other"))
        before = self.ids()
        rows = self.rows("rejected", "retry", "--meter", "network", status=1)
        self.assertEqual({"no usage"}, {row["result"] for row in rows})
        self.assertEqual(before, self.ids())

    def test_unmapped_meter_stays_beside_billed_one(self) -> None:
        (mapped, *_) = self.ids(tenant_id="p1", resource_id="r1")
        (other, *_) = self.ids(tenant_id="p1", resource_id="r2")
        with self.engine.begin() as connection:
            move = sa.update(models.rejected_samples).where(models.rejected_samples.c.id == other)
            connection.execute(move.values(meter="unmapped", resource_id="r1"))
        rows = self.rows("rejected", "retry", str(mapped), status=1)
        self.assertEqual({mapped: "billed", other: "no usage"}, {row["id"]: row["result"] for row in rows})
        self.assertIn(other, self.ids())
        self.assertIn(("p1", "n1.network", "r1", Decimal(5), START), self.usage())

    def test_unreadable_sample_does_not_block_others(self) -> None:
        (first, *_) = self.ids(tenant_id="p1", resource_id="r3")
        deep = sa.update(models.rejected_samples).where(models.rejected_samples.c.id == first)
        with self.engine.begin() as connection:
            connection.execute(deep.values(sample="[" * 90_000))
        results = {row["id"]: row["result"] for row in self.rows("rejected", "retry", "--project", "p1", status=1)}
        self.assertEqual(("still rejected", 7), (results[first], len(results) - 1))
        self.assertEqual(self.expected("p1"), self.usage())
        self.assertEqual("[" * 90_000, self.rows("rejected", "show", str(first))["sample"])

    def test_untrusted_source_gives_no_usage(self) -> None:
        self.configure("trust_sources = other\n")
        rows = self.rows("rejected", "retry", "--meter", "network", status=1)
        self.assertEqual({"no usage"}, {row["result"] for row in rows})

    def test_uncollected_window_is_refused(self) -> None:
        with self.engine.begin() as connection:
            connection.execute(sa.update(models.tenants).values(last_collected=WINDOWS[0].end))
        chosen = ("--project", "p1", "--start", WINDOWS[1].start.isoformat())
        for options in (("--dry-run",), ()):
            rows = self.rows("rejected", "retry", *chosen, *options, status=1)
            self.assertEqual({"refused"}, {row["result"] for row in rows})
        self.assertEqual([], self.usage())

    def test_failed_lookup_keeps_samples(self) -> None:
        self.write_mappings(MAPPINGS.replace("transformer: max", "transformer: objectstoragemax"))
        last = model.Window(WINDOWS[-1].end, WINDOWS[-1].end + HOUR)
        store.Store(self.engine).project("p1").commit(last, [], [], [rejected("p1", "network", "p1/container")])
        chosen = ("--project", "p1", "--start", last.start.isoformat())
        result = manage.run(self.config, "rejected", "retry", *chosen, "--format", "value", "--column", "result")
        self.assertEqual((1, "failed\n"), (result.returncode, result.stdout), result.stderr)
        self.assertEqual(1, len(self.ids(resource_id="p1/container")))

    def test_several_collectors_require_collector_option(self) -> None:
        self.configure(
            "[collector:a]\nmeter_mappings_file = none\n[collector:b]\n[DEFAULT]\nenabled_collectors = a,b\n"
        )
        self.assertIn("choose one with --collector: a, b", self.error("rejected", "retry", "--all"))
        self.assertIn("none cannot be read", self.error("rejected", "retry", "--all", "--collector", "a"))
        self.rows("rejected", "retry", "--meter", "network", "--collector", "b")
        message = "unknown collector 'c'; the collectors are: a, b"
        self.assertEqual(message, self.error("rejected", "retry", "--all", "--collector", "c", status=3))
