"""Sequences of acts by several people on a few trapped customers, and who may have seen what.

`Play` draws acts at random from a seed and carries them out over HTTP. It keeps a book of its own
about what was granted: who has which case, who is under suspicion, which customer is present. From
every answer it takes out the fields that are shown as they are, once the book agrees that this very
act may show them; what is left must hold no canary at all.
"""

import json
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx2
import numpy as np

from guard.findings import Finding, FindingKind, Severity
from guard.rows import OutboxItem
from tests.functional.canaries import Evidence
from tests.support.makers import TENANT
from tests.support.service import AGENTS, AUDITOR, BOT, SYNC, Record, Service

FRAUD, SENIOR = "fraud-1", "senior-1"
PLAYERS = (*AGENTS[:2], FRAUD, SENIOR)
# Of the customers of a play, by their place.
VIP, FOREIGN = 2, 3
# The most that a class is ever shown as it is, in a view, by the shipped policy.
OPEN_CLASSES = {"profile", "journey"}
CASE_CLASSES = OPEN_CLASSES | {"identity", "contact", "address"}
PURPOSES = ("support_case", "support_case", "support_case", "fraud_review", "onboarding")
ODD_PURPOSES = ("outreach", "quality_review", "break_glass", "investigation", "ai_session", "x")
CHANNELS = {"support_case": "phone", "fraud_review": "fraud", "onboarding": "kyc"}
HOWS = ("inbound", "inbound", "escalation", "queue", "self")
ODD_FIELDS = ("address", "cards", "cards[]", "cards[0].number", "address.gate_code", "*", "e*")
TRICKS = ("sort=email", "order=iban", "filter=email", "prefix=a", "q=a", "fields=email", "limit=1")
# As `customer-verifications-hour` of the shipped policy has it.
TRIES_OF_A_CUSTOMER = 8


@dataclass(slots=True)
class Book:
    """What was granted to whom, in the test's own words."""

    # (who, customer, purpose) -> how the live cases came to them.
    cases: dict[tuple[str, str, str], set[str]] = field(default_factory=dict)
    present: set[tuple[str, str]] = field(default_factory=set)
    ties: set[tuple[str, str]] = field(default_factory=set)
    suspected: set[str] = field(default_factory=set)
    # entry id -> (who, customer, purpose) of a view.
    views: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    tries: Counter[str] = field(default_factory=Counter)

    def may_open(self, who: str, view: str, cls: str, *, is_vip: bool) -> bool:
        """Whether a reveal on a view may open a class of fields."""
        viewer, ref, purpose = self.views.get(view, ("", "", ""))
        if viewer != who or who in self.suspected or (who, ref) in self.ties:
            return False
        if is_vip and who not in {FRAUD, SENIOR}:
            return False
        hows = self.cases.get((who, ref, purpose), set()) - {"self"}
        hows &= {"queue"} if purpose != "support_case" else hows
        if cls == "financial":
            return bool(hows) and (who == FRAUD or (who, ref) in self.present)
        if cls == "free_text":
            return bool(hows & {"inbound", "queue"})
        if cls == "secret":
            return bool(hows) and (who, ref) in self.present and who in {FRAUD, SENIOR}
        return bool(hows) and cls in CASE_CLASSES


@dataclass(slots=True)
class Play:
    """One sequence of acts."""

    service: Service
    rows: Sequence[Record]
    canaries: Sequence[str]
    rng: np.random.Generator
    book: Book = field(default_factory=Book)
    evidence: Evidence = field(default_factory=Evidence)
    faults: list[str] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    numbers: int = 0

    def one(self, among: Sequence[Any]) -> Any:  # noqa: ANN401 - one of whatever is given
        """One of several."""
        return among[int(self.rng.integers(0, len(among)))]

    def who(self) -> str:
        """Somebody."""
        return str(self.one(PLAYERS))

    def ref(self) -> str:
        """Some customer."""
        return str(self.one(self.service.refs))

    def pair(self) -> tuple[str, str]:
        """Somebody and a customer: mostly one of whom they have a case."""
        if self.book.cases and self.rng.random() < 0.6:
            who, ref, _ = self.one(tuple(self.book.cases))
            return who, ref
        return self.who(), self.ref()

    def word(self) -> str:
        """A value of some customer, whole or in part, as somebody would try it."""
        text = str(self.one(self.canaries))
        cut = int(self.rng.integers(1, len(text)))
        return str(self.one((text, text[:cut], text[cut:], text[:4] + "*", text[::-1], text + "%")))

    async def act(self) -> None:
        """Draw one act and carry it out."""
        acts: tuple[Callable[[], Awaitable[None]], ...] = (
            self.view, self.view, self.view, self.ai_view, self.reveal, self.reveal, self.reveal,
            self.queue, self.search, self.search, self.verify, self.contact, self.case, self.case,
            self.arrive, self.tie, self.suspect, self.misuse, self.read,
        )  # fmt: skip
        await self.one(acts)()

    def keep(self, what: str, answer: httpx2.Response, content: object = None) -> None:
        """Put an answer, or what is left of its body, to the evidence."""
        self.done[f"{what} {answer.status_code}"] += 1
        head = "".join(f"{name}: {value}\n" for name, value in answer.headers.items())
        body = answer.text if content is None else json.dumps(content, ensure_ascii=False)
        self.evidence.add(f"{what} {answer.status_code}", (head + body).encode())

    async def post(self, path: str, who: str, body: object) -> httpx2.Response:
        """One request; some of them with a parameter that a list would be sorted by."""
        trick = "?" + str(self.one(TRICKS)) if self.rng.random() < 0.2 else ""
        return await self.service.ask("POST", path + trick, who, body)

    # What they do

    async def view(self) -> None:
        """See a record, for a purpose that fits or not."""
        who, ref = self.pair()
        purpose = str(self.one(PURPOSES if self.rng.random() < 0.8 else ODD_PURPOSES))
        body: dict[str, object] = {"customer": ref, "purpose": purpose}
        if self.rng.random() < 0.4:
            body["reason"] = "the caller asks for it"
        if self.rng.random() < 0.2:
            body["fields"] = [str(self.one(self.paths() + ODD_FIELDS)) for _ in range(3)]
        answer = await self.post("/v1/views", who, body)
        if answer.is_success:
            self.book.views[answer.json()["receipt"]["entry_id"]] = (who, ref, purpose)
        self.shown("view", answer, ref, OPEN_CLASSES.__contains__)

    async def ai_view(self) -> None:
        """See a record as an AI agent for somebody."""
        who, ref = self.who(), self.ref()
        body = {"customer": ref, "purpose": "ai_session"}
        headers = self.service.tokens.header(who, act=BOT)
        answer = await self.service.client.post("/v1/views", json=body, headers=headers)
        self.shown("ai view", answer, ref, lambda _: False)

    async def reveal(self) -> None:
        """Open fields of a view of one's own, or of somebody else's."""
        if not self.book.views:
            return
        views = tuple(self.book.views)
        good = tuple(v for v in views if self.book.views[v] in self.book.cases)
        view = str(self.one(good if good and self.rng.random() < 0.7 else views))
        viewer, ref, _ = self.book.views[view]
        who = viewer if self.rng.random() < 0.8 else self.who()
        fields = [str(self.one(self.paths() + ODD_FIELDS)) for _ in range(3)]
        body = {"fields": fields, "reason": "the caller asks for it"}
        answer = await self.post(f"/v1/views/{view}/reveals", who, body)
        is_vip = ref == self.service.refs[VIP]
        self.shown("reveal", answer, ref, lambda c: self.book.may_open(who, view, c, is_vip=is_vip))

    async def queue(self) -> None:
        """List some customers, among them one that is nobody."""
        refs = [self.ref() for _ in range(3)] + [self.word()[:20]]
        body = {"customers": refs, "purpose": str(self.one(PURPOSES))}
        answer = await self.post("/v1/views:batch", self.who(), body)
        if answer.is_success:
            content = answer.json()
            for ref, one in zip(refs, content["customers"], strict=True):
                # The reference is what the caller sent.
                assert one.pop("customer") == ref
                self.covered("queue", one, ref, lambda _: False)
            self.keep("queue", answer, content)
        else:
            self.keep("queue", answer)

    async def search(self) -> None:
        """Look somebody up by what is whole, cut, or a pattern."""
        kind = str(self.one(("email", "account", "phone", "name_birth_date", "iban", "full_name")))
        value = self.word() if self.rng.random() < 0.5 else str(self.one(self.rows)["email"])
        body = {"kind": kind, "value": value, "purpose": str(self.one(PURPOSES))}
        answer = await self.post("/v1/searches", self.who(), body)
        self.keep("search", answer)
        found = answer.json().get("customer") if answer.is_success else None
        exact = {str(row["email"]): ref for row, ref in self.known()}
        if found is not None and exact.get(value) != found:
            self.faults.append("a search found somebody by less than the whole value")

    async def verify(self) -> None:
        """Check a claim."""
        who, ref = self.pair()
        name, part = self.one(self.paths()), self.one(("full", "last4", "year", "first4", "prefix"))
        rules = self.service.services.bundle.catalogue.fields
        if self.rng.random() < 0.7:
            name = self.one([path for path, rule in rules.items() if rule.verify])
            part = self.one(sorted(rules[name].verify))
        body = {"customer": ref, "field": str(name), "part": str(part)}
        body |= {"claim": self.word(), "purpose": str(self.one(PURPOSES))}
        answer = await self.post("/v1/verifications", who, body)
        self.keep("verify", answer)
        self.book.tries[ref] += answer.is_success
        if self.book.tries[ref] > TRIES_OF_A_CUSTOMER:
            self.faults.append("more tries at one customer than the policy allows")

    async def contact(self) -> None:
        """Write or call."""
        who, ref = self.pair()
        body: dict[str, object] = {"customer": ref, "purpose": str(self.one(PURPOSES))}
        body |= self.one(
            (
                {"channel": "mail", "subject": "Your order", "text": "Soon.", "cc": [self.ref()]},
                {"channel": "call"},
                {"channel": "message", "text": "Soon."},
            )
        )
        self.keep("contact", await self.post("/v1/contacts", who, body))

    async def case(self) -> None:
        """A case reaches somebody."""
        who, ref = self.who(), self.ref()
        how, purpose = str(self.one(HOWS)), str(self.one(PURPOSES))
        self.numbers += 1
        changes = {"how": how, "channel": CHANNELS[purpose]}
        body = self.service.case_body(ref, who, **changes)
        if how == "self":
            body["opened_by"] = who
        answer = await self.service.ask("PUT", f"/v1/cases/c-{self.numbers}", SYNC, body)
        self.keep("case", answer)
        # A case of any channel explains support. What comes out of a queue, by its channel or as
        # it is assigned, explains the work on queues too (docs/purposes.md).
        explained = {"support_case", purpose, *(CHANNELS if how == "queue" else ())}
        for one in sorted(explained):
            hows = self.book.cases.setdefault((who, ref, one), set())
            hows.update({how} if one == "support_case" else {how, "queue"})

    async def arrive(self) -> None:
        """A customer reads a code out to somebody."""
        who, ref = self.pair()
        made = await self.service.ask("POST", "/v1/presence/codes", SYNC, {"customer": ref})
        self.keep("code", made)
        if made.is_success:
            body = {"customer": ref, "code": made.json()["code"]}
            answer = await self.post("/v1/presence", who, body)
            self.keep("presence", answer)
            if answer.is_success:
                self.book.present.add((who, ref))

    async def tie(self) -> None:
        """Somebody turns out to know a customer; rarely, or nobody could work."""
        if self.rng.random() < 0.15:
            who, ref = self.who(), self.ref()
            body = {
                "principal": who,
                "customer": ref,
                "tie": str(self.one(("family", "colleague"))),
            }
            answer = await self.service.ask("PUT", "/v1/ties", SYNC, body)
            self.keep("tie", answer)
            self.book.ties.add((who, ref))

    async def suspect(self) -> None:
        """The response ladder climbs for somebody; rarely too."""
        if self.rng.random() < 0.1:
            who = self.who()
            self.numbers += 1
            item = OutboxItem(position=self.numbers, tenant=TENANT, finding=_finding(who))
            await self.service.services.alerts.apply("play", [item])
            self.book.suspected.add(who)

    async def misuse(self) -> None:
        """Send a customer's value where it does not belong."""
        word, ref = self.word(), self.ref()
        path, body = self.one(
            (
                (f"/v1/views/{word[:12]}/reveals".replace("%", ""), {"fields": [word]}),
                ("/v1/views", {"customer": ref, "purpose": word}),
                ("/v1/searches", {"kind": word, "value": word, "purpose": "support_case"}),
                ("/v1/verifications", {"customer": word, "field": word, "part": word}),
                ("/v1/contacts", {"customer": word, "channel": word, word: word}),
                ("/v1/merges", {"keep": ref, "merge": word, "case": word, "reason": word}),
                ("/v1/redactions", {"customer": ref, "text": word}),
                ("/v1/break-glass", {"customer": word, "reason_code": word, "text": word}),
                ("/v1/presence", {"customer": ref, "code": word}),
            )
        )
        self.keep("misuse", await self.post(str(path), self.who(), body))

    async def read(self) -> None:
        """Read what there is to read beside records."""
        who = self.who()
        for path in ("/v1/quota", "/v1/cases/mine?sort=customer", "/v1/notices"):
            self.keep(path, await self.service.ask("GET", path, who))
        path = f"/v1/log/views?customer={self.ref()}"
        self.keep("log", await self.service.ask("GET", path, AUDITOR))

    # What they may have seen

    def paths(self) -> tuple[str, ...]:
        """The fields of the catalogue."""
        return tuple(self.service.services.bundle.catalogue.fields)

    def known(self) -> list[tuple[Record, str]]:
        """Every record with its reference."""
        return list(zip(self.rows, self.service.refs, strict=True))

    def shown(
        self, what: str, answer: httpx2.Response, ref: str, may: Callable[[str], bool]
    ) -> None:
        """Keep what an answer shows beside what `may` be shown as it is."""
        if not answer.is_success:
            self.keep(what, answer)
            return
        content = answer.json()
        self.covered(what, content, ref, may)
        self.keep(what, answer, content)

    def covered(
        self, what: str, content: dict[str, Any], ref: str, may: Callable[[str], bool]
    ) -> None:
        """Take out of an answer what may be there; the rest stays, to be searched."""
        for note in content.get("fields", ()):
            if note["form"] != "plain":
                continue
            self.done[f"{what} plain {note['class']}"] += 1
            if not may(note["class"]):
                self.faults.append(f"{what} shows {note['path']} as it is")
                continue
            row = next(row for row, known in self.known() if known == ref)
            # Where a structure stands for one value a part of it may be shown: of this field only.
            # A note writes the same values in small letters and capitals too.
            text = json.dumps(_taken(content["record"], note["path"])).lower()
            own = json.dumps(_values(row, note["path"])).lower()
            for canary in map(str.lower, self.canaries):
                text = text.replace(canary, "") if canary in own else text
            self.evidence.add(f"{what} opened", text.encode())


def _values(record: object, path: str) -> list[object]:
    """What stands at a path, in every item of its lists."""
    name, _, rest = path.partition(".")
    inner = record.get(name.removesuffix("[]")) if isinstance(record, dict) else None
    items = inner if name.endswith("[]") and isinstance(inner, list) else [inner]
    return [v for item in items for v in (_values(item, rest) if rest else [item])]


def _taken(record: object, path: str) -> list[object]:
    """The same, taken out of the record."""
    found = _values(record, path)
    parent, _, leaf = path.rpartition(".")
    for holder in _values(record, parent) if parent else [record]:
        if isinstance(holder, dict):
            holder.pop(leaf, None)
    return found


def _finding(agent: str) -> Finding:
    return Finding(
        key=f"agent:{agent}",
        kind=FindingKind.AGENT,
        raised_at=1,
        first_event_at=1,
        agent_ids=(agent,),
        score=9.0,
        severity=Severity.HIGH,
        channels=("unexplained",),
        reasons=("24 of 31 views have no case",),
        contributions=(("unexplained", 1.0),),
        evidence=(0,),
    )
