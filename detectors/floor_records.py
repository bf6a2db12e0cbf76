"""Made-up customer records for demo, tests and benchmarks: realistic in shape, of nobody.

Names are put together from parts in several scripts (`floor_names.toml`), mail goes to the reserved
example domains, telephone numbers lie in ranges set aside for fiction or are shaped like none in
use, card numbers are from test ranges with a valid check digit, IBANs have valid check digits and
bank codes that no bank has. Notes mention the customer's own number, mail or name at times, as real
notes do: that is what masking must cope with.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import numpy as np

DOMAINS = ("example.com", "example.net", "example.org")
PLANS = ("basic", "plus", "business")
LANGUAGES: Mapping[str, str] = {
    "GB": "en", "US": "en", "DE": "de", "PL": "pl", "GR": "el", "BG": "bg", "IN": "hi",
    "TW": "zh", "AE": "ar",
}  # fmt: skip
# Digits behind `#` are random. 555-01xx (US) and the UK's 01632 960 are set aside for fiction; the
# others keep a country's shape with a subscriber part of zeros in front.
PHONES: Mapping[str, str] = {
    "GB": "+44 1632 960###",
    "US": "+1 ##2-555-01##",
    "DE": "+49 30 0000 ####",
    "PL": "+48 00 000 ## ##",
    "GR": "+30 21 0000 ####",
    "BG": "+359 2 000 ####",
    "IN": "+91 00000 0####",
    "TW": "+886 2 0000 ####",
    "AE": "+971 4 000 ####",
}
IBAN_LENGTHS: Mapping[str, int] = {"GB": 22, "DE": 22, "PL": 28, "GR": 27, "BG": 22, "AE": 23}
# (brand, test prefix, length)
CARDS = (
    ("visa", "411111", 16),
    ("visa", "400000", 16),
    ("mastercard", "555555", 16),
    ("mastercard", "222300", 16),
    ("amex", "378282", 15),
)
DOCUMENTS = ("passport", "identity_card", "driving_licence")
ITEMS = ("router", "prepaid card", "phone case", "roaming pack", "headset", "tablet", "charger")
OPENED = date(2012, 1, 1)
BORN = date(1938, 1, 1)
ORDERED = date(2026, 1, 1)

NOTES = (
    "called about an invoice, wants a call back on {phone} after six",
    "asked to send the contract to {email} once more",
    "{name} moved house in spring; the old address is still on the parcel label",
    "prefers chat; do not call before noon",
    "says that the card ending {last4} was charged twice",
    "identity checked by document {document}",
    "complained about delivery, voucher given",
    "spouse may ask on behalf, consent on file",
    "",
)


@dataclass(frozen=True, slots=True)
class _Script:
    country: str
    given: Sequence[tuple[str, str]]
    family: Sequence[tuple[str, str]]
    streets: Sequence[str]
    cities: Sequence[str]


class _Dice:
    """Draws for one record."""

    def __init__(self, seed: int, number: int) -> None:
        self.rng = np.random.default_rng([seed, number])

    def below(self, n: int) -> int:
        return int(self.rng.integers(0, n))

    def digits(self, n: int) -> str:
        return "".join(str(self.below(10)) for _ in range(n))

    def day(self, first: date, span: int) -> date:
        return first + timedelta(days=self.below(span))


def crm_rows(seed: int, n: int) -> list[dict[str, object]]:
    """Rows of a CRM for customers 1 to `n`, each a pure function of `seed` and its number."""
    return [_row(seed, number) for number in range(1, n + 1)]


def luhn_digit(digits: str) -> str:
    """The check digit that makes `digits` a valid card number."""
    total = 0
    for i, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if i % 2 == 0 else 1)
        total += value - 9 if value > 9 else value  # noqa: PLR2004 - a two-digit product
    return str(-total % 10)


def iban(country: str, account: str) -> str:
    """An IBAN with its check digits; `account` in digits and capital letters."""
    as_number = "".join(str(int(c, 36)) for c in account + country + "00")
    return f"{country}{98 - int(as_number) % 97:02d}{account}"


def _row(seed: int, number: int) -> dict[str, object]:
    dice = _Dice(seed, number)
    scripts = _scripts()
    script = scripts[dice.below(len(scripts))]
    given, given_latin = script.given[dice.below(len(script.given))]
    family, family_latin = script.family[dice.below(len(script.family))]
    is_family_first = script.country == "TW"
    name = family + given if is_family_first else f"{given} {family}"
    email = f"{given_latin}.{family_latin}{number}@{DOMAINS[dice.below(len(DOMAINS))]}"
    phone = "".join(dice.digits(1) if c == "#" else c for c in PHONES[script.country])
    cards = [_card(dice) for _ in range(1 + dice.below(2))]
    document = f"X{dice.digits(8)}"
    words = {
        "phone": phone,
        "email": email,
        "name": name,
        "last4": str(cards[0]["number"])[-4:],
        "document": document,
    }
    return {
        "customer_id": number,
        "full_name": name,
        "email": email,
        "phone": phone,
        "birth_date": dice.day(BORN, 25_000).isoformat(),
        "national_id": f"{script.country}-000-{dice.digits(7)}",
        "address": _address(dice, script),
        "balance_minor": dice.below(900_000) if dice.below(3) else dice.below(12_000),
        "iban": _iban(dice, script.country),
        "id_document": {
            "kind": DOCUMENTS[dice.below(len(DOCUMENTS))],
            "number": document,
            "image_url": f"https://documents.example.com/{seed}/{number}.jpg",
        },
        "notes": _notes(dice, words),
        "preferences": {"language": LANGUAGES[script.country], "marketing": not dice.below(3)},
        "plan": PLANS[dice.below(len(PLANS))],
        "member_since": dice.day(OPENED, 5000).isoformat(),
        "cards": cards,
        "last_orders": [_order(dice) for _ in range(dice.below(4))],
    }


def _notes(dice: _Dice, words: Mapping[str, str]) -> str:
    first = dice.below(len(NOTES))
    second = (first + 1 + dice.below(len(NOTES) - 1)) % len(NOTES)
    return "; ".join(filter(None, (NOTES[i].format(**words) for i in (first, second))))


def _address(dice: _Dice, script: _Script) -> dict[str, str]:
    return {
        "street": f"{script.streets[dice.below(len(script.streets))]} {1 + dice.below(180)}",
        "city": script.cities[dice.below(len(script.cities))],
        "postcode": dice.digits(5),
        "country": script.country,
    }


def _iban(dice: _Dice, country: str) -> str:
    """Bank code of zeros or `TEST`, which no bank has; countries without one get a British."""
    country = country if country in IBAN_LENGTHS else "GB"
    bank = "TEST" if country in ("GB", "BG") else "0000"
    return iban(country, bank + dice.digits(IBAN_LENGTHS[country] - 4 - len(bank)))


def _card(dice: _Dice) -> dict[str, str]:
    brand, prefix, length = CARDS[dice.below(len(CARDS))]
    body = prefix + dice.digits(length - len(prefix) - 1)
    return {
        "brand": brand,
        "number": body + luhn_digit(body),
        "expiry": f"20{27 + dice.below(5)}-{1 + dice.below(12):02d}",
    }


def _order(dice: _Dice) -> dict[str, object]:
    return {
        "id": f"o-{dice.digits(8)}",
        "placed_on": dice.day(ORDERED, 300).isoformat(),
        "total_minor": 500 + dice.below(60_000),
        "item": ITEMS[dice.below(len(ITEMS))],
    }


@cache
def _scripts() -> tuple[_Script, ...]:
    with Path(__file__).with_name("floor_names.toml").open("rb") as file:
        table = tomllib.load(file)
    return tuple(
        _Script(
            country=s["country"],
            given=[(native, latin) for native, latin in s["given"]],
            family=[(native, latin) for native, latin in s["family"]],
            streets=s["streets"],
            cities=s["cities"],
        )
        for s in table["script"]
    )
