# SPDX-License-Identifier: Apache-2.0
"""Do what Ceilometer's notification agent does with messages. Runs in Ceilometer's environment.

Reads a JSON list of messages from each line of standard input, and sends them through Ceilometer's own pipelines. Then
it writes a line with a JSON list of what Ceilometer logged meanwhile, from warnings on.

A message is ``{"notification": ...}``, as in oslo.messaging, or ``{"server": ..., "sample": ...}``: an instance as Nova
describes it, and name, type, unit, volume and timestamp of a sample that is made of it as the compute agent does.
"""

import json
import logging
import sys
import types
from typing import Any

from ceilometer import service
from ceilometer.compute.pollsters import util
from ceilometer.pipeline import event
from ceilometer.pipeline import sample
from ceilometer.publisher import utils

_LOG = logging.getLogger("ceilometer")


class Messages(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(record.getMessage())

    def take(self) -> list[str]:
        lines, self._lines = self._lines, []
        return lines


class NotificationAgent:
    def __init__(self, conf: Any) -> None:
        self._conf = conf
        managers = (sample.SamplePipelineManager(conf), event.EventPipelineManager(conf))
        self._endpoints = [endpoint for manager in managers for endpoint in manager.get_main_endpoints()]

    def receive(self, message: dict[str, Any]) -> None:
        notification = message.get("notification") or self._polling_notification(message["server"], message["sample"])
        for endpoint in self._endpoints:
            handler = getattr(endpoint, notification["priority"], None)
            if handler and self._accepts(endpoint, notification):
                try:
                    handler([notification])
                except Exception:
                    _LOG.exception("an endpoint dropped %s", notification)

    @staticmethod
    def _accepts(endpoint: Any, notification: dict[str, Any]) -> bool:
        rule = getattr(endpoint, "filter_rule", None)
        parts = ("publisher_id", "event_type", "metadata", "payload")
        return rule is None or rule.match(notification["ctxt"], *(notification[part] for part in parts))

    def _polling_notification(self, server: dict[str, Any], polled: dict[str, Any]) -> dict[str, Any]:
        timestamp = polled.pop("timestamp")
        made = util.make_sample_from_instance(self._conf, types.SimpleNamespace(**server), **polled)
        made.timestamp = timestamp
        document = utils.meter_message_from_counter(made, self._conf.publisher.telemetry_secret)
        return {
            "event_type": "telemetry.polling",
            "priority": "sample",
            "publisher_id": "ceilometer.polling",
            "ctxt": {},
            "metadata": {"timestamp": timestamp, "message_id": document["message_id"]},
            "payload": {"samples": [document]},
        }


def main() -> None:
    answers, sys.stdout = sys.stdout, sys.stderr  # a library of Ceilometer prints what it parses
    conf = service.prepare_service(sys.argv)
    messages = Messages()
    _LOG.addHandler(messages)
    agent = NotificationAgent(conf)
    for line in sys.stdin:
        for message in json.loads(line):
            agent.receive(message)
        answers.write(json.dumps(messages.take()) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
