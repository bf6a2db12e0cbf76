"""A broker whose reads are counted, over the services of the rig."""

from dataclasses import dataclass, field

from guard.broker import Broker
from guard.reconciliation import Reconciliation
from guard.source_reads import ReadCounter
from guard.sources.counted import CountedSource
from tests.support.rig import Rig

GRACE_S = 30.0


@dataclass
class Mono:
    """Monotonic seconds that stand still until told."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Counted:
    """The rig with counted reads."""

    rig: Rig
    mono: Mono
    counter: ReadCounter
    source: CountedSource
    broker: Broker
    reconciliation: Reconciliation
    tick: list[int] = field(default_factory=list)


def counted(rig: Rig) -> Counted:
    """Put it together; the writer of the rig's committer is the one that counts."""
    mono = Mono()
    counter = ReadCounter(mono=mono)
    source = CountedSource(rig.source, counter)
    writer = next(e for e in rig.log() if e.kind.name == "WRITER_OPEN").event.body["writer"]
    assert isinstance(writer, str)
    reconciliation = Reconciliation(
        committer=rig.committer,
        readers=rig.readers,
        clock=rig.clock,
        vault=rig.vault,
        alerts=rig.alerts,
        counter=counter,
        sources={"crm": source},
        writer=bytes.fromhex(writer),
        grace_s=GRACE_S,
    )
    rig.committer.last_words = reconciliation.last_words
    broker = Broker(
        readers=rig.readers,
        committer=rig.committer,
        policies=rig.policies,
        sources={"crm": source},
        keyring=rig.keyring,
        clock=rig.clock,
        source_deadline_s=20.0,
        lookup=rig.lookup,
        channels=rig.channels,
    )
    return Counted(
        rig=rig,
        mono=mono,
        counter=counter,
        source=source,
        broker=broker,
        reconciliation=reconciliation,
    )
