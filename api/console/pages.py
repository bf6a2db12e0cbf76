"""All pages of the console, put into the application."""

from fastapi import FastAPI

from api.console import (
    audit,
    desk,
    desk_acts,
    desk_grants,
    desk_pages,
    entrance,
    own,
    review,
)


def install(app: FastAPI) -> None:
    """Add the console's routes."""
    for part in (entrance, desk, desk_acts, desk_grants, review, audit, own):
        app.include_router(part.routes)
    desk_pages.install(app)
