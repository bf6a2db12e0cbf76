"""A scripted analyst: reads the alerts as the console shows them, and does what a person would.

She knows pseudonyms only. She waits for a critical alert, reads its reasons, lets the ladder's own
step (explained-only) show its effect, suspends the agent behind the alert for a review, confirms
the alert, and only then learns the name.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2

from api.cli.demo.tally import Tally
from guard.clock import DAY, Clock, to_rfc3339

POLL_S = 0.2
SUSPENDED_FOR = 29 * DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the analyst saw and did. `agents` are names, shown once the alert was confirmed."""

    alert_id: str
    pseudonyms: tuple[str, ...]
    agents: tuple[str, ...]
    severity: str
    score: float
    reasons: tuple[str, ...]


async def review(client: httpx2.AsyncClient, token: str, clock: Clock, tally: Tally) -> Verdict:
    """Wait for a critical alert and see it through to a confirmed suspension."""
    headers = {"authorization": f"Bearer {token}"}
    alert = await _critical(client, headers)
    path = f"/v1/alerts/{alert['id']}"
    await _ask(client, "PATCH", path, headers, {"state": "acknowledged"})
    await tally.cut.wait()
    for pseudonym in alert["agents"]:
        body = {
            "alert": alert["id"],
            "pseudonym": pseudonym,
            "reason": "views far beyond the caseload that nothing explains; a review is under way",
            "ends_at": to_rfc3339(clock.now() + SUSPENDED_FOR),
        }
        await _ask(client, "POST", "/v1/suspensions", headers, body)
    note = "the views follow each other like photographs and no case, call or list leads to them"
    patch = {"state": "confirmed", "label": "malicious", "note": note}
    confirmed = await _ask(client, "PATCH", path, headers, patch)
    return Verdict(
        alert_id=str(alert["id"]),
        pseudonyms=tuple(alert["agents"]),
        agents=tuple(confirmed["agents"]),
        severity=str(confirmed["severity"]),
        score=float(confirmed["score"]),
        reasons=tuple(confirmed["reasons"]),
    )


async def _critical(client: httpx2.AsyncClient, headers: dict[str, str]) -> dict[str, Any]:
    while True:
        page = await _ask(client, "GET", "/v1/alerts?state=open", headers, None)
        for alert in page["alerts"]:
            if alert["severity"] == "critical" and alert["kind"] == "agent":
                found: dict[str, Any] = alert
                return found
        await asyncio.sleep(POLL_S)


async def _ask(
    client: httpx2.AsyncClient,
    method: str,
    path: str,
    headers: dict[str, str],
    body: Mapping[str, object] | None,
) -> dict[str, Any]:
    answer = await client.request(method, path, json=body, headers=headers)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found
