"""The fault plan: what goes wrong on purpose, where, how often and when. A JSON document, read strictly.

A fault acts on frames (`target`: a pattern of stream names, such as `*@depth*`), on requests (a pattern of
`METHOD /path` and `WS method`, such as `POST /api/v3/order*` or `WS order.*`), or on the exchange as a whole.
Patterns are those of a shell; `*` matches everything.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from common.errors import ConfigError
from common.units import NS_PER_S

_REMEDY: Final = "Correct the plan; docs/faults.md lists every kind and what it takes"
FaultId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
Seconds = Annotated[float, Field(ge=0, le=10**9)]
Milliseconds = Annotated[float, Field(ge=0, le=600_000)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Latency(_Strict):
    """How long something takes longer: constant, uniform over mean ± jitter, exponential, or lognormal."""

    distribution: Literal["constant", "uniform", "exponential", "lognormal"] = "constant"
    mean_ms: Milliseconds
    #: uniform: half the width, ms; lognormal: standard deviation of the logarithm.
    jitter: float = Field(0.0, ge=0, le=600_000)
    most_ms: Milliseconds = 60_000.0


class _Fault(_Strict):
    id: FaultId
    #: Chance that a match is hit, drawn by the plan's seed.
    share: float = Field(1.0, ge=0, le=1)
    #: Seconds since the plan was taken up from which, and for how long, it acts.
    after_s: Seconds = 0.0
    for_s: Seconds | None = None
    #: No more than so many injections.
    most: int | None = Field(None, ge=1)

    @property
    def from_ns(self) -> int:
        """When it begins, since the plan was taken up."""
        return int(self.after_s * NS_PER_S)

    @property
    def until_ns(self) -> int | None:
        """When it ends, likewise; None: never."""
        return None if self.for_s is None else self.from_ns + int(self.for_s * NS_PER_S)


class FrameFault(_Fault):
    """A frame is lost, doubled, sent behind its successor, or cut short."""

    kind: Literal["drop", "duplicate", "reorder", "truncate"]
    target: str = "*@depth*"


class FrameLatency(_Fault):
    """A stream runs late; the order of its frames stays."""

    kind: Literal["frame_latency"]
    target: str = "*"
    latency: Latency


class Stall(_Fault):
    """Streams fall silent for a while, connections open. What they would have said is lost, or comes at the end."""

    kind: Literal["stall"]
    target: str = "*"
    stall_s: Seconds = 5.0
    frames: Literal["lost", "late"] = "lost"


class Disconnect(_Fault):
    """The connections that read the frame's stream are cut, without a close frame."""

    kind: Literal["disconnect"]
    target: str = "*"


class RequestLatency(_Fault):
    """A request takes its time, before it is carried out."""

    kind: Literal["request_latency"]
    target: str = "*"
    latency: Latency


class DelayedAck(_Fault):
    """A request is carried out at once and answered late: the user stream tells of it first."""

    kind: Literal["delayed_ack"]
    target: str = "*"
    latency: Latency


class ServerError(_Fault):
    """The request is not carried out: the venue's error, or the web page of something before it."""

    kind: Literal["server_error"]
    target: str = "*"
    status: int = Field(503, ge=400, le=599)
    body: Literal["json", "html"] = "json"
    code: int = -1000
    message: str = "An unknown error occurred while processing the request."


class RateLimited(_Fault):
    """429, or 418: too many requests, whatever was counted."""

    kind: Literal["rate_limited"]
    target: str = "*"
    status: Literal[429, 418] = 429
    retry_after_s: int = Field(5, ge=0, le=259_200)


class LostAck(_Fault):
    """The request is carried out, and its answer lost: cut connection, 503, or `status unknown`."""

    kind: Literal["lost_ack"]
    target: str = "*order*"
    answer: Literal["disconnect", "503", "-1006", "-1007"] = "disconnect"


class DroppedRequest(_Fault):
    """The connection is cut before the request is carried out."""

    kind: Literal["dropped_request"]
    target: str = "*"


class FillBeforeCancel(_Fault):
    """Before an order is cancelled, somebody trades with a share of what is left of it: the race every bot meets."""

    kind: Literal["fill_before_cancel"]
    target: str = "*"
    fill_share: float = Field(0.5, gt=0, le=1)


class StaleSnapshot(_Fault):
    """GET depth answers with the book as it was."""

    kind: Literal["stale_snapshot"]
    target: str = "*depth*"
    age_s: Seconds = 2.0


class ClockSkew(_Fault):
    """The venue's clock is off while it acts: what `time` tells, and what timestamps are held against."""

    kind: Literal["clock_skew"]
    skew_ms: int = Field(ge=-86_400_000, le=86_400_000)


class Halt(_Fault):
    """A symbol stops trading while it acts: no flow, no order; cancels are taken."""

    kind: Literal["halt"]
    symbol: str


Fault = Annotated[
    FrameFault
    | FrameLatency
    | Stall
    | Disconnect
    | RequestLatency
    | DelayedAck
    | ServerError
    | RateLimited
    | LostAck
    | DroppedRequest
    | FillBeforeCancel
    | StaleSnapshot
    | ClockSkew
    | Halt,
    Field(discriminator="kind"),
]


class FaultPlan(_Strict):
    """The whole document."""

    seed: int = Field(1, ge=0, lt=2**63)
    faults: tuple[Fault, ...] = Field((), max_length=1000)

    @model_validator(mode="after")
    def _ids_differ(self) -> FaultPlan:
        ids = [fault.id for fault in self.faults]
        for name in ids:
            if ids.count(name) > 1:
                raise ValueError(f"the id {name!r} is there twice")
        return self


def read_plan(text: bytes, where: str) -> FaultPlan:
    """The plan in a document; `where` names the document in errors.

    Raises:
        ConfigError: it is no JSON, or no plan: every problem with its place.
    """
    try:
        document: Any = orjson.loads(text)
    except orjson.JSONDecodeError as exc:
        raise ConfigError(where, f"is not JSON ({exc})", _REMEDY) from exc
    try:
        return FaultPlan.model_validate(document)
    except ValidationError as exc:
        problems = [
            f"{'.'.join(map(str, error['loc'])) or 'the document'}: {error['msg']}"
            for error in exc.errors(include_url=False, include_context=False, include_input=False)
        ]
        raise ConfigError(where, "; ".join(problems), _REMEDY) from exc
