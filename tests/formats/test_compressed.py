"""Compressed input inflates within limits, whatever it holds, and closes what it opened."""

from __future__ import annotations

import gzip
import io
import os
from pathlib import Path

import pytest

from sketchgen.errors import FormatError
from sketchgen.formats.compressed import MAX_RATIO, MIN_INFLATED, check_inflated, inflated


def test_what_is_compressed_is_read_in_any_pieces() -> None:
    data = os.urandom(300_000) + b"line\nanother\n"
    stream = inflated(io.BytesIO(gzip.compress(data[:1000]) + gzip.compress(data[1000:])), "a.gz")
    assert stream.read(17) + stream.read(299_983) == data[:300_000]
    assert [*stream] == [b"line\n", b"another\n"]


@pytest.mark.parametrize("content", [b"\0", b"\n", b"[],", b"1\n"])
def test_a_file_that_inflates_without_measure_is_refused(content: bytes) -> None:
    packed = gzip.compress(content * (2 * MIN_INFLATED // len(content)), 9)
    stream = inflated(io.BytesIO(packed), "a.gz")
    assert len(stream.read(MIN_INFLATED - 200_000)) == MIN_INFLATED - 200_000
    with pytest.raises(FormatError, match=r"a\.gz inflates to more than 8 MB"):
        stream.read(1_000_000)


def test_the_limit_is_a_ratio_and_small_files_have_none() -> None:
    check_inflated(MIN_INFLATED, 1, "a")
    check_inflated(MAX_RATIO * MIN_INFLATED, MIN_INFLATED, "a")
    with pytest.raises(FormatError):
        check_inflated(MAX_RATIO * MIN_INFLATED + 1, MIN_INFLATED, "a")


def test_the_file_below_is_closed(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"x"))
    file = (tmp_path / "a.gz").open("rb")
    with inflated(file, "a.gz") as stream:
        assert stream.read() == b"x"
    assert file.closed
