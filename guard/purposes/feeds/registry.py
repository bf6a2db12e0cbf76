"""Which ticket systems are understood, by the name that a webhook's set-up gives."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from guard.purposes.feeds import salesforce, servicenow, zendesk
from guard.purposes.reports import CasePut

# (parsed payload, name of the record source whose keys it holds) -> the case.
Adapter: TypeAlias = Callable[[object, str], CasePut]

ADAPTERS: Mapping[str, Adapter] = {
    "zendesk": zendesk.case_of,
    "salesforce": salesforce.case_of,
    "servicenow": servicenow.case_of,
}
