"""The API does what its description says, whatever is asked: no reply that is not listed, every refusal a problem."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from pipeline.web.config import Rate
from tests.support.api import Api, api
from tests.support.lines import COMPLETE, NOON_MS, START, complete, line, start
from tests.support.replayed import replayed

pytestmark = pytest.mark.stack

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = 8
"""Of each endpoint in each mode: all of them take some 50 s."""


@pytest.fixture(scope="module")
def asked(template_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A store with a little of everything that is always there, and nobody who counts requests."""
    folder = tmp_path_factory.mktemp("contract")
    failed = {"t_final_transfer_state": "Error", "tr_error_category": "EIO"}
    lines = [line(COMPLETE, complete(n, NOON_MS + n * 60_000)) for n in range(5)]
    lines += [line(COMPLETE, complete(9, NOON_MS, **failed)), line(START, start(11)), line(COMPLETE, "no json")]
    with (
        replayed(template_url, folder, lines) as url,
        api(url, NOON_MS + 3_600_000, rate=Rate(per_s=10**6, burst=10**6)) as found,
    ):
        yield found


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["allowed", "not allowed"])
def test_every_reply_is_one_that_the_description_lists(asked: Api, mode: GenerationMode) -> None:
    load_all_checks()
    schema = schemathesis.openapi.from_asgi("/openapi.json", asked.client.app)
    statuses: Counter[int] = Counter()
    found = list(schema.get_all_operations())
    operations = [each.ok() for each in found if isinstance(each, Ok)]
    assert len(operations) == len(found) > 25
    for operation in operations:
        if mode is GenerationMode.NEGATIVE and not operation.query.items:
            continue  # nothing can be wrong

        @seed(20261127)
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask(case: Any) -> None:
            response = case.call()
            statuses[response.status_code] += 1
            case.validate_response(response, checks=CHECKS)
            if response.status_code >= 400:
                assert response.headers["content-type"][0] == "application/problem+json"
                assert response.json()["status"] == response.status_code

        ask()
    if mode is GenerationMode.POSITIVE:
        assert statuses[200] > 2 * len(operations), statuses
    else:
        assert statuses[400] > 0.8 * statuses.total(), statuses
