import re
from pathlib import Path

from guard.vault.keyring import Keyring
from guard.vault.pseudonyms import Pseudonyms


def test_a_pseudonym_is_stable_readable_and_says_nothing(
    keyring: Keyring, uri: str, path: Path
) -> None:
    name = Pseudonyms(keyring).pseudonym("acme", "maria.lopez")
    assert re.fullmatch("agent-[0-9a-hjkmnp-tv-z]{4}-[0-9a-hjkmnp-tv-z]{4}", name)
    assert Pseudonyms(Keyring.open(uri, path)).pseudonym("acme", "maria.lopez") == name


def test_agents_and_tenants_have_pseudonyms_of_their_own(keyring: Keyring) -> None:
    names = Pseudonyms(keyring)
    made = {names.pseudonym(t, f"u-{n}") for t in ("acme", "beta") for n in range(2000)}
    assert len(made) == 4000
