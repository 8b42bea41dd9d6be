"""What endpoints take: typed parameters, and the venue's refusals of what is missing, malformed or too much.

Every value is text here, whether it came in a query, a form body or as JSON (venues.md 2.6, 2.9; error codes -11xx).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Context, Decimal
from enum import StrEnum
from typing import Any, Final, NamedTuple, TypeVar
from urllib.parse import unquote_to_bytes

import orjson

from common.units import NS_PER_MS, NS_PER_US
from services.mock_exchange.errors import VenueError
from services.mock_exchange.trading.amounts import DECIMALS

SYMBOL_RANGE: Final = "^[A-Z0-9-_.]{1,20}$"
INTEGER_RANGE: Final = "^[0-9]{1,20}$"
DECIMAL_RANGE: Final = "^([0-9]{1,20})(\\.[0-9]{1,20})?$"
CLIENT_ID_RANGE: Final = "^[a-zA-Z0-9-_]{1,36}$"
SYMBOLS_RANGE: Final = '^\\["[A-Z0-9-_.]{1,20}"(,"[A-Z0-9-_.]{1,20}"){0,}\\]$'
MAX_INTEGER: Final = 2**63 - 1
#: More than any client sends; a bound on what one request makes us keep.
MAX_PARAMS: Final = 256
#: Times of more digits than milliseconds have are microseconds.
#: Room for every digit of DECIMAL_RANGE.
_WIDE: Final = Context(prec=64)
_FIRST_MICROSECOND: Final = 10**14

_Choice = TypeVar("_Choice", bound=StrEnum)
Reader = Callable[[str, str], Any]


class Param(NamedTuple):
    """One parameter: how its text is read, and what holds when it is not sent."""

    name: str
    read: Reader
    is_required: bool = False
    default: Any = None


def missing(name: str) -> VenueError:
    """-1102: a mandatory parameter is not there."""
    return VenueError(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def missing_either(one: str, other: str) -> VenueError:
    """-1102: one of two parameters is needed."""
    return VenueError(-1102, f"Param '{one}' or '{other}' must be sent, but both were empty/null!")


def illegal(name: str, legal_range: str) -> VenueError:
    """-1100: the text does not match."""
    return VenueError(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{legal_range}'.")


def not_required(name: str) -> VenueError:
    """-1106: the parameter has no place in this combination."""
    return VenueError(-1106, f"Parameter '{name}' sent when not required.")


def invalid(name: str) -> VenueError:
    """-1130: well-formed, but none of the allowed values."""
    return VenueError(-1130, f"Data sent for parameter '{name}' is not valid.")


def bad_combination() -> VenueError:
    """-1128: parameters that exclude one another."""
    return VenueError(-1128, "Combination of optional parameters invalid.")


def form_pairs(raw: bytes) -> dict[str, str]:
    """The parameters of a query string or a form body, decoded.

    Raises:
        VenueError: one is there twice, or there are too many.
    """
    pairs: dict[str, str] = {}
    for segment in raw.split(b"&"):
        if not segment:
            continue
        name, _, value = (_decoded(part) for part in segment.partition(b"="))
        if name in pairs:
            raise VenueError(-1101, f"Duplicate values for parameter '{name}' detected.")
        if len(pairs) == MAX_PARAMS:
            raise VenueError(-1101, f"Too many parameters; expected '{MAX_PARAMS}' and received more.")
        pairs[name] = value
    return pairs


def _decoded(part: bytes) -> str:
    if b"%" in part or b"+" in part:
        part = unquote_to_bytes(part.replace(b"+", b" "))
    return part.decode("utf-8", "replace")


def read_params(specs: Sequence[Param], sent: Mapping[str, str]) -> dict[str, Any]:
    """Every parameter of `specs` by name, typed.

    Raises:
        VenueError: with the venue's code for what is wrong first.
    """
    values: dict[str, Any] = {}
    read = 0
    for spec in specs:
        text = sent.get(spec.name)
        if text is None or (text == "" and spec.is_required):
            if spec.is_required:
                raise missing(spec.name)
            values[spec.name] = spec.default
            continue
        read += 1
        if text == "":
            raise VenueError(-1105, f"Parameter '{spec.name}' was empty.")
        values[spec.name] = spec.read(spec.name, text)
    if read != len(sent):
        if not specs:
            raise VenueError(-1101, f"Too many parameters; expected '0' and received '{len(sent)}'.")
        raise VenueError(
            -1104, f"Not all sent parameters were read; read '{read}' parameter(s) but was sent '{len(sent)}'."
        )
    return values


def pattern(legal_range: str) -> Reader:
    """Text that matches; the range goes into the refusal as it stands."""
    regex = re.compile(legal_range.replace("$", "\\Z"))

    def read(name: str, text: str) -> str:
        if regex.match(text) is None:
            raise illegal(name, legal_range)
        return text

    return read


symbol: Final = pattern(SYMBOL_RANGE)
client_id: Final = pattern(CLIENT_ID_RANGE)
_digits: Final = pattern(INTEGER_RANGE)
_decimal: Final = pattern(DECIMAL_RANGE)


def text(_name: str, value: str) -> str:
    """Anything."""
    return value


def integer(name: str, value: str) -> int:
    """A number without sign, of 64 bits."""
    number = int(_digits(name, value))
    if number > MAX_INTEGER:
        raise missing(name)
    return number


def positive(name: str, value: str) -> int:
    """A count of at least one."""
    number = integer(name, value)
    if number == 0:
        raise invalid(name)
    return number


def up_to(most: int) -> Reader:
    """A count of at least one; more than `most` is taken as `most`."""
    return lambda name, value: min(positive(name, value), most)


def amount(name: str, value: str) -> Decimal:
    """A plain decimal; zeros behind what the venue can carry do not count."""
    number = Decimal(_decimal(name, value))
    if number.quantize(Decimal(1).scaleb(-DECIMALS), context=_WIDE) != number:
        raise VenueError(-1111, f"Parameter '{name}' has too much precision.")
    return number


def moment(name: str, value: str) -> int:
    """A time in milliseconds or microseconds, as nanoseconds."""
    number = integer(name, value)
    return number * (NS_PER_MS if number < _FIRST_MICROSECOND else NS_PER_US)


def boolean(name: str, value: str) -> bool:
    """true or false, however capitalised."""
    lowered = value.lower()
    if lowered not in ("true", "false"):
        raise illegal(name, "^(true|false)$")
    return lowered == "true"


def one_of(choices: type[_Choice], refusal: VenueError | None = None) -> Reader:
    """A name of an enumeration; `refusal` where the venue has a code of its own."""
    names = {choice.value: choice for choice in choices}

    def read(name: str, value: str) -> _Choice:
        choice = names.get(value)
        if choice is None:
            raise VenueError(refusal.code, refusal.message) if refusal else invalid(name)
        return choice

    return read


def symbol_list(name: str, value: str) -> list[str]:
    """`["BTCUSDT","ETHUSDT"]`."""
    return text_list(name, value, SYMBOLS_RANGE, re.compile(r"[A-Z0-9-_.]{1,20}\Z"))


def text_list(name: str, value: str, legal_range: str, item: re.Pattern[str]) -> list[str]:
    """A JSON array of texts that match `item`, none twice."""
    try:
        items = orjson.loads(value)
    except orjson.JSONDecodeError:
        items = None
    if not isinstance(items, list) or not items or not all(isinstance(i, str) and item.match(i) for i in items):
        raise illegal(name, legal_range)
    if len(set(items)) != len(items):
        raise VenueError(-1151, "Symbol is present multiple times in the list.")
    return items
