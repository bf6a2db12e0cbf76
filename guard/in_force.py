"""The policy in force for each tenant, with the mask plans made from its catalogue.

Swapping a policy is one assignment: a request that has begun ends under the policy it began with,
the next one meets the new one.
"""

from dataclasses import dataclass

from guard.masking.plans import MaskPlans
from policies.bundle import Bundle
from policies.engine import Engine


@dataclass(frozen=True, slots=True)
class InForce:
    """One policy, ready to decide and to mask."""

    engine: Engine
    plans: MaskPlans

    @classmethod
    def of(cls, bundle: Bundle) -> "InForce":
        """Prepare a bundle."""
        return cls(Engine(bundle), MaskPlans(bundle.catalogue))


class Policies:
    """Which policy decides for whom: the tenant's own, or the one that the service started with."""

    def __init__(self, shipped: Bundle) -> None:
        """Start with one bundle for everybody."""
        self._shipped = InForce.of(shipped)
        self._by_tenant: dict[str, InForce] = {}

    def of(self, tenant: str) -> InForce:
        """The policy in force for a tenant."""
        return self._by_tenant.get(tenant, self._shipped)

    def put(self, tenant: str, bundle: Bundle) -> None:
        """Put a bundle in force for a tenant; nothing happens if it is already."""
        if self.of(tenant).engine.bundle.digest != bundle.digest:
            self._by_tenant[tenant] = InForce.of(bundle)
