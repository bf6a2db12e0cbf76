from pathlib import Path

import pytest

from api.identity.issuer import KEY_FILE, Grant, LocalIssuer
from api.identity.tokens import TokenVerifier
from guard.clock import ManualClock
from guard.errors import ConfigurationError
from tests.unit.api.fakes import NOW


def opened(data_dir: Path) -> LocalIssuer:
    return LocalIssuer.open(
        data_dir, issuer="urn:x", audience="recordguard", wall=ManualClock(NOW).now
    )


@pytest.mark.anyio
async def test_the_key_is_made_once_and_verifies_what_it_signs(tmp_path: Path) -> None:
    token = opened(tmp_path).mint(
        Grant(sub="u17", tenant="acme", client="cli", scopes=("views:write",), act="bot")
    )
    verifier = TokenVerifier(
        opened(tmp_path).keys(), issuer="urn:x", audience="recordguard", wall=ManualClock(NOW).now
    )
    claims = (await verifier.verify(token)).claims
    assert (claims["sub"], claims["act"]) == ("u17", {"sub": "bot"})


def test_the_key_file_is_its_owners_only(tmp_path: Path) -> None:
    opened(tmp_path)
    path = tmp_path / KEY_FILE
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert list(path.parent.iterdir()) == [path]
    path.chmod(0o640)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        opened(tmp_path)
