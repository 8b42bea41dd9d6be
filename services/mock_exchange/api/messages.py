"""A request and its answer, as bytes, without a socket."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

JSON_TYPE: Final = "application/json;charset=UTF-8"
HTML_TYPE: Final = "text/html"


class Request(NamedTuple):
    """One HTTP request. Header names are lower case; `query` and `body` are as they came."""

    method: str
    path: str
    query: bytes = b""
    body: bytes = b""
    headers: Mapping[str, str] = {}
    ip: str = "127.0.0.1"


class Response(NamedTuple):
    """What goes back."""

    status: int
    body: bytes
    headers: Mapping[str, str] = {}
    media_type: str = JSON_TYPE


def html_page(status: int, title: str) -> Response:
    """The page the venue's web servers answer with where no endpoint does."""
    return Response(status, f"<html><body><h2>{title}</h2></body></html>".encode(), {}, HTML_TYPE)
