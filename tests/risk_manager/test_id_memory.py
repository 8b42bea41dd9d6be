"""A bounded memory of ids."""

from __future__ import annotations

from services.risk_manager.id_memory import IdMemory


def test_remembers_each_id_once() -> None:
    memory = IdMemory()
    assert memory.add("a")
    assert not memory.add("a")
    assert "a" in memory and "b" not in memory
    assert len(memory) == 1


def test_forgets_the_oldest_and_never_grows() -> None:
    memory = IdMemory(capacity=3)
    for identifier in ("a", "b", "c", "a", "d"):
        memory.add(identifier)
    assert len(memory) == 3
    assert [i in memory for i in "abcd"] == [False, True, True, True]
