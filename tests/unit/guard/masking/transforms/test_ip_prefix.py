import pytest

from guard.masking.scalars import Scalar, UnmaskableError
from tests.unit.guard.masking.support import in_digits, mask


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        (" 192.0.2.77 ", "192.0.2.0/24"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:aaaa:bbbb::1", "2001:db8:aaaa::/48"),
        ("fe80::1%eth0", "fe80::/48"),
        (in_digits("arabic", "192.0.2.77"), "192.0.2.0/24"),
        ("", ""),
    ],
)
def test_the_network_is_shown(value: str, shown: str) -> None:
    assert mask("ip_prefix")(value) == shown


def test_wider_networks_may_be_shown() -> None:
    assert mask("ip_prefix", v4=16, v6=32)("192.0.2.77") == "192.0.0.0/16"
    assert mask("ip_prefix", v4=16, v6=32)("2001:db8:aaaa::1") == "2001:db8::/32"


@pytest.mark.parametrize("value", ["192.0.2.256", "192.0.2", "x", "1" * 46, 3221225985, None])
def test_what_is_no_address_is_refused(value: Scalar) -> None:
    with pytest.raises(UnmaskableError):
        mask("ip_prefix")(value)
