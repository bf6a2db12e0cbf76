"""The search itself: it finds every form of a canary, and nothing where there is none."""

import base64
from urllib.parse import quote

from tests.functional.canaries import LENGTH, RUN, Draw, Evidence, Searcher, forms

DRAW = Draw(3)
CANARIES = [DRAW.text() for _ in range(50)]
NUMBERS = [DRAW.digits(16) for _ in range(50)]
SEARCHER = Searcher([*CANARIES, *NUMBERS])
TEXT, NUMBER = CANARIES[17], NUMBERS[3]


def noise(seed: int, count: int) -> bytes:
    draw = Draw(seed)
    return "".join(draw.text() for _ in range(count)).encode()


def test_any_run_of_eight_is_found_in_any_form_at_any_place() -> None:
    evidence = Evidence()
    expected: set[str] = set()
    for start in range(LENGTH - RUN + 1):
        run = TEXT[start : start + RUN].encode()
        written = {
            "plain": run,
            "lower case": run.upper(),
            "backwards": run[::-1],
            "backwards, lower case": run[::-1].swapcase(),
            "hexadecimal": run.hex().upper().encode(),
            "percent-encoded": b"".join(b"%%%02X" % byte for byte in run),
        }
        for before in (b"", b"a", b"ab", b"abc"):
            encoded = before + run + b"behind"
            written[f"base64 behind {len(before)}"] = base64.b64encode(encoded)
            written[f"base64url behind {len(before)}"] = base64.urlsafe_b64encode(encoded)
        for name, content in written.items():
            label = f"{name} from {start}"
            expected.add(label)
            evidence.add(label, noise(start, 3)[:13] + content + b"yy")
    assert {finding.label for finding in SEARCHER.search(evidence)} == expected


def test_a_shorter_run_is_what_masks_may_show_and_noise_is_no_finding() -> None:
    evidence = Evidence()
    for start in range(LENGTH - RUN + 2):
        evidence.add(f"from {start}", TEXT[start : start + RUN - 1].encode())
    evidence.add("noise", noise(4, 5_000))
    evidence.add("encoded noise", base64.b64encode(noise(5, 5_000)))
    evidence.add("numbers", Draw(6).digits(100_000).encode())
    assert SEARCHER.search(evidence) == set()


def test_numbers_are_found_by_twelve_digits_and_not_by_eight() -> None:
    evidence = Evidence()
    evidence.add("twelve", NUMBER[2:14].encode())
    evidence.add("eight", NUMBER[2:10].encode())
    assert {(f.form, f.label) for f in SEARCHER.search(evidence)} >= {("plain", "twelve")}
    assert {f.label for f in SEARCHER.search(evidence)} == {"twelve"}


def test_a_find_names_the_piece_in_which_it_begins() -> None:
    evidence = Evidence()
    for n in range(5):
        evidence.add(f"piece {n}", TEXT.encode() if n == 3 else noise(n, 2))
    assert {finding.label for finding in SEARCHER.search(evidence)} == {"piece 3"}


def test_canaries_survive_url_quoting_as_they_are() -> None:
    # So the plain form covers what an ordinary percent-encoder makes of them.
    assert quote(TEXT) == TEXT


def test_every_form_has_a_name_of_its_own() -> None:
    names = [form.name for form in forms(RUN)]
    assert len(names) == len(set(names))
