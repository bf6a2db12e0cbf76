"""No composition of acts gives more than the policy grants.

Several people view, list, search, check, open and write to a few customers whose every value is a
canary, in sequences drawn from a seed, with cases, codes, ties and suspicions that come and go.
After each no run of eight characters of a canary may stand in any answer, log line or file, except
in fields that this very act may show as they are.
"""

import io
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from api.cli.demo.cast import acting
from api.cli.demo.crm import SOURCE
from api.identity.scopes import ALL
from guard.enrolment import CustomerPut
from policies.model import ActorKind, Desk, Role, Tier
from tests.functional.canaries import Searcher
from tests.functional.compositions import FOREIGN, FRAUD, SENIOR, TRICKS, VIP, Play
from tests.functional.trapped import trapped
from tests.support.acts import MemoryChannel
from tests.support.policy_bundles import default_files
from tests.support.service import (
    AGENT,
    REGION,
    SYNC,
    Service,
    open_service,
    person,
    write_bundle,
)

pytestmark = [pytest.mark.anyio, pytest.mark.functional]

CUSTOMERS = 6
IS_FULL = os.environ.get("RECORDGUARD_FULL") == "1"
SEEDS, ACTS = (range(20), 400) if IS_FULL else (range(2), 200)
# A planted leak is found long before so many acts.
PLANTED_SEED, PLANTED_ACTS, AT_ONCE = 3, 600, 50


@pytest.fixture
def data(tmp_path: Path, sqlite_template: Path) -> Path:
    """A data folder with an empty, migrated ledger."""
    (tmp_path / "ledger.db").write_bytes(sqlite_template.read_bytes())
    return tmp_path


@asynccontextmanager
async def playing(
    folder: Path, seed: int, files: dict[str, bytes] | None = None
) -> AsyncIterator[Play]:
    """A service with trapped customers, one of them a VIP and one of another region."""
    made = trapped(CUSTOMERS, seed)
    policy = write_bundle(folder / "policy", files or default_files())
    url = f"sqlite:///{folder / 'ledger.db'}"
    async with open_service(url, folder, made.rows, policy_dir=policy) as service:
        path = service.services.broker._path  # noqa: SLF001 - the one place to hand in a channel
        channels = {name: MemoryChannel(name) for name in ("mail", "call")}
        path.parts = replace(path.parts, channels=channels)
        await put_all(service, [str(row["email"]) for row in made.rows])
        yield Play(
            service=service,
            rows=made.rows,
            canaries=made.protected + made.open,
            rng=np.random.default_rng(seed),
        )


async def put_all(service: Service, emails: list[str]) -> None:
    """Two specialists, and what customers are found by."""
    sync = acting(person(SYNC, Role.SERVICE, kind=ActorKind.SERVICE), frozenset(ALL))
    floor = {"vendor": "vend", "site": "site-1", "line": ("manager-2",)}
    await service.services.directory.put(
        sync,
        [
            person(FRAUD, Role.AGENT, **floor, team="fraud", desk=Desk.FRAUD),
            person(SENIOR, Role.AGENT, **floor, team="second", desk=Desk.SENIOR),
        ],
    )
    puts = [
        CustomerPut(
            source=SOURCE,
            source_key=f"cust-{n + 1:05d}",
            region="us" if n == FOREIGN else REGION,
            tier=Tier.VIP if n == VIP else Tier.STANDARD,
            identifiers=(("email", email),) if "@" in email else (),
        )
        for n, email in enumerate(emails)
    ]
    await service.services.enrolment.enrol(sync, puts)


def written(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file of the service but the company's own CRM."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "crm" not in path.relative_to(folder).parts:
            yield path.name, path.read_bytes()


@pytest.mark.parametrize("seed", SEEDS)
async def test_no_composition_of_acts_gives_more_than_the_policy_grants(
    data: Path,
    seed: int,
    log_stream: io.StringIO,
    capfd: pytest.CaptureFixture[str],
) -> None:
    async with playing(data, seed) as play:
        for _ in range(ACTS):
            await play.act()
        for name, content in written(data):
            play.evidence.add(name, content)
        play.evidence.add("log", log_stream.getvalue().encode())
    assert play.faults == []
    assert Searcher(play.canaries).search(play.evidence) == set()
    # There must have been something to find, and something to refuse.
    assert play.done["view plain profile"] > 0
    assert sum(n for what, n in play.done.items() if what.startswith("reveal plain ")) > 0
    assert {"view 403", "reveal 403", "queue 200", "search 200"} <= play.done.keys()
    with capfd.disabled():
        kinds = Counter(what.rpartition(" ")[0] for what in play.done)
        sys.stdout.write(f"\nseed {seed}: {len(kinds)} kinds of answers, {dict(play.done)}\n")


class TestPlantedLeaks:
    """Each loosens the policy a little, and sees it caught."""

    async def found(self, data: Path, name: str, old: str, new: str) -> tuple[set[str], set[str]]:
        files = default_files()
        text = files[name].decode()
        assert old in text
        files[name] = text.replace(old, new).encode()
        async with playing(data, PLANTED_SEED, files) as play:
            for n in range(PLANTED_ACTS):
                await play.act()
                if n % AT_ONCE == AT_ONCE - 1:
                    labels = {leak.label for leak in Searcher(play.canaries).search(play.evidence)}
                    if play.faults or labels:
                        return set(play.faults), labels
        return set(), set()

    async def test_a_mask_that_shows_eight_characters(self, data: Path) -> None:
        wide = 'transform = "keep_last", n = 8, min_hidden = 8'
        old = 'transform = "keep_last", n = 4, min_hidden = 8'
        faults, labels = await self.found(data, "fields.toml", old, wide)
        assert faults == set()
        assert labels & {"view 200", "queue 200"}

    async def test_a_class_that_is_shown_as_it_is(self, data: Path) -> None:
        rule = '@form("{}")\npermit (principal, action == Action::"Show", resource == FieldClass::"'
        rule += 'contact");'
        faults, _ = await self.found(data, "show.cedar", rule.format("mask"), rule.format("plain"))
        assert {"view shows email as it is", "view shows phone as it is"} & faults

    async def test_a_reveal_without_its_customer(self, data: Path) -> None:
        condition = 'unless { context.customer_present || context.desk == Desk::"fraud" };'
        faults, _ = await self.found(data, "reveal.cedar", condition, "when { false };")
        assert any(fault.startswith("reveal shows ") for fault in faults)


async def test_no_list_is_sorted_filtered_or_searched_by_a_parameter(data: Path) -> None:
    """Parameters that no call documents change nothing in an answer, on any route of acts."""
    async with playing(data, 5) as play:
        service, refs = play.service, play.service.refs
        cases = [await service.case(ref) for ref in refs]
        listed = {"customers": refs, "purpose": "support_case"}
        search = {"kind": "email", "value": "a@b.example", "purpose": "support_case"}
        view = {"customer": refs[0], "purpose": "support_case", "case": cases[0]}
        for path, body in (
            ("/v1/views:batch", listed),
            ("/v1/views", view),
            ("/v1/searches", search),
        ):
            plain = (await service.ask("POST", path, AGENT, body)).json()
            for trick in TRICKS:
                told = await service.ask("POST", f"{path}?{trick}", AGENT, body)
                assert settled(told.json()) == settled(plain), (path, trick)
                name = trick.partition("=")[0]
                extra = {**body, name: "email"} if name != "fields" else {**body, "sort": "email"}
                refused = await service.ask("POST", path, AGENT, extra)
                assert refused.status_code == 422, (path, name)
        mine = (await service.ask("GET", "/v1/cases/mine", AGENT)).json()
        for trick in TRICKS:
            assert (await service.ask("GET", f"/v1/cases/mine?{trick}", AGENT)).json() == mine


def settled(answer: dict[str, object]) -> dict[str, object]:
    """An answer without what differs between any two: its receipts, codes and budgets."""
    kept = {k: v for k, v in answer.items() if k not in {"receipt", "quota", "view_code"}}
    listed = kept.get("customers")
    if isinstance(listed, list):
        kept["customers"] = [settled(one) for one in listed]
    problem = kept.get("problem")
    if isinstance(problem, dict):
        kept["problem"] = {k: v for k, v in problem.items() if k not in {"receipt", "instance"}}
    return kept
