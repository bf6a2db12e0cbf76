"""All pages of the console, put into the application."""

from fastapi import FastAPI

from api.console import (
    audit,
    desk,
    desk_acts,
    desk_grants,
    desk_pages,
    entrance,
    forgetting,
    own,
    review,
)

# The console's routers.
PARTS = tuple(
    part.routes for part in (entrance, desk, desk_acts, desk_grants, review, audit, forgetting, own)
)


def install(app: FastAPI) -> None:
    """Add what the console's routes need beside them."""
    desk_pages.install(app)
