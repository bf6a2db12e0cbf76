"""All tables, for both engines; Alembic compares them with its scripts.

Tenant comes first in every key that a customer or an agent could be found by. Times are domain
microseconds in 64 bits, lists and small structures are JSON text, and nothing here holds a
customer's value in the clear: `sealed*` and `wrapped*` columns hold what only the vault can open.
"""

from guard.store.tables.budgets import budget_counter, budget_mark, budget_principal, budget_slot
from guard.store.tables.exports import export_chunk, export_job, sink
from guard.store.tables.forgetting import dispute, erasure, hold_back, legal_hold
from guard.store.tables.log import (
    accounted_writer,
    bundle_file,
    checkpoint,
    clock_rate,
    detail_event,
    detail_subject,
    entry,
    facts,
    late_link,
    log_block,
    log_term,
    outbox_position,
    pending,
    publishing,
    tree_head,
    writer_gap,
)
from guard.store.tables.metadata import METADATA
from guard.store.tables.people import (
    api_key,
    console_session,
    idempotent_reply,
    identifier,
    principal,
    subject,
)
from guard.store.tables.purposes import (
    access_grant,
    assignment,
    presence_code,
    relation,
    support_case,
    tie,
    webhook_delivery,
    work_list,
    work_list_member,
)
from guard.store.tables.responses import activation, alert, mode_rule, response

__all__ = (
    "METADATA",
    "access_grant",
    "accounted_writer",
    "activation",
    "alert",
    "api_key",
    "assignment",
    "budget_counter",
    "budget_mark",
    "budget_principal",
    "budget_slot",
    "bundle_file",
    "checkpoint",
    "clock_rate",
    "console_session",
    "detail_event",
    "detail_subject",
    "dispute",
    "entry",
    "erasure",
    "export_chunk",
    "export_job",
    "facts",
    "hold_back",
    "idempotent_reply",
    "identifier",
    "late_link",
    "legal_hold",
    "log_block",
    "log_term",
    "mode_rule",
    "outbox_position",
    "pending",
    "presence_code",
    "principal",
    "publishing",
    "relation",
    "response",
    "sink",
    "subject",
    "support_case",
    "tie",
    "tree_head",
    "webhook_delivery",
    "work_list",
    "work_list_member",
    "writer_gap",
)
