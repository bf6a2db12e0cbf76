"""Parsing a body straight from its bytes, with the errors that FastAPI's own parsing gives."""

from typing import TypeVar

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

M = TypeVar("M", bound=BaseModel)


def parse(model: type[M], content: bytes) -> M:
    """Read `content` as JSON of `model`.

    Raises:
        RequestValidationError: It is no JSON, or breaks the model's rules.
    """
    try:
        return model.model_validate_json(content)
    except ValidationError as error:
        # Without the input, which must not travel any further than here.
        found = error.errors(include_input=False, include_url=False, include_context=False)
        raise RequestValidationError(
            [item | {"loc": ("body", *item["loc"])} for item in found]
        ) from None
