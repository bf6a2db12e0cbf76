"""What identifiers look like in prose: the regular expressions of `guard.masking.patterns`.

Every one reads a text once: what repeats without end is possessive and is entered where the run
begins, so time is linear in the length whatever the text. Each comes twice: over ASCII the classes
are bitmaps, which halves the time of the commonest notes.
"""

import re
from dataclasses import dataclass

_ASCII = {
    "<at>": "@",
    "<digit>": "[0-9]",
    "<letter>": "[A-Za-z]",
    "<alnum>": "[0-9A-Za-z]",
    "<local>": r"[0-9A-Za-z_.%+\-]",
    "<label>": r"[0-9A-Za-z_\-]",
    "<gap>": r"[ \t_\-./()]",
    "<other digit>": "(?!)",
}
_ANY = {
    "<at>": "[@\uff20]",
    "<digit>": r"\d",
    # What is alphanumeric and no digit, so superscripts and Roman numerals too.
    "<letter>": r"[^\W\d_]",
    "<alnum>": r"[^\W_]",
    "<local>": r"[\w.%+\-]",
    "<label>": r"[\w\-]",
    # Blanks, dashes and marks that may group the digits of one number.
    "<gap>": (
        r"[ \t_\-./()\u00a0\u00b7\u0300-\u036f\u2000-\u200a\u2010-\u2015\u202f\u205f\u20e3\u2212"
        r"\u3000\ufe58\ufe63\uff08\uff09\uff0d-\uff0f]"
    ),
    "<other digit>": r"[^\D0-9]",
}


@dataclass(frozen=True, slots=True)
class Shape:
    """One expression, for ASCII and for any text."""

    ascii: re.Pattern[str]
    any: re.Pattern[str]

    def over(self, text: str) -> re.Pattern[str]:
        """The expression to use on `text`."""
        return self.ascii if text.isascii() else self.any


def _shape(pattern: str) -> Shape:
    return Shape(re.compile(_with(_ASCII, pattern), re.ASCII), re.compile(_with(_ANY, pattern)))


def _with(classes: dict[str, str], pattern: str) -> str:
    for name, chars in classes.items():
        pattern = pattern.replace(name, chars)
    return pattern


DIGIT = _shape("<digit>")

# Addresses that touch (`a@b%c@d`) are one finding: what ends the first may begin the second.
_DOMAIN = r"<at><label>++(?:\.<label>++)*+"
EMAIL = _shape(rf"<local>(?<!<local><local>)<local>*+{_DOMAIN}(?:[.%+]<local>*+{_DOMAIN})*+")

# Two letters of the country before two check digits; begins with a digit, which prose has few of.
IBAN = re.compile(
    r"[0-9](?<=[A-Za-z]{2}[0-9])(?<![A-Za-z0-9][A-Za-z]{2}[0-9])[0-9](?:[ \-]?[A-Za-z0-9]){11,30}"
)

_OCTET = (
    r"(?:25[0-5]|2[0-4]<digit>|[01]?<digit>{1,2}"
    r"|<other digit><digit>{2}|<digit><other digit><digit>|25<other digit>)"
)
# The first costs little and tells whether the second can find anything.
IPV4_HINT = _shape(r"\.<digit>{1,3}\.<digit>")
IPV4 = _shape(rf"\b(?<!\.){_OCTET}(?:\.{_OCTET}){{3}}(?!<alnum>|\.<digit>)")

_BYTE = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_GROUP = "[0-9A-Fa-f]{1,4}"


def _ipv6() -> str:
    """Eight groups, or fewer round a `::`; the last two may be written as an IPv4 address."""
    dotted = rf"{_BYTE}(?:\.{_BYTE}){{3}}"
    forms = [f"(?:{_GROUP}:){{6}}(?:{dotted}|{_GROUP}:{_GROUP}(?!:))"]
    for before in range(8):
        head = f"{_GROUP}(?::{_GROUP}){{{before - 1}}}::" if before else "::"
        # So many groups may follow; a dotted end counts for two.
        groups = 7 - before
        tails = [f"(?:{_GROUP}:){{0,{groups - 2}}}{dotted}"] * (groups > 1)
        tails += [f"(?:{_GROUP}:){{0,{groups - 1}}}{_GROUP}(?!:)"] * (groups > 0)
        forms.append(f"{head}(?:{'|'.join([*tails, '(?!:)'])})")
    return "|".join(forms)


# Shorter ones, such as `::1`, lead nowhere.
IPV6_HINT = _shape(r":(?::|[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{1,4}){5})")
IPV6 = _shape(
    r"(?<!<alnum>)(?<!:)(?=[0-9A-Fa-f:]{6}|[0-9A-Fa-f:]{2,}+\.[0-9])"
    rf"(?:{_ipv6()})(?!<alnum>|\.[0-9])"
)

_MONTH = (
    r"[JFMASOND](?=[aepuco][nbrytlgpcv])(?<!<alnum>.)(?:an|eb|ar|pr|ay|un|ul|ug|ep|ct|ov|ec)[a-z]{0,6}\.?"
).replace("JFMASOND", "JFMASONDjfmasond")
_NTH = r"<digit>{1,2}(?:st|nd|rd|th)?"
_YEAR = r"(?:,? <digit>{4})?(?!<alnum>)"
MONTH_FIRST = _shape(rf"{_MONTH} {_NTH}{_YEAR}")
MONTH_LAST = _shape(
    rf"<digit>(?<!<alnum><digit>)<digit>?(?:st|nd|rd|th)?\.? (?:of )?{_MONTH}{_YEAR}"
)
DATE = _shape(
    r"<digit>{4}[\-./]<digit>{1,2}[\-./]<digit>{1,2}"
    r"|<digit>{1,2}[\-./ ]<digit>{1,2}[\-./ ](?:<digit>{4}|<digit>{2})"
)

_BECH32 = r"(?:bc|tb|ltc)1[02-9ac-hj-np-z]{11,87}+|(?:BC|TB|LTC)1[02-9AC-HJ-NP-Z]{11,87}+"
WALLET = re.compile(rf"0x[0-9A-Fa-f]{{40}}|{_BECH32}")
BASE58 = re.compile(r"[13mn2LM][1-9A-HJ-NP-Za-km-z]{25,34}")
# A word of letters and digits: passports, plates, wallets, ids. Four digits make it one, or that it
# is as long as a key or a token, or begins as a wallet does.
MIXED_HINT = _shape("<digit>(?:(?<=<letter><digit>)|(?=<letter>))")
_MIXED = (
    r"(?=<letter>*+<digit>)(?=<digit>*+<letter>)"
    r"(?:(?=(?:<letter>*+<digit>){4}+)<alnum>{6,}+|<alnum>{20,}+"
    rf"|(?:{_BECH32})(?!<alnum>))"
)
MIXED = _shape(rf"\b{_MIXED}")
# To `\b` an underscore is a letter; here it is none.
MIXED_BEHIND_UNDERSCORE = _shape(rf"(?<=_){_MIXED}")

# Seven digits or a date; the shortest date is 1.2.90.
NUMBER = _shape(r"(<digit>(?<!<digit><digit>)(?:<gap>{0,3}<digit>){3,}+)")
SSN = re.compile(r"(?!000|666|9)\d{3}([ \-])(?!00)\d{2}\1(?!0000)\d{4}")
