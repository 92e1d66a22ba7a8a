# SPDX-License-Identifier: Apache-2.0
"""The base class of transformers."""

import abc
import copy
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from decimal import Decimal
from typing import Self

from distil import exceptions
from distil import model
from distil import text
from distil.transformers import quantities
from distil.transformers.lookups import Lookups
from distil.transformers.options import Options


class Transformer(abc.ABC):
    """Turns the samples of one resource in one window into usage.

    Transformers are entry points of the group ``distil.transformer``. Each meter mapping gets its own instance. An
    instance keeps no state between calls, so that one resource cannot affect another, and is called by several threads.

    :ivar uses_service: whether usage may be billed as the service that the meter mapping names.
    :ivar adds_volumes: whether it adds the volumes of a window's samples. Meters whose samples repeat a volume, or hold
        an average, are then refused.
    :param options: the transformer's section of the transformer file, overridden by the mapping's
        ``transformer_config``.
    """

    uses_service = True
    adds_volumes = False
    # Not None in a copy that explains.
    _steps: list[str] | None = None

    def __init__(self, options: Options) -> None:
        """Read all options. A transformer without options inherits this."""

    def required_metadata(self) -> Sequence[Sequence[str]]:
        """For each value that it needs from a sample's metadata, the keys that may hold it.

        A meter mapping is refused if the telemetry driver is known to serve none of the keys of a value.
        """
        return ()

    def volume(self, sample: model.Sample) -> Decimal | None:
        """The sample's volume as a number; None if it is null.

        :raises SampleRejected: the volume is missing, not a finite number, negative, or too large for the database.
        """
        return quantities.parse_volume(sample.volume, "volume")

    def validate(self, sample: model.Sample, lookups: Lookups) -> None:
        """Check everything else that the transformer needs from a sample.

        :raises SampleRejected: the sample cannot be used; the other samples of its resource are still used.
        :raises LookupUnavailable: a name could not be looked up; the window is retried.
        """

    @abc.abstractmethod
    def usage(
        self, service: str, samples: Sequence[model.Sample], window: model.Window, lookups: Lookups
    ) -> Mapping[str, Decimal]:
        """Volume by service; empty if there is no usage.

        :param service: the service that the meter mapping names.
        :param samples: at least one, all of one resource, in time order, with the volumes that :meth:`volume` returned.
        :raises SampleRejected: none of these samples can be used.
        :raises LookupUnavailable: a name could not be looked up; the window is retried.
        """

    def note(self, step: str, *values: object) -> None:
        """Note a step of the arithmetic, for those who want usage explained. Otherwise it does nothing.

        :param step: a sentence with a ``%s`` for each value.
        """
        if self._steps is not None:
            self._steps.append(step % tuple(map(_shown, values)))

    def largest_for_each_hour(self, volumes: Iterable[Decimal], window: model.Window) -> Decimal:
        """The largest of some volumes, times the hours of the window."""
        largest = max(volumes)
        result = largest * window.hours
        self.note("the largest volume is %s; %s x %s h = %s", largest, largest, window.hours, result)
        return result

    def noting(self, steps: list[str]) -> Self:
        """A copy that adds the steps that it notes to a list."""
        explaining = copy.copy(self)
        explaining._steps = steps  # noqa: SLF001 - of the same class
        return explaining


def _shown(value: object) -> object:
    """The value as steps show it: of numbers, no more decimal places than are stored."""
    return text.plain_number(Decimal(f"{value:.{model.SCALE}f}")) if isinstance(value, Decimal) else value


def metadata_str(sample: model.Sample, *keys: str) -> str:
    """The metadata value of the first of the keys that holds text or a number, as text; empty text counts as missing.

    :raises SampleRejected: no key holds text or a number.
    """
    for key in keys:
        value = optional_metadata_str(sample, key)
        if value is not None:
            return value
    raise exceptions.SampleRejected(f"metadata has no {' and no '.join(keys)}", exceptions.RejectionReason.METADATA)


def last_metadata_str(samples: Sequence[model.Sample], key: str) -> str | None:
    """The metadata value of a key in the last sample that has one, as text; None if no sample has one."""
    values = (optional_metadata_str(sample, key) for sample in reversed(samples))
    return next((value for value in values if value is not None), None)


def optional_metadata_str(sample: model.Sample, key: str) -> str | None:
    """The metadata value of a key that holds text or a number, as text; None if there is none or it is empty."""
    value = sample.metadata.get(key)
    return str(value) if isinstance(value, str | int | float) and value != "" else None
