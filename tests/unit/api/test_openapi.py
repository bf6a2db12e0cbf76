import json
import re

from starlette.testclient import TestClient

from api.openapi import OPEN_PATHS
from tests.unit.api.test_app import operations


def test_every_operation_documents_its_problems(client: TestClient) -> None:
    for (_, path), operation in operations(client).items():
        statuses = set(operation["responses"])
        assert {"405", "500"} <= statuses
        if path not in OPEN_PATHS:
            assert {"401", "403", "422", "503"} <= statuses
            assert operation["security"]
        if "requestBody" in operation:
            assert {"400", "413"} <= statuses
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                schema = response["content"]["application/problem+json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/ProblemDocument"}
                assert response["description"]
        assert operation["summary"]
    assert {"403", "404", "429"} <= set(operations(client)["post", "/v1/views"]["responses"])


def test_the_openapi_document_has_no_dangling_reference(client: TestClient) -> None:
    text = client.get("/openapi.json").text
    names = set(re.findall(r"#/components/schemas/(\w+)", text))
    assert names <= set(json.loads(text)["components"]["schemas"])
    assert "HTTPValidationError" not in text
