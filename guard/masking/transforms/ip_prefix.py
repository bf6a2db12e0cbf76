"""`ip_prefix`: the network that an IP address lies in, as `192.0.2.0/24`.

An IPv4 address that is written as IPv6 (`::ffff:192.0.2.1`) is an IPv4 address.
"""

from ipaddress import IPv6Address, ip_address, ip_network

from guard.masking.comparable import ascii_digits
from guard.masking.registry import Mask, Number, Params, Transform
from guard.masking.scalars import Scalar, UnmaskableError

MAX_V4, MAX_V6 = 24, 48
# The longest address in either notation.
MAX_LENGTH = 45


def _make(params: Params) -> Mask:
    v4, v6 = int(params["v4"]), int(params["v6"])

    def ip_prefix(value: Scalar) -> Scalar:
        text = ascii_digits(value.strip()) if isinstance(value, str) else ""
        if value == "":
            return ""
        try:
            address = ip_address(text if len(text) <= MAX_LENGTH else "")
        except ValueError:
            raise UnmaskableError("not an IP address") from None
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        bits = v6 if isinstance(address, IPv6Address) else v4
        # Packed, so that the zone of a link-local address is dropped.
        return str(ip_network((address.packed, bits), strict=False))

    return ip_prefix


TRANSFORM = Transform(
    name="ip_prefix",
    version=1,
    params={
        "v4": Number(default=MAX_V4, low=8, high=MAX_V4),
        "v6": Number(default=MAX_V6, low=16, high=MAX_V6),
    },
    make=_make,
    # Three groups of four digits and `::`; or `255.255.255.0`, which is its own network.
    leaks=lambda _: 16,
)
