"""Masking: the only maker of what a customer's record may look like outside.

`compile_plan` (or `MaskPlans`, which remembers) settles how each field is shown and what must be
fetched for it; `MaskPlan.apply` turns a `RawRecord` into a `MaskedRecord`. How a field is masked
is one of `transforms/`, chosen by the field catalogue.
"""

from guard.masking.context import MaskContext
from guard.masking.plans import (
    MaskPlan,
    MaskPlans,
    PlanKey,
    catalogue_faults,
    compile_plan,
    plan_key,
)
from guard.masking.record import MaskedRecord
from guard.masking.registry import REDACTED, Registry, Transform
from guard.masking.transforms import REGISTRY

__all__ = [
    "REDACTED",
    "REGISTRY",
    "MaskContext",
    "MaskPlan",
    "MaskPlans",
    "MaskedRecord",
    "PlanKey",
    "Registry",
    "Transform",
    "catalogue_faults",
    "compile_plan",
    "plan_key",
]
