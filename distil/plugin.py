# SPDX-License-Identifier: Apache-2.0
"""Everything that authors of transformers and telemetry drivers need, in one import.

Import these names from here: the modules that define them may change.
"""

from distil.exceptions import ConfigurationError
from distil.exceptions import LookupUnavailable
from distil.exceptions import PeriodIncomplete
from distil.exceptions import RejectionReason
from distil.exceptions import ResponseTooLarge
from distil.exceptions import SampleRejected
from distil.exceptions import TelemetryError
from distil.model import RejectedSample
from distil.model import Sample
from distil.model import Window
from distil.model import parse_time
from distil.rating.sample_parser import parse_sample
from distil.telemetry.driver import DriverContext
from distil.telemetry.driver import Guarantee
from distil.telemetry.driver import MeterPresence
from distil.telemetry.driver import MeterReport
from distil.telemetry.driver import OpenSession
from distil.telemetry.driver import Recording
from distil.telemetry.driver import SampleCount
from distil.telemetry.driver import ServedMeter
from distil.telemetry.driver import TelemetryDriver
from distil.transformers.base import Transformer
from distil.transformers.base import metadata_str
from distil.transformers.base import optional_metadata_str
from distil.transformers.lookups import Lookups
from distil.transformers.lookups import NameLookup
from distil.transformers.options import Options
from distil.transformers.quantities import parse_decimal
from distil.transformers.quantities import parse_volume
from distil.transformers.quantities import split

__all__ = (
    "ConfigurationError",
    "DriverContext",
    "Guarantee",
    "LookupUnavailable",
    "Lookups",
    "MeterPresence",
    "MeterReport",
    "NameLookup",
    "OpenSession",
    "Options",
    "PeriodIncomplete",
    "Recording",
    "RejectedSample",
    "RejectionReason",
    "ResponseTooLarge",
    "Sample",
    "SampleCount",
    "SampleRejected",
    "ServedMeter",
    "TelemetryDriver",
    "TelemetryError",
    "Transformer",
    "Window",
    "metadata_str",
    "optional_metadata_str",
    "parse_decimal",
    "parse_sample",
    "parse_time",
    "parse_volume",
    "split",
)
