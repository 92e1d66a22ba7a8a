# SPDX-License-Identifier: Apache-2.0
"""What a transformer is."""

import abc
from collections.abc import Mapping
from collections.abc import Sequence
from decimal import Decimal

from distil import exceptions
from distil import model
from distil.transformers import quantities
from distil.transformers.lookups import Lookups
from distil.transformers.options import Options


class Transformer(abc.ABC):
    """Turns the samples of one resource in one window into usage.

    Transformers are found in the ``distil.transformer`` namespace. Each meter mapping gets an instance of its own,
    which keeps nothing from one call to the next, so nothing that is answered for one resource can reach another.
    Several threads call it.

    :param options: the transformer file's section of that name, with the mapping's ``transformer_config`` over it.
    """

    def __init__(self, options: Options) -> None:
        """Read the options, all of them. A transformer without options inherits this."""

    def volume(self, sample: model.Sample) -> Decimal | None:
        """The sample's volume as a number, or None where it is null.

        :raises SampleRejected: it is missing, no number, not finite, negative or beyond the database's column.
        """
        return quantities.parse_volume(sample.volume, "volume")

    def validate(self, sample: model.Sample, lookups: Lookups) -> None:
        """Look at what else the transformer needs of one sample.

        :raises SampleRejected: the sample cannot be used. The other samples of its resource are.
        :raises LookupUnavailable: as in :meth:`usage`.
        """

    @abc.abstractmethod
    def usage(
        self, service: str, samples: Sequence[model.Sample], window: model.Window, lookups: Lookups
    ) -> Mapping[str, Decimal]:
        """Service -> volume, empty for no usage.

        :param service: the mapping's.
        :param samples: at least one, all of one resource, in time order, their volumes as :meth:`volume` gave them.
        :raises SampleRejected: none of these samples can be used.
        :raises LookupUnavailable: a name could not be asked for; the window has to wait.
        """


def text(sample: model.Sample, *keys: str) -> str:
    """The first of the metadata's keys that holds text or a number, as text.

    :raises SampleRejected: none does.
    """
    for key in keys:
        value = sample.metadata.get(key)
        if isinstance(value, str | int | float):
            return str(value)
    raise exceptions.SampleRejected(f"metadata has no {' and no '.join(keys)}", exceptions.RejectionReason.METADATA)


def text_or_none(sample: model.Sample, key: str) -> str | None:
    """What :func:`text` finds, or None for nothing or empty text."""
    value = sample.metadata.get(key)
    return str(value) if isinstance(value, str | int | float) and value != "" else None
