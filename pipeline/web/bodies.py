"""What a request brings along: read up to a limit, and checked like parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar
from urllib.parse import parse_qs

from fastapi import Request
from pydantic import BaseModel, ValidationError

from pipeline.web.problems import Problem, invalid

MOST_BYTES = 16_384
"""Of a body: what people write, or a token and an address."""
_MOST_FIELDS = 10

Model = TypeVar("Model", bound=BaseModel)


async def body(request: Request) -> bytes:
    """All of it. Raises Problem 400 for one that is too large."""
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > MOST_BYTES:
            raise Problem(400, f"a body of more than {MOST_BYTES} bytes is not taken")
    return bytes(content)


async def form(request: Request) -> dict[str, str]:
    """The first value of each field of a form, empty ones left out. Raises Problem 400."""
    try:
        fields = parse_qs((await body(request)).decode(errors="replace"), max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise Problem(400, f"a form of more than {_MOST_FIELDS} fields is not taken") from error
    return {name: values[0] for name, values in fields.items()}


def checked(model: type[Model], sent: bytes | Mapping[str, str]) -> Model:
    """A JSON document or the fields of a form as the model has them. Raises Problem 400."""
    try:
        return model.model_validate_json(sent) if isinstance(sent, bytes) else model.model_validate(sent)
    except ValidationError as error:
        names = [field.alias or name for name, field in model.model_fields.items()]
        raise invalid(error.errors(), names) from error
