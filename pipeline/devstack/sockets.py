"""Short conversations with a server on the loopback address."""

from __future__ import annotations

import asyncio
from contextlib import suppress


async def exchange(port: int, request: bytes, count: int) -> bytes:
    """The first ``count`` bytes of the answer, fewer if the server says less and closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        await writer.drain()
        return await reader.readexactly(count)
    except asyncio.IncompleteReadError as error:
        return error.partial
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
