"""Check digits that tell an identifier from any other run of digits."""

# Two letters and two check digits; the letters count two digits each.
IBAN_HEAD, HEAD_SHIFT = 4, 10**6
MIN_IBAN, MAX_IBAN = 15, 34

# Doubling a digit and adding the digits of the result: ASCII 0-9 to numbers.
_DOUBLED = bytes.maketrans(b"0123456789", bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)))


def luhn_holds(digits: str) -> bool:
    """Whether ASCII `digits` end in their Luhn check digit (ISO/IEC 7812-1)."""
    ascii_digits = digits.encode("ascii")
    single = ascii_digits[::-2]
    total = sum(single) - len(single) * ord("0") + sum(ascii_digits[-2::-2].translate(_DOUBLED))
    return total % 10 == 0


def iban_length(text: str) -> int:
    """How many characters of `text` are an IBAN by mod 97 (ISO 13616), the most that fit; else 0.

    `text` is ASCII letters and digits in upper case. One pass tries every length: the check
    appends the first four characters to the rest, so its remainder follows from the rest's.
    """
    head = int("".join(str(int(c, 36)) for c in text[:IBAN_HEAD]))
    fits = remainder = 0
    for length, char in enumerate(text[IBAN_HEAD:MAX_IBAN], start=IBAN_HEAD + 1):
        value = int(char, 36)
        remainder = (remainder * (10 if char.isdigit() else 100) + value) % 97
        if length >= MIN_IBAN and (remainder * HEAD_SHIFT + head) % 97 == 1:
            fits = length
    return fits
