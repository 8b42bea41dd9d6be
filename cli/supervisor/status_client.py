"""Asks the daemons for their status over HTTP."""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import Mapping

from pydantic import ValidationError

from dashboard.statuses import DaemonStatus


def fetch_status(address: str, timeout_s: float) -> DaemonStatus | None:
    """The status of the daemon at HOST:PORT; None when it does not answer, or not with a status."""
    connection = http.client.HTTPConnection(address, timeout=timeout_s)
    try:
        connection.request("GET", "/status")
        reply = connection.getresponse()
        body = reply.read()
        return DaemonStatus.model_validate(json.loads(body)) if reply.status == http.client.OK else None
    except (OSError, http.client.HTTPException, ValueError, ValidationError):
        return None
    finally:
        connection.close()


async def fetch_all(addresses: Mapping[str, str], *, timeout_s: float = 0.5) -> dict[str, DaemonStatus]:
    """Statuses by service, asked at the same time; who does not answer is left out."""
    replies = await asyncio.gather(
        *(asyncio.to_thread(fetch_status, address, timeout_s) for address in addresses.values())
    )
    return {
        service: reply
        for service, reply in zip(addresses, replies, strict=True)
        if reply is not None and reply.service == service
    }
