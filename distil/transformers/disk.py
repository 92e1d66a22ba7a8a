# SPDX-License-Identifier: Apache-2.0
"""Transformers for disks without a meter of their own, billed by the samples of their instance."""

from collections.abc import Mapping
from collections.abc import Sequence
from decimal import Decimal

from distil import exceptions
from distil import model
from distil.text import short_repr
from distil.transformers import quantities
from distil.transformers.base import Transformer
from distil.transformers.base import last_metadata_str
from distil.transformers.lookups import Lookups
from distil.transformers.options import Options

_VOLUME_ID = "volume_id"
_VOLUME_SIZE = "volume.size"


class FromImage(Transformer):
    """The root disk of an instance that was booted from an image: {``service``: largest size x hours}.

    ``md_keys`` hold the image. If in any sample, as it was sent, the first of these keys found holds one of
    ``none_values``, the instance was not booted from an image and there is no usage. ``size_keys`` hold the size;
    samples without any are rejected if no other sample of the window has one.
    """

    def __init__(self, options: Options) -> None:
        self.service = options.string("service", default="")
        self.uses_service = not self.service
        self.md_keys = options.string_list("md_keys")
        self.none_values = options.string_list("none_values")
        self.size_keys = options.string_list("size_keys")

    def required_metadata(self) -> Sequence[Sequence[str]]:
        return self.md_keys, self.size_keys

    def validate(self, sample: model.Sample, lookups: Lookups) -> None:
        self._sizes(sample)

    def usage(
        self, service: str, samples: Sequence[model.Sample], window: model.Window, lookups: Lookups
    ) -> Mapping[str, Decimal]:
        if any(self._has_no_image(sample) for sample in samples):
            self.note("a sample has one of none_values as its image, so the instance was not booted from an image")
            return {}
        sizes = [size for sample in samples for size in self._sizes(sample)]
        if not sizes:
            reason = f"metadata has no size of the root disk ({', '.join(self.size_keys)})"
            raise exceptions.SampleRejected(reason, exceptions.RejectionReason.METADATA)
        return {self.service or service: self.largest_for_each_hour(sizes, window)}

    def _has_no_image(self, sample: model.Sample) -> bool:
        sent = sample.document["metadata"]  # the operator's values may be the text of null
        image = next((sent[key] for key in self.md_keys if key in sent), None)
        return isinstance(image, str | int | float) and str(image) in self.none_values

    def _sizes(self, sample: model.Sample) -> list[Decimal]:
        sizes = (_size(sample, key) for key in self.size_keys)
        return [size for size in sizes if size is not None]


class DatabaseVolumeMax(Transformer):
    """The volume of a database instance: {name of its type: largest ``volume.size``, truncated, x hours}.

    The type is that of the last ``volume_id`` in the samples. If it is unknown, the samples are rejected: there is no
    service to bill, and the volume must not be free.
    """

    uses_service = False

    def required_metadata(self) -> Sequence[Sequence[str]]:
        return (_VOLUME_ID,), (_VOLUME_SIZE,)

    def validate(self, sample: model.Sample, lookups: Lookups) -> None:
        self._size(sample)

    def usage(
        self, service: str, samples: Sequence[model.Sample], window: model.Window, lookups: Lookups
    ) -> Mapping[str, Decimal]:
        volume_id = last_metadata_str(samples, _VOLUME_ID)
        if volume_id is None:
            raise exceptions.SampleRejected(f"metadata has no {_VOLUME_ID}", exceptions.RejectionReason.METADATA)
        volume_type = lookups.types_of_volumes.get(volume_id)
        if volume_type is None:
            reason = f"volume {short_repr(volume_id)} does not exist or has no type, so its type cannot be billed"
            raise exceptions.SampleRejected(reason, exceptions.RejectionReason.LOOKUP)
        self.note("the type of the last volume, %s, is %s", volume_id, volume_type)
        return {volume_type: self.largest_for_each_hour(map(self._size, samples), window)}

    def _size(self, sample: model.Sample) -> Decimal:
        size = _size(sample, _VOLUME_SIZE)
        if size is None:
            raise exceptions.SampleRejected(f"metadata has no {_VOLUME_SIZE}", exceptions.RejectionReason.METADATA)
        return Decimal(int(size))


def _size(sample: model.Sample, key: str) -> Decimal | None:
    return quantities.parse_volume(sample.metadata.get(key), f"metadata.{key}")
