"""Recertification: who could see what, signed by one person and countersigned by another."""

from typing import Annotated

from fastapi import Request
from starlette.responses import Response

from api.identity.scopes import Scope
from api.middleware import router
from api.routers.cases import described
from api.routers.dependencies import REPEATABLE, Guarded, Kept, caller, documents
from api.schemas.access_reviews import (
    AccessReviewBody,
    AccessReviewOut,
    AccessReviewsOut,
    ClassStatusOut,
)
from api.schemas.words import Ident
from guard.principals import Principal

routes = router("access-reviews")


@routes.get("/v1/access-reviews", responses=documents(403), summary="What is to be reviewed again")
async def listed(
    services: Guarded, principal: Annotated[Principal, caller(Scope.ACCESS_REVIEWS_READ)]
) -> AccessReviewsOut:
    """Every class with when it was reviewed, and all reviews."""
    classes = await services.access_reviews.status(principal)
    reviews = await services.access_reviews.reviews(principal)
    return AccessReviewsOut(
        classes=[ClassStatusOut.model_validate(status) for status in classes],
        reviews=[AccessReviewOut.model_validate(review) for review in reviews],
    )


@routes.post(
    "/v1/access-reviews",
    response_model=AccessReviewOut,
    dependencies=REPEATABLE,
    responses=documents(403, 404),
    summary="Sign a review",
)
async def sign(
    request: Request,
    body: AccessReviewBody,
    services: Guarded,
    replies: Kept,
    principal: Annotated[Principal, caller(Scope.ACCESS_REVIEWS_WRITE)],
) -> Response:
    """Work out who could see it on that day, and keep that with the caller's signature."""

    async def act() -> Response:
        review = await services.access_reviews.sign(principal, body.field, body.on, body.statement)
        return described(AccessReviewOut, review)

    return await replies.once(request, principal, act)


@routes.post(
    "/v1/access-reviews/{review_id}/countersign",
    response_model=AccessReviewOut,
    dependencies=REPEATABLE,
    responses=documents(403, 404, 409),
    summary="Countersign somebody else's review",
)
async def countersign(
    request: Request,
    review_id: Ident,
    services: Guarded,
    replies: Kept,
    principal: Annotated[Principal, caller(Scope.ACCESS_REVIEWS_WRITE)],
) -> Response:
    """Agree, outside the signer's reporting line; its classes are then in date."""

    async def act() -> Response:
        return described(
            AccessReviewOut, await services.access_reviews.countersign(principal, review_id)
        )

    return await replies.once(request, principal, act)
