"""What it costs to redact a note of 64 KiB, beside a bare `re.sub` over the same text.

    python -m benchmarks.mask_notes [--rounds 9]

Prints Markdown: the best of all rounds in milliseconds of processor time, and as a multiple of the
bare pass, which says more on a busy machine. The hostile texts are runs, nested digits
and invisible characters; those that are no prose are redacted whole, which is said.
"""

import argparse
import re
import time
from collections.abc import Callable

from guard.masking import REDACTED
from guard.masking.prose import redact
from guard.rows import RawRecord

SIZE = 65_536
BARE = re.compile(r"[0-9]{7,}")

RECORD = RawRecord(
    {
        "full_name": "Maria Gonzalez",
        "email": "maria@example.org",
        "phone": "+49 170 1234567",
        "iban": "DE89370400440532013000",
        "address": {"street": "12 Elm Row", "city": "Springfield"},
        "cards": [{"number": "4111111111111111"}],
    }
)

PROSE = (
    "Spoke to the customer about the delivery that did not come. She says the driver rang at the"
    " wrong door and left. Offered a refund of 30 euro or a new delivery on Friday; she takes the"
    " second. Told her that the shop will write once the parcel is on its way again. "
)
DENSE = (
    "Maria Gonzalez called on 3 Feb 2026 about card 4111 1111 1111 1111, IBAN DE89 3704 0044 0532"
    " 0130 00; mail maria@example.org, phone +49 170 1234567, from 192.0.2.7, order 4711-AX. "
)
TEXTS = {
    "ordinary note": PROSE * 9 + DENSE,
    "note in Cyrillic": "Клиентка Мария Гонсалес звонила утром: доставка снова не пришла. " * 9
    + DENSE,
    "nothing but identifiers": DENSE,
    "one digit": "1",
    "one letter": "a",
    "nested digits": "1(1)-1.",
    "numbers": "12345678, ",
    "mixed words": "1a1a ",
    "false account numbers": "DE89 ",
    "digits with invisible characters": "1\u200b",
    "digits with accents": "1\u0301",
    "at signs": "a@",
    "dates": "jan 1 ",
    "colons": "a:",
    "account numbers": "NO9386011117947 ",
    "wallets": "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa ",
    "IPv6 addresses": "2001:db8::1 ",
    "own values": "Maria Gonzalez, 12 Elm Row; ",
    "one own value": "maria ",
    "Arabic digits": "\u0661\u0662, ",
    "Korean": "\ud55c\uae00 ",
    "stacked marks": "\u0301\u0323",
    "numbers among accents": "4712345\u00e9 ",
}


def filled(unit: str) -> str:
    """`unit` over and over, up to 64 KiB of UTF-8."""
    whole = unit * (SIZE // len(unit.encode()) + 1)
    return whole.encode()[:SIZE].decode(errors="ignore")


def best(work: Callable[[], object], rounds: int) -> float:
    """The shortest of `rounds`, in milliseconds of processor time."""
    taken = []
    for _ in range(rounds):
        started = time.process_time()
        work()
        taken.append(time.process_time() - started)
    return 1_000 * min(taken)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    print("| 64 KiB of | bare `re.sub`, ms | redacted, ms | ratio | |")
    print("| --- | --- | --- | --- | --- |")
    for name, unit in TEXTS.items():
        text = filled(unit)
        bare = best(lambda text=text: BARE.sub("", text), rounds)  # type: ignore[misc]  # bound now
        whole = best(lambda text=text: redact(text, RECORD), rounds)  # type: ignore[misc]  # bound now
        note = "redacted whole" if redact(text, RECORD) == REDACTED else ""
        print(f"| {name} | {bare:.1f} | {whole:.1f} | {whole / bare:.0f} | {note} |")


if __name__ == "__main__":
    main()
