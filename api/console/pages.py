"""Stand-in."""

from fastapi import FastAPI


def install(app: FastAPI) -> None:
    """Add the console."""
