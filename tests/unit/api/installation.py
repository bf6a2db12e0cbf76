"""A data folder as an operator has it: tables, keys, a CRM, people, and a short morning of work.

Made with the real service, so that commands can be tested on what a service leaves behind.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from api.cli.demo.crm import make_crm, mapping_text
from api.cli.opened import services
from api.settings import Settings
from guard.enrolment import CustomerPut
from guard.purposes.reports import AssignmentPut, CasePut
from guard.rows import PrincipalRow
from guard.views import Refused, Served, ViewRequest
from policies.model import ActorKind, Role
from tests.support.makers import TENANT
from tests.support.rig import make_caller, make_record, row_of

AGENT = make_caller()
AUDITOR = make_caller("aud", role=Role.AUDITOR, team="audit", line=("board",))
ANALYST = make_caller("ana", role=Role.ANALYST, team="security", line=("ciso",))
DESK = make_caller("desk", role=Role.SERVICE, kind=ActorKind.SERVICE)
LEFT = replace(row_of(make_caller("left", role=Role.AUDITOR)), is_active=False)
CUSTOMERS = 2


def people() -> list[PrincipalRow]:
    """Everybody in the directory."""
    return [*(row_of(who) for who in (AGENT, AUDITOR, ANALYST, DESK)), LEFT]


def settings_of(folder: Path, **changes: object) -> Settings:
    """The settings of an installation below `folder`."""
    return Settings(data_dir=folder, mapping_file=folder / "crm.toml", **changes)  # type: ignore[arg-type] # named settings


def write_crm(folder: Path) -> None:
    """Make the CRM and its mapping."""
    make_crm(folder / "crm.db", [(str(n), make_record(n)) for n in range(1, CUSTOMERS + 1)])
    (folder / "crm.toml").write_text(mapping_text(folder / "crm.db"))


async def work_a_morning(folder: Path) -> list[str]:
    """Two customers; one is seen because of a case, one is refused. Their references."""
    async with services(settings_of(folder)) as opened:
        await opened.directory.put(DESK, people())
        puts = [
            CustomerPut(source="crm", source_key=str(n), region="eu")
            for n in range(1, CUSTOMERS + 1)
        ]
        found = await opened.enrolment.enrol(DESK, puts)
        refs = [found["crm", put.source_key] for put in puts]
        now = opened.clock.now()
        case = CasePut(
            id="k1",
            customer=refs[0],
            channel="phone",
            opened_at=now,
            assignments=(AssignmentPut(agent=AGENT.id, how="inbound", from_at=now),),
        )
        await opened.cases.put(DESK, case)
        asked = ViewRequest(customer=refs[0], purpose="support_case", case="k1")
        assert isinstance(await opened.broker.view(AGENT, asked), Served)
        unknown = replace(asked, customer=refs[1], purpose="curiosity", case=None)
        assert isinstance(await opened.broker.view(AGENT, unknown), Refused)
    return refs


Guard = Callable[..., "Ran"]


class Ran:
    """What a command said, and its exit code."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


__all__ = ["AGENT", "ANALYST", "AUDITOR", "DESK", "LEFT", "TENANT", "Guard", "Ran"]
