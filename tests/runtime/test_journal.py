"""The journal against crashes: torn tails, damage, a second process, segments, replay."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.codec import encode_frame, split_frame
from common.errors import ConfigError, HaltError
from common.messages import Source
from common.records import RecordKind, encode_batch, read_batches
from common.runtime.journal import Entry, Journal
from tests.runtime.conftest import report


def frame(number: int) -> bytes:
    return encode_frame(report(number), source=Source.EXECUTION_ENGINE, epoch=1, sequence=number, publish_ns=0)


def entry(kind: RecordKind, number: int) -> Entry:
    return Entry(kind, "report", number, frame(number))


def write(folder: Path, numbers: range, *, segment_bytes: int = 65_536) -> None:
    journal = Journal(folder, sync="disk", segment_bytes=segment_bytes)
    list(journal.recover())
    for number in numbers:
        journal.append(number, [entry(RecordKind.IN, number), entry(RecordKind.OUT, number)])
    journal.close()


def read(folder: Path) -> tuple[list[int], Journal]:
    journal = Journal(folder, sync="os", segment_bytes=65_536)
    numbers = [r.now_ns for r in journal.recover() if r.kind is RecordKind.OUT]
    return numbers, journal


def test_what_was_appended_comes_back_over_many_segments(tmp_path: Path) -> None:
    write(tmp_path, range(1, 501))
    write(tmp_path, range(501, 1001))
    assert len(list(tmp_path.glob("*.journal"))) > 3
    numbers, journal = read(tmp_path)
    assert numbers == list(range(1, 1001))
    assert journal.last_inputs == {"report": 1000}
    assert journal.last_output("report") == 1000
    assert [split_frame(f).envelope.sequence for f in journal.outputs("report", 250, 760)] == list(range(250, 761))
    assert journal.outputs("report", 1001, 2000) == []
    journal.close()


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_torn_or_damaged_tail_costs_only_the_tail(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("journal")
    write(folder, range(1, 11), segment_bytes=2**30)
    path = next(folder.glob("*.journal"))
    whole = path.read_bytes()
    ends = [end for _batch, end in read_batches(whole)]
    cut = data.draw(st.integers(0, len(whole)))
    damaged = bytearray(whole[:cut])
    if cut and data.draw(st.booleans()):
        at = data.draw(st.integers(0, cut - 1))
        damaged[at] ^= 0xFF
        kept = sum(end <= at for end in ends)
    else:
        kept = sum(end <= cut for end in ends)
    path.write_bytes(bytes(damaged))
    numbers, journal = read(folder)
    assert numbers == list(range(1, kept + 1))
    journal.append(99, [entry(RecordKind.OUT, kept + 1)])
    journal.close()
    numbers, journal = read(folder)
    assert numbers == [*range(1, kept + 1), 99]
    journal.close()


def test_an_input_and_its_outputs_are_kept_together_or_not_at_all() -> None:
    whole = encode_batch(1, [(RecordKind.IN, frame(1)), (RecordKind.OUT, frame(1))])
    for cut in range(len(whole)):
        assert list(read_batches(whole[:cut])) == []
    assert [r.kind for r in next(read_batches(whole))[0]] == [RecordKind.IN, RecordKind.OUT]


def test_damage_in_the_middle_of_history_halts(tmp_path: Path) -> None:
    write(tmp_path, range(1, 501))
    first = min(tmp_path.glob("*.journal"))
    data = bytearray(first.read_bytes())
    data[len(data) // 2] ^= 1
    first.write_bytes(bytes(data))
    journal = Journal(tmp_path, sync="os", segment_bytes=65_536)
    with pytest.raises(HaltError, match="damaged at byte"):
        list(journal.recover())
    journal.close()


def test_a_second_process_is_kept_out(tmp_path: Path) -> None:
    first = Journal(tmp_path, sync="os", segment_bytes=65_536)
    with pytest.raises(ConfigError, match=r"journal\.directory: .* is in use by another process"):
        Journal(tmp_path, sync="os", segment_bytes=65_536)
    first.close()
    Journal(tmp_path, sync="os", segment_bytes=65_536).close()


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"journal\.directory: .* cannot be written"):
        Journal(tmp_path / "file" / "x", sync="os", segment_bytes=65_536)
