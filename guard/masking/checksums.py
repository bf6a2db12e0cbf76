"""Check digits that tell an identifier from any other run of characters."""

import hashlib

# ISO 13616: how long an IBAN of each country is.
IBAN_LENGTHS = {
    **dict.fromkeys(("NO",), 15),
    **dict.fromkeys(("BE",), 16),
    **dict.fromkeys(("DK", "FI", "FK", "FO", "GL", "NL", "SD"), 18),
    **dict.fromkeys(("MK", "SI"), 19),
    **dict.fromkeys(("AT", "BA", "EE", "KZ", "LT", "LU", "MN", "XK"), 20),
    **dict.fromkeys(("CH", "HR", "LI", "LV"), 21),
    **dict.fromkeys(("BG", "BH", "CR", "DE", "GB", "GE", "IE", "ME", "RS", "VA"), 22),
    **dict.fromkeys(("AE", "GI", "IL", "IQ", "OM", "SO", "TL"), 23),
    **dict.fromkeys(("AD", "CZ", "ES", "MD", "PK", "RO", "SA", "SE", "SK", "TN", "VG"), 24),
    **dict.fromkeys(("LY", "PT", "ST"), 25),
    **dict.fromkeys(("IS", "TR"), 26),
    **dict.fromkeys(("BI", "DJ", "FR", "GR", "IT", "MC", "MR", "SM"), 27),
    **dict.fromkeys(("AL", "AZ", "BY", "CY", "DO", "GT", "HN", "HU", "LB", "NI", "PL", "SV"), 28),
    **dict.fromkeys(("BR", "EG", "PS", "QA", "UA"), 29),
    **dict.fromkeys(("JO", "KW", "MU", "YE"), 30),
    **dict.fromkeys(("MT", "SC"), 31),
    **dict.fromkeys(("LC",), 32),
    **dict.fromkeys(("RU",), 33),
}
HEAD, COUNTRY = 4, 2

# Doubling a digit and adding the digits of the result: ASCII 0-9 to numbers.
_DOUBLED = bytes.maketrans(b"0123456789", bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)))

# A letter counts two digits, from 10 for A.
_AS_NUMBERS = {ord(c): str(int(c, 36)) for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
_COUNTRY_NUMBERS = {country: country.translate(_AS_NUMBERS) for country in IBAN_LENGTHS}

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BASE58_VALUES = {char: value for value, char in enumerate(_BASE58)}
# A version byte, 20 bytes of hash, 4 of checksum.
_ADDRESS_BYTES, _CHECK_BYTES = 25, 4


def luhn_holds(digits: str) -> bool:
    """Whether ASCII `digits` end in their Luhn check digit (ISO/IEC 7812-1)."""
    ascii_digits = digits.encode("ascii")
    single = ascii_digits[::-2]
    total = sum(single) - len(single) * ord("0") + sum(ascii_digits[-2::-2].translate(_DOUBLED))
    return total % 10 == 0


def iban_length(text: str) -> int:
    """How many characters at the start of `text` are an IBAN by mod 97 (ISO 13616); else 0.

    `text` is ASCII letters and digits in upper case.
    """
    country = text[:COUNTRY]
    length = IBAN_LENGTHS.get(country, 0)
    if not length or len(text) < length:
        return 0
    account = text[HEAD:length]
    if not account.isdecimal():
        account = account.translate(_AS_NUMBERS)
    number = int(account + _COUNTRY_NUMBERS[country] + text[COUNTRY:HEAD])
    return length if number % 97 == 1 else 0


def base58check_holds(text: str) -> bool:
    """Whether `text` is 25 bytes in base 58, the last four of them their checksum."""
    number = 0
    for char in text:
        value = _BASE58_VALUES.get(char)
        if value is None:
            return False
        number = number * 58 + value
    if number >= 1 << 8 * _ADDRESS_BYTES:
        return False
    whole = number.to_bytes(_ADDRESS_BYTES, "big")
    body, check = whole[:-_CHECK_BYTES], whole[-_CHECK_BYTES:]
    return hashlib.sha256(hashlib.sha256(body).digest()).digest()[:_CHECK_BYTES] == check
