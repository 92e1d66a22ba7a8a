# SPDX-License-Identifier: Apache-2.0
"""What a transformer is."""

import abc
from collections.abc import Mapping
from collections.abc import Sequence
from decimal import Decimal

from distil import exceptions
from distil import model
from distil.transformers import numbers
from distil.transformers.lookups import Lookups
from distil.transformers.options import Options


class Transformer(abc.ABC):
    """Turns the samples of one resource in one window into usage.

    Transformers are found in the ``distil.transformer`` namespace. Each meter mapping gets an instance of its own,
    which keeps nothing from one call to the next, so nothing that is answered for one resource can reach another.

    :param options: the transformer file's section of that name, with the mapping's ``transformer_config`` over it.
    """

    def __init__(self, options: Options) -> None:
        """Read the options, all of them. A transformer without options inherits this."""

    def volume(self, sample: model.Sample) -> Decimal | None:
        """The sample's volume as a number, or None where it is null.

        :raises SampleRejected: it is missing, no number, not finite, negative or beyond the database's column.
        """
        return numbers.quantity(sample.volume, "volume")

    def check(self, sample: model.Sample) -> None:
        """Look at what else the transformer needs of one sample.

        :raises SampleRejected: the sample can't be used. The other samples of its resource are.
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
    """The first of the metadata's keys whose value is not null, as text.

    :raises SampleRejected: there is none.
    """
    for key in keys:
        value = sample.metadata.get(key)
        if value is not None:
            return str(value)
    raise exceptions.SampleRejected(f"metadata has no {' and no '.join(keys)}")
