"""docs/order_states.md, written from the table so that it cannot tell anything else."""

from __future__ import annotations

from common.messages import ExecType, OrderStatus
from services.execution_engine.order_states import TRANSITIONS, next_status


def _name(status: OrderStatus | None) -> str:
    return status.value if status else "[*]"


def as_markdown() -> str:
    """The page: a Mermaid state diagram and the table behind it."""
    edges = [
        (before, exec_type, after)
        for (before, exec_type), after in TRANSITIONS.items()
        for after in dict.fromkeys((after, next_status(before, exec_type, completes=True)))
    ]
    drawn = [f"    {_name(b)} --> {_name(a)}: {x}" for b, x, a in edges if b is not a]
    ends = [f"    {s} --> [*]" for s in OrderStatus if s.is_terminal]
    statuses = [None, *OrderStatus]
    rows = [
        f"| {_name(s) if s else 'not yet reported'} | "
        + " | ".join(" / ".join(_name(a) for b, e, a in edges if b is s and e is x) or "-" for x in ExecType)
        + " |"
        for s in statuses
    ]
    return "\n".join(
        [
            "# Order states",
            "",
            "Generated from `services/execution_engine/order_states.py`; a test keeps it current. To write it anew:",
            "",
            "    python -c 'from services.execution_engine.state_diagram import as_markdown; "
            'print(as_markdown(), end="")\' > docs/order_states.md',
            "",
            "```mermaid",
            "stateDiagram-v2",
            *drawn,
            *ends,
            "```",
            "",
            "Rows: status before. Columns: what happened. `-` is illegal: raised and counted, never applied. A TRADE",
            "that fills the last lot leads to FILLED; a status that leads to itself is a repetition, or a late fill",
            "whose quantity counts while the order stays ended.",
            "",
            "| | " + " | ".join(ExecType) + " |",
            "|" + "---|" * (len(ExecType) + 1),
            *rows,
            "",
        ]
    )
