"""What the play says and asks for, without its processes."""

import io
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest
from rich.console import Console

from api.audit import Verdict
from api.cli.access import local_issuer
from api.cli.demo import accounts, play
from api.cli.demo.accounts import Accounts
from api.cli.demo.analyst import Verdict as Review
from api.cli.demo.cast import BOT_OWNER, TENANT, choose
from api.cli.demo.play import FASTEST, QUIET_EVENTS_PER_S, SLOWEST, Scene, pace
from api.cli.demo.service import Running
from api.cli.demo.tally import EXPLAINED_ONLY, SUSPENDED, Tally
from api.identity.tokens import TokenVerifier
from api.settings import Settings
from guard.clock import DAY, ManualClock, monotonic, wall_micros
from tests.support.makers import NOON

VERIFIED = Verdict(size=40, root="ab" * 32, opened=40, erased=0, checkpoint_size=39)
REVIEWED = Review(
    alert_id="3",
    pseudonyms=("Heron-31",),
    agents=("nobody yet",),
    severity="critical",
    score=9.5,
    reasons=("14 of 61 views",),
)


MIDDLE = (FASTEST + SLOWEST) / 2


@pytest.mark.parametrize(
    ("share", "rate"),
    [
        (1.0, FASTEST),
        (5.0, FASTEST),
        (MIDDLE / FASTEST, pytest.approx(MIDDLE, abs=10)),
        (0.001, SLOWEST),
    ],
)
def test_a_day_passes_as_fast_as_the_machine_allows(share: float, rate: float) -> None:
    events = 10_000
    assert pace(events, events / QUIET_EVENTS_PER_S / share) == rate


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, demo=True)


@pytest.fixture
def scene(settings: Settings) -> Scene:
    cast = choose(7, NOON // DAY * DAY, customers=300, agents=60)
    tally = Tally(
        insider=cast.insider, served=30, refused=Counter({EXPLAINED_ONLY: 2, SUSPENDED: 1})
    )
    return Scene(
        cast=cast,
        refs={},
        clock=ManualClock(NOON),
        rate=500.0,
        tally=tally,
        issuer=local_issuer(settings),
        running=Running("http://127.0.0.1:1", 1, settings.data_dir / "serve.log"),
        out=Console(file=io.StringIO(), width=200, highlight=False),
        begun=monotonic(),
    )


def said(scene: Scene) -> str:
    assert isinstance(scene.out.file, io.StringIO)
    return scene.out.file.getvalue()


def closed(
    scene: Scene,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    **changes: Any,  # noqa: ANN401 - any field, and the review
) -> bool:
    """Close the day over a ledger of which only `changes` are not as they must be."""
    insider = scene.cast.insider
    found = Accounts(
        verified=VERIFIED, views=31, refunds=1, refusals=3, alerted=frozenset({insider})
    )
    review = changes.pop("review", replace(REVIEWED, agents=(insider,)))
    changed = replace(found, **changes)
    monkeypatch.setattr(accounts, "close", lambda _settings: changed)
    return anyio.run(play._close, scene, settings, review)  # noqa: SLF001 - the end, without the day


def test_a_day_on_which_everything_held_says_so(
    scene: Scene, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert closed(scene, settings, monkeypatch)
    text = said(scene)
    assert "FAIL" not in text
    assert "40 entries, root " + "ab" * 32 in text


@pytest.mark.parametrize(
    "changes",
    [
        {"views": 30},
        {"refusals": 4},
        {"verified": replace(VERIFIED, checkpoint_size=None)},
        {"review": None},
        {"review": REVIEWED},
        {"review": replace(REVIEWED, reasons=())},
    ],
    ids=str,
)
def test_one_thing_that_did_not_hold_is_named(
    scene: Scene, settings: Settings, monkeypatch: pytest.MonkeyPatch, changes: dict[str, object]
) -> None:
    assert not closed(scene, settings, monkeypatch, **changes)
    assert said(scene).count("FAIL") == 1


@pytest.mark.parametrize("code", [EXPLAINED_ONLY, SUSPENDED])
def test_an_insider_who_was_never_stopped_is_a_failure(
    scene: Scene, settings: Settings, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    scene.tally.refused[code] = 0
    refusals = scene.tally.refused.total()
    assert not closed(scene, settings, monkeypatch, refusals=refusals)
    assert said(scene).count("FAIL") == 1


def test_a_request_without_an_answer_is_a_failure(
    scene: Scene, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.tally.unavailable = 1
    assert not closed(scene, settings, monkeypatch)
    assert "FAIL no request was left unanswered" in said(scene)


@pytest.mark.anyio
async def test_each_desk_has_a_token_and_the_ai_agent_one_for_its_person(
    scene: Scene, settings: Settings
) -> None:
    verifier = TokenVerifier(
        scene.issuer.keys(), issuer=settings.issuer, audience=settings.audience, wall=wall_micros
    )
    tokens = play._tokens(scene)  # noqa: SLF001 - what the desks are given
    assert tokens.keys() == {profile.agent_id for profile in scene.cast.floor.agents}
    for profile in scene.cast.floor.agents:
        claims = (await verifier.verify(tokens[profile.agent_id])).claims
        is_ai = profile.kind == "ai"
        assert claims["tenant"] == TENANT
        assert claims["sub"] == (BOT_OWNER if is_ai else profile.agent_id)
        assert claims.get("act") == ({"sub": profile.agent_id} if is_ai else None)


def test_the_status_says_what_time_it_is_on_the_floor(scene: Scene) -> None:
    assert play._status(scene) == "12:00 UTC on the floor: 30 views served, 3 refused"  # noqa: SLF001 - the line of a terminal
