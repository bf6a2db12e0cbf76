"""Names that stand for agents until somebody unlocks the real ones.

A pseudonym is stable for a tenant's agent and says nothing about it: HMAC-SHA256 under a key of the
tenant, as eight letters and digits that cannot be misread. Among 10,000 agents the chance that any
two share one is below 1 in 20,000.
"""

from hmac import digest

from guard.vault.keyring import Keyring

# Crockford's base 32: no i, l, o or u, which are misread or spell words.
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_LENGTH = 8


class Pseudonyms:
    """Makes the pseudonyms of all tenants."""

    def __init__(self, keyring: Keyring) -> None:
        """Take the key of each tenant from `keyring`."""
        self._keyring = keyring

    def pseudonym(self, tenant: str, agent_id: str) -> str:
        """The pseudonym of an agent, such as `agent-7f3k-9m2q`.

        Raises:
            KeyUnavailableError: The tenant's key cannot be had.
        """
        key = self._keyring.derived(tenant, "pseudonym")
        number = int.from_bytes(digest(key, agent_id.encode(), "sha256")[:8], "big")
        letters = "".join(_ALPHABET[number >> 5 * n & 31] for n in range(_LENGTH))
        return f"agent-{letters[:4]}-{letters[4:]}"
