"""Evidence channels: each asks one question of every look and answers yes or no.

A channel keeps O(1) numbers per agent and no thresholds: how often *yes* is normal is
`detectors.baselines`' business, when it becomes too often `detectors.cusum`'s. To add one: write a
file here that holds a class which satisfies `Channel`, list it in `CHANNELS` (at the end: a
channel's place is its number in stored state), write its test and its page in `docs/detectors/`.
"""

from detectors.channels.break_glass import BreakGlass
from detectors.channels.channel import Channel, Look, Trial
from detectors.channels.devices import Devices
from detectors.channels.hot_unexplained import HotUnexplained
from detectors.channels.off_shift import OffShift
from detectors.channels.passed_on import PassedOn
from detectors.channels.photo_rhythm import PhotoRhythm
from detectors.channels.related import Related
from detectors.channels.search_miss import SearchMiss
from detectors.channels.self_opened import SelfOpened
from detectors.channels.stale_case import StaleCase
from detectors.channels.unexplained import Unexplained
from detectors.channels.verify_miss import VerifyMiss
from detectors.channels.vip import Vip
from detectors.channels.walk import Walk

__all__ = ["CHANNELS", "Channel", "Look", "Trial"]

CHANNELS: tuple[Channel, ...] = (
    Unexplained(),
    HotUnexplained(),
    StaleCase(),
    SelfOpened(),
    OffShift(),
    Vip(),
    Walk(),
    PhotoRhythm(),
    Related(),
    SearchMiss(),
    PassedOn(),
    Devices(),
    BreakGlass(),
    VerifyMiss(),
)
