"""All pages of the console, put into the application."""

from fastapi import FastAPI

from api.console import audit, desk, entrance, own, review


def install(app: FastAPI) -> None:
    """Add the console's routes."""
    for part in (entrance, desk, review, audit, own):
        app.include_router(part.routes)
