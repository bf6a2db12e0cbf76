"""The OpenAPI document, with every problem that a call may answer with."""

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.problems import FRAMEWORK, MEDIA_TYPE, REFUSALS, TABLE
from api.schemas.words import ProblemDocument, ProblemPlace

# Open calls check no credential and read no body.
OPEN_PATHS = frozenset({"/livez", "/readyz", "/metrics"})
ALWAYS = (405, 500)
GUARDED = (401, 403, 422, 503)
WITH_BODY = (400, 413, 415)
_REF = "#/components/schemas/"


def document(app: FastAPI) -> dict[str, object]:
    """Make the document once, and complete it."""
    if app.openapi_schema is None:
        made = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
        )
        schemas = made.setdefault("components", {}).setdefault("schemas", {})
        for model in (ProblemPlace, ProblemDocument):
            schemas[model.__name__] = model.model_json_schema(ref_template=_REF + "{model}")
            schemas[model.__name__].pop("$defs", None)
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        for path, item in made["paths"].items():
            for operation in item.values():
                _complete(path, operation)
        app.openapi_schema = made
    found: dict[str, object] = app.openapi_schema
    return found


def _complete(path: str, operation: dict[str, object]) -> None:
    responses = operation["responses"]
    if not isinstance(responses, dict):
        raise TypeError("an operation without responses")
    declared = {int(status) for status in responses if status.isdigit() and int(status) >= 400}  # noqa: PLR2004 - a status
    statuses = declared | set(ALWAYS)
    if path not in OPEN_PATHS:
        statuses |= set(GUARDED)
    if "requestBody" in operation or _has_cursor(operation):
        statuses |= set(WITH_BODY)
    for status in sorted(statuses):
        responses[str(status)] = {
            "description": _titles(status),
            "content": {MEDIA_TYPE: {"schema": {"$ref": _REF + "ProblemDocument"}}},
        }


def _has_cursor(operation: dict[str, object]) -> bool:
    parameters = operation.get("parameters", [])
    return isinstance(parameters, list) and any(p.get("name") == "cursor" for p in parameters)


def _titles(status: int) -> str:
    problems = (*TABLE.values(), *REFUSALS.values(), *FRAMEWORK.values())
    return "; ".join(dict.fromkeys(p.title for p in problems if p.status == status))
