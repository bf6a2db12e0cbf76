"""The demo from beginning to end, and what it says on the way."""

import asyncio
import signal
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx2
from rich.console import Console
from rich.live import Live
from rich.text import Text

from api.cli.access import local_issuer, sign_in_link
from api.cli.demo import accounts, analyst, stage
from api.cli.demo.cast import ANALYST, AUDITOR, BOT_OWNER, SYNC, TENANT, Cast, choose
from api.cli.demo.day import Day
from api.cli.demo.rehearsal import BECAUSE, rehearse
from api.cli.demo.service import (
    HOST,
    Running,
    caught_up,
    environment,
    free_port,
    learning,
    serving,
)
from api.cli.demo.tally import EXPLAINED_ONLY, SUSPENDED, Tally
from api.cli.opened import services
from api.identity.issuer import Grant, LocalIssuer
from api.identity.scopes import ALL
from api.places import database_url
from api.settings import Settings, load_settings
from guard.clock import DAY, Clock, DomainClock, Rate, monotonic, to_rfc3339, wall_micros
from guard.store import migrate

# The morning that is shown then takes between 20 and 40 seconds.
FASTEST, SLOWEST = 720.0, 400.0
# What two quiet cores make; they keep up with `FASTEST`.
QUIET_EVENTS_PER_S = 50_000
# From setting the clock to the first request: the service starts in that time.
CURTAIN_S = 4.0
TOKEN_S = 8 * 3600
# What the analyst has not seen so long after the end of the day, she will not see.
REVIEW_S = 10.0
LINE_S, LIVE_S = 5.0, 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to play."""

    data_dir: Path
    seed: int
    rate: float
    keeps_serving: bool
    customers: int = 5000
    agents: int = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """The stage as it stands when the service answers."""

    cast: Cast
    refs: dict[int, str]
    clock: Clock
    rate: float
    tally: Tally
    issuer: LocalIssuer
    running: Running
    out: Console
    begun: float


async def perform(plan: Plan) -> bool:
    """Play it; whether everything that must hold has held.

    Raises:
        ConfigurationError: The folder or the machine is not fit for it.
    """
    out, begun = Console(highlight=False), monotonic()
    midnight = (wall_micros() // DAY + 1) * DAY
    cast = choose(plan.seed, midnight, customers=plan.customers, agents=plan.agents)
    port = free_port()
    stage.clear(plan.data_dir)
    env = environment(plan.data_dir, port)
    settings = load_settings(env)
    refs, clock = await _prepare(plan, cast, settings, env, out)
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(serving(env, settings.data_dir, port))
        scene = Scene(
            cast=cast,
            refs=refs,
            clock=DomainClock(clock),
            rate=clock.rate,
            tally=Tally(insider=cast.insider),
            issuer=local_issuer(settings),
            running=running,
            out=out,
            begun=begun,
        )
        out.print(
            f"serving on {running.base_url}, time passes {scene.rate:.0f} times as fast "
            f"({_since(scene)})"
        )
        verdict = await _play(scene)
        held = await _close(scene, settings, verdict)
        await _rehearse(scene)
        if plan.keeps_serving:
            await _links(scene)
            out.print("serving until Ctrl-C")
            await _until_interrupted()
    return held


async def _prepare(
    plan: Plan, cast: Cast, settings: Settings, env: dict[str, str], out: Console
) -> tuple[dict[int, str], Rate]:
    out.print(
        f"a support floor in {plan.data_dir}: {plan.customers} customers, {plan.agents} agents"
    )
    migrate.upgrade(database_url(settings))
    begun = monotonic()
    history = cast.floor.history(cast.warm_up)
    rate = plan.rate or pace(len(history.events), monotonic() - begun)
    # The CRM is made while the worker learns; nothing before the curtain needs it.
    async with services(settings.model_copy(update={"mapping_file": None})) as opened:
        await stage.write_baseline(opened, history)
        out.print(
            f"detectors learn from {len(history.events)} events of {len(cast.warm_up)} earlier days"
        )
        async with learning(settings, env) as file:
            stage.write_crm(settings.data_dir, cast)
            refs = await stage.populate(opened, cast)
            size, _ = await opened.readers.read(lambda view: view.head())
            await caught_up(file, size)
        clock = await stage.set_clock(opened, cast, rate=rate, in_s=CURTAIN_S)
    return refs, clock


def pace(events: int, took_s: float) -> float:
    """How fast a day may pass here, by how fast this machine just made `events`.

    A day that passes faster than its requests can be answered runs late: nothing is lost, but
    agents then work after hours, which is what detectors notice.
    """
    share = events / took_s / QUIET_EVENTS_PER_S
    return max(SLOWEST, min(FASTEST, round(FASTEST * share, -1)))


async def _play(scene: Scene) -> analyst.Verdict | None:
    """The day and, beside it, the analyst; None: there was nothing for her to review."""
    limits = httpx2.Limits(max_connections=64, max_keepalive_connections=64)
    async with httpx2.AsyncClient(
        base_url=scene.running.base_url, limits=limits, timeout=30
    ) as client:
        day = Day(
            client=client,
            clock=scene.clock,
            rate=scene.rate,
            tokens=_tokens(scene),
            sync_token=_token(scene, SYNC),
            refs=scene.refs,
            tally=scene.tally,
        )
        reviewing = asyncio.create_task(_review(client, scene))
        showing = asyncio.create_task(_show(scene))
        try:
            await day.play(scene.cast.actions)
            return await asyncio.wait_for(reviewing, timeout=REVIEW_S)
        except TimeoutError:
            return None
        finally:
            reviewing.cancel()
            showing.cancel()
            await asyncio.gather(reviewing, showing, return_exceptions=True)


async def _review(client: httpx2.AsyncClient, scene: Scene) -> analyst.Verdict:
    verdict = await analyst.review(client, _token(scene, ANALYST), scene.clock, scene.tally)
    out = scene.out
    out.print(f"the analyst confirmed a {verdict.severity} alert ({_since(scene)}):")
    for reason in verdict.reasons:
        out.print(f"  - {reason}")
    await scene.tally.stopped.wait()
    out.print(f"suspended: the next request of {verdict.agents[0]} was refused ({_since(scene)})")
    return verdict


def _tokens(scene: Scene) -> Mapping[str, str]:
    """A token per desk; the AI agent's says for whom it acts."""
    tokens = {}
    for profile in scene.cast.floor.agents:
        is_ai = profile.kind == "ai"
        subject = BOT_OWNER if is_ai else profile.agent_id
        act = profile.agent_id if is_ai else None
        tokens[profile.agent_id] = _token(scene, subject, act=act)
    return tokens


def _token(scene: Scene, subject: str, *, act: str | None = None) -> str:
    grant = Grant(
        sub=subject,
        tenant=TENANT,
        client="desktop" if act is None else "assistant",
        scopes=tuple(sorted(ALL)),
        act=act,
        life_s=TOKEN_S,
    )
    return scene.issuer.mint(grant)


async def _show(scene: Scene) -> None:
    """How far the day is: a line that changes on a terminal, now and then a new one elsewhere."""
    if not scene.out.is_terminal:
        while True:
            await asyncio.sleep(LINE_S)
            scene.out.print(_status(scene))
    with Live(Text(), console=scene.out, transient=True, auto_refresh=False) as live:
        while True:
            live.update(Text(_status(scene)), refresh=True)
            await asyncio.sleep(LIVE_S)


def _status(scene: Scene) -> str:
    tally = scene.tally
    at = to_rfc3339(scene.clock.now())[11:16]
    refused = sum(tally.refused.values())
    return f"{at} UTC on the floor: {tally.served} views served, {refused} refused"


async def _close(scene: Scene, settings: Settings, verdict: analyst.Verdict | None) -> bool:
    """Say what the day came to, and whether it is as it must be."""
    found = await asyncio.to_thread(accounts.close, settings)
    tally, out, insider = scene.tally, scene.out, scene.cast.insider
    refused = sum(tally.refused.values())
    seen = found.views - found.refunds
    size, root = found.verified.size, found.verified.root
    for what, came_to in (
        ("views served", f"{tally.served}, refused {refused} (honest: {tally.honest_refused})"),
        ("their entries in the ledger", f"{seen}, refusals {found.refusals}"),
        ("ledger verified", f"{size} entries, root {root}"),
        ("seen without reason", f"{len(tally.taken)} customers, before the stop"),
        ("false alerts", f"{found.false_alerts(insider)}"),
        ("took", _since(scene)),
    ):
        out.print(f"{what:28} {came_to}", soft_wrap=True)
    checks = {
        "an alert about the insider was confirmed": verdict is not None
        and verdict.agents == (insider,)
        and bool(verdict.reasons),
        "she was cut to explained views": tally.refused[EXPLAINED_ONLY] > 0,
        "after the suspension she was refused": tally.refused[SUSPENDED] > 0,
        "the ledger agrees with what the desks counted": found.agrees_with(tally),
        "no request was left unanswered": tally.unavailable == 0,
        "the ledger was verified under a signed checkpoint": found.verified.checkpoint_size
        is not None,
    }
    for what, held in checks.items():
        out.print(f"{'ok  ' if held else 'FAIL'} {what}")
    return all(checks.values())


async def _rehearse(scene: Scene) -> None:
    """Say what a stricter policy would have done to this day."""
    async with httpx2.AsyncClient(base_url=scene.running.base_url, timeout=30) as client:
        sentence = await rehearse(client, _token(scene, ANALYST))
    scene.out.print(f"a stricter policy            {BECAUSE}", soft_wrap=True)
    scene.out.print(f"  {sentence}", soft_wrap=True)


async def _links(scene: Scene) -> None:
    """Sign-in links for three people, each good once and for five minutes."""
    agent = next(a for a in scene.cast.floor.front_line() if a != scene.cast.insider)
    async with httpx2.AsyncClient(base_url=scene.running.base_url) as client:
        for who, name in (("analyst", ANALYST), ("auditor", AUDITOR), ("agent", agent)):
            headers = {"authorization": f"Bearer {_token(scene, name)}"}
            answer = await client.post("/v1/sign-in-tickets", headers=headers)
            answer.raise_for_status()
            link = sign_in_link(HOST, scene.running.port, answer.json()["ticket"])
            scene.out.print(f"{who:8} {link}", soft_wrap=True)


async def _until_interrupted() -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    await stop.wait()


def _since(scene: Scene) -> str:
    return f"{monotonic() - scene.begun:.0f} s"
