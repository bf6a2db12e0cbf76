"""Tries a stricter policy on the day that has just passed, before anybody has to live with it.

The analyst proposes the shipped bundle with one change: who opens a customer without a case says in
a few words why. It is linted, kept and backtested over every entry of the ledger through the API;
it comes into force for nobody, since that takes a second person.
"""

import httpx2

from api.bootstrap import open_bundle

BECAUSE = "a customer without a case is opened with a word of why"
# The permit that the change makes idle, and the rule that takes its place.
IDLE = '@id("support-unexplained-without-reason")'
FILE = "say_why.cedar"
SAY_WHY = """\
@id("say-why-without-a-case")
@reason("no case of yours explains this view: say in a few words what it is for")
forbid (principal, action == Action::"Admit", resource == Request::"view")
when {
  context.purpose == Purpose::"support_case" &&
  [Link::"pending", Link::"stale", Link::"self_opened", Link::"none"].contains(context.link) &&
  !context.reason_given
};
"""


def stricter() -> dict[str, str]:
    """The shipped bundle with the change, each file's text by its name."""
    files = {name: content.decode() for name, content in open_bundle(None).files.items()}
    text = files["admit.cedar"]
    start = text.index(IDLE)
    files["admit.cedar"] = text[:start] + text[text.index(";", start) + 1 :]
    return files | {FILE: SAY_WHY}


async def rehearse(client: httpx2.AsyncClient, token: str) -> str:
    """Propose the stricter policy and backtest it; what it comes to, in one sentence."""
    headers = {"authorization": f"Bearer {token}"}
    body = {"files": stricter(), "because": BECAUSE}
    proposed = await client.post("/v1/policies", json=body, headers=headers)
    proposed.raise_for_status()
    path = f"/v1/policies/{proposed.json()['id']}/backtest"
    report = await client.post(path, json={}, headers=headers)
    report.raise_for_status()
    return str(report.json()["sentence"])
