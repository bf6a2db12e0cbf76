from api.schemas.holds import HoldBody
from guard.forgetting import HoldGround, HoldPut
from guard.rows import HoldScope


def test_a_body_becomes_what_the_service_takes() -> None:
    body = HoldBody.model_validate(
        {
            "scope": "time",
            "ground": "public_interest",
            "matter": "P-1",
            "until": "1970-01-01T00:00:01Z",
        }
    )
    assert body.put() == HoldPut(
        scope=HoldScope.TIME, ground=HoldGround.PUBLIC_INTEREST, matter="P-1", until=1_000_000
    )
