"""Whatever is sent to any route, no bug answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error

from tests.prove import examples

if TYPE_CHECKING:
    from tests.rollby.service.served import Service

WITHOUT_END = "/api/stream"


def test_nothing_that_is_sent_finds_a_bug(service: Service) -> None:
    service.on_duty()
    service.stop("T-1", "4A12")
    schema = schemathesis.openapi.from_dict(service.app.openapi())
    operations: list[Any] = [found.ok() for found in schema.get_all_operations()]  # type: ignore[union-attr]
    assert len(operations) > 25
    for operation in operations:
        if operation.path != WITHOUT_END:
            hold(operation, str(service.http.base_url))
    assert not service.failed
    assert service.http.get("/readyz").status_code == 200


def test_the_reference_tells_how_refusals_look(service: Service) -> None:
    spec = service.http.get("/api/openapi.json").json()
    assert "HTTPValidationError" not in spec["components"]["schemas"]
    ways = [one["responses"] for methods in spec["paths"].values() for one in methods.values()]
    assert all("application/problem+json" in one["default"]["content"] for one in ways)
    refused = service.http.put("/api/stops/1", json={})
    assert refused.headers["content-type"] == "application/problem+json"
    (said,) = ways[0]["default"]["content"].values()
    assert set(said["schema"]["required"]) <= refused.json().keys()


def hold(operation: Any, base: str) -> None:
    """Send what the reference allows, and what it does not."""

    @settings(max_examples=examples(10), deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def send(case: Any) -> None:
        response = case.call(base_url=base)
        case.validate_response(response, checks=[not_a_server_error])

    send()
