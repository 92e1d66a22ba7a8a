# SPDX-License-Identifier: Apache-2.0
"""The guides that consist of commands lead where they promise to, from the first command to the last."""

import collections
import getpass
import grp
import os
import re
import shutil
import sys
import sysconfig
import textwrap
from collections.abc import Mapping
from typing import Any
from typing import ClassVar

import sqlalchemy as sa

from distil.db import engine as db_engine
from distil.tests.acceptance.guides import pages
from distil.tests.acceptance.guides.guide import GuideTest
from distil.tests.support import predecessor
from distil.tests.support import requirements
from distil.tests.support.site import HOUR


class QuickStartTest(GuideTest):
    def test_commands_give_documented_output(self) -> None:
        self.follow(
            pages.QUICK_START,
            {
                # What follows tools/venv in it.
                "^tools/demo$": "distil-sandbox demo",
                # Ctrl-C, after the run, which the log of an earlier one must not seem to be.
                "(?<=--config-file cloud.conf --config-file distil.conf)$": (
                    " >log &\nuntil grep 'Run of collector' log; do sleep 0.1; done; kill -INT $!; wait $! && rm log"
                ),
            },
        )


class InstallationTest(GuideTest):
    def test_commands_lead_to_billed_usage(self) -> None:
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        own = f"/opt/distil/lib/{version}/site-packages"
        # What the package needs comes from this environment, and not from a registry.
        self.environment |= {"PIP_NO_BUILD_ISOLATION": "false", "PIP_NO_DEPS": "true", "PIP_NO_INDEX": "true"}
        self.environment |= {"NEEDED": sysconfig.get_path("purelib"), "PBR_VERSION": "1.0.0"}
        user = f"-o {getpass.getuser()} -g {grp.getgrgid(os.getgid()).gr_name}"
        self.follow(
            pages.INSTALLATION,
            {
                "(?<=^python3 -m venv /opt/distil)$": f"\nrm -rf {own}/setuptools*; echo $NEEDED >{own}/needed.pth",
                "-o root -g distil": user,
                "(?<=/dev/null /etc/distil/distil.conf)$": f"\n{self.written()}",
                "^runuser -u distil -- ": "",
                r'"\$\(date --utc \+%FT%H:00\)"': self.site.end.isoformat(),
                "^systemctl enable --now distil-collector$": f"{self.unit()} >log &\n"
                f"until curl -s localhost:{self.port}/health | grep OK; do sleep 0.1; done",
                "localhost:16799": f"localhost:{self.port}",
                "^distil-manage config check$": f"{self.plugged_in()}\ndistil-manage config check",
            },
        )
        self.assertTrue(self.site.usage())

    def written(self) -> str:
        """The commands that write the page's configuration, with this database and cloud in it."""
        ((path, text),) = pages.files(pages.INSTALLATION[0]).items()
        wanted = {
            "[collector]": f"[collector]\nmax_collection_start_age = 4\nexporter_port = {self.port}\n"
            "meter_mappings_file = /etc/distil/meter_mappings.yml\ntransformer_file = /etc/distil/transformer.yml",
            "mysql+pymysql://distil:PASSWORD@db.example.com/distil": self.site.url,
            "https://identity.example.com:5000/v3": self.site.cloud.auth_url,
            "= PASSWORD": f"= {self.site.cloud.auth()['password']}",
        }
        for said, meant in wanted.items():
            self.assertIn(said, text)
            text = text.replace(said, meant)
        return f"cat >{path} <<'END'\n{text}END\nln -sf {path} ~/distil.conf"

    def plugged_in(self) -> str:
        """The commands that make use of the plugins, of which the page shows the files."""
        (mapping,) = re.findall(r"code-block:: yaml\n\n((?:   .*\n)+)", (pages.ROOT / pages.PLUGIN).read_text())
        driver = "sed -i 's/^.collector.$/&\\ncollector_backend = archive/' /etc/distil/distil.conf"
        return f"{driver}\ncat >>/etc/distil/meter_mappings.yml <<'END'\n{textwrap.dedent(mapping)}END"

    def unit(self) -> str:
        """What the unit starts."""
        text = (pages.ROOT / "etc" / "systemd" / "distil-collector.service").read_text()
        (command,) = re.findall("^ExecStart=(.*)$", text, re.MULTILINE)
        return str(command)


class UpgradeTest(GuideTest):
    def test_upgrade_and_rollback_keep_rows(self) -> None:
        requirements.program("mariadb-dump")
        engine = db_engine.create_engine(self.site.url)
        self.addCleanup(engine.dispose)
        predecessor.create(engine)
        before = predecessor.rows(engine)
        url = sa.make_url(self.site.url)
        (self.root / ".my.cnf").write_text(
            f"[client]\nhost = {url.host}\nuser = {url.username}\npassword = {url.password}\n"
        )
        (self.root / "etc" / "distil").mkdir(parents=True)
        self.site.config.rename(self.root / "etc" / "distil" / "distil.conf")
        self.follow(
            pages.UPGRADE,
            {
                r"\bdistil(?= [<>]|;| CHARACTER)": str(url.database),
                # It has warnings: of the locks that the predecessor left.
                "(?<=upgrade check)$": " || test $? = 1",
            },
        )
        self.assertEqual(before, predecessor.rows(engine))


class TelemetryChangeTest(GuideTest):
    # The cloud has usage until now.
    site_settings: ClassVar[Mapping[str, Any]] = {"end": None}

    def test_each_hour_is_billed_once(self) -> None:
        folder = self.root / "etc" / "distil"
        folder.mkdir()
        self.site.config.unlink()
        meters_file = shutil.copy(pages.ROOT / "distil" / "sandbox" / "etc" / "gnocchi_meters.yml", folder)
        self.site.config = folder / "changed.conf"
        sections = {"gnocchi": {"meters_file": meters_file, "lag": 0}}
        self.site.configure(sections=sections, collector_backend="gnocchi", trust_sources="gnocchi$")
        self.site.config = folder / "distil.conf"
        self.site.configure()
        (self.root / "distil.conf").symlink_to(self.site.config)
        for path, text in pages.files(pages.TELEMETRY_CHANGE[0]).items():
            (self.root / path.removeprefix("/")).write_text(self.here(text))
        self.site.collect()
        self.follow(
            pages.TELEMETRY_CHANGE,
            {"^(?=distil-manage telemetry list$)": "cp /etc/distil/changed.conf /etc/distil/distil.conf\n"},
        )
        self.site.collect(self.site.end + HOUR)
        usage = self.site.usage()
        self.assertEqual({self.site.start + hour * HOUR for hour in range(4)}, {entry.start for entry in usage})
        keys = [(entry.project_id, entry.service, entry.resource_id, entry.unit) for entry in usage]
        self.assertEqual({4}, set(collections.Counter(keys).values()))
