import re
from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from tests.unit.api.fakes import TENANT, World

SAME_ORIGIN = {"sec-fetch-site": "same-origin"}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def browser(world: World, client: TestClient) -> Callable[[str], TestClient]:
    """Signs somebody in; the ticket is made beforehand, as by an operator's shell."""
    tickets = {
        name: await world.credentials.mint_ticket(TENANT, name)
        for name in ("u17", "ana", "aud", "adm")
    }

    def sign_in(name: str) -> TestClient:
        answer = client.post(
            "/console/sign-in",
            data={"ticket": tickets[name]},
            headers=SAME_ORIGIN,
            follow_redirects=False,
        )
        assert answer.status_code == 303
        return client

    return sign_in


def csrf_of(html: str) -> str:
    match = re.search(r'name="csrf" value="([^"]+)"', html)
    assert match is not None
    return match[1]
