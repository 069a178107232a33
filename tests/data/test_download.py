"""Files of Quick, Draw! by HTTP: whatever a server does, a file is right or it is not there."""

from __future__ import annotations

import contextlib
import random
import shutil
import ssl
import threading
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from bucket import Answer, Bucket

from sketchgen import __version__
from sketchgen.data import download as module
from sketchgen.data import transfer
from sketchgen.data.download import FORMS, download
from sketchgen.data.sources import source_files
from sketchgen.data.transfer import (
    FIRST_PAUSE,
    MAX_PAUSE,
    PartialFile,
    Progress,
    ServerUnavailable,
    check_redirect,
    pause,
)
from sketchgen.errors import CategoryError, DownloadError, OutputError, SettingError

CAT = b"".join(b'{"word":"cat","key_id":"%d","drawing":[[[0,9],[0,9]]]}\n' % n for n in range(4000))
CATS = "full/simplified/cat.ndjson"
HTML = b"<!DOCTYPE html><html><body>Log in to use this network</body></html>"
HALF = len(CAT) // 2
BINARY = b"\x01\x02\x03\x04\x05\x06\x07\x08DE\x01" + b"\x00" * 40
NPZ = b"PK\x03\x04" + b"\x00" * 40


CLOSE = {"Connection": "close"}
"""Said where an answer that looks whole ends the connection; else the client may ask on it once more."""
CONTEXT = ssl.create_default_context()


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """A server of our own, which no proxy stands before."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    # Each client would read all certificates anew, which takes longer than the rest.
    monkeypatch.setattr(ssl, "create_default_context", lambda *arguments, **settings: CONTEXT)
    found = Bucket()
    found.put(CATS, CAT)
    yield found
    found.close()


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between attempts; none is made."""
    found: list[float] = []

    class Stop(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            found.append(timeout or 0.0)
            return self.is_set()

    class Threading:
        Event, Thread = Stop, threading.Thread

    monkeypatch.setattr(module, "threading", Threading)
    return found


def fetched(bucket: Bucket, out: Path, **settings: object) -> bytes:
    """Fetch the cats, and look at them."""
    (path,) = download(["cat"], out, base=bucket.base, **settings)  # pyright: ignore[reportArgumentType]
    assert path == out / "cat.ndjson"
    assert [item.name for item in out.iterdir()] == ["cat.ndjson"], "something was left lying about"
    return path.read_bytes()


def failure(bucket: Bucket, out: Path, kind: type[Exception] = DownloadError, **settings: object) -> str:
    """Fetch the cats in vain, and return the one line."""
    with pytest.raises(kind) as caught:
        download("cat", out, base=bucket.base, **settings)  # pyright: ignore[reportArgumentType]
    text = str(caught.value)
    assert text
    assert "\n" not in text
    assert len(text) < 500
    return text


def left(out: Path) -> bytes | None:
    """What stays for a later run."""
    path = out / ".cat.ndjson.part"
    assert not (out / "cat.ndjson").exists()
    assert path.exists() == (out / ".cat.ndjson.part.etag").exists()
    return path.read_bytes() if path.exists() else None


class TestFetching:
    @pytest.mark.parametrize(
        ("form", "path", "data"),
        [
            ("simplified", "full/simplified/The%20Mona%20Lisa.ndjson", CAT),
            ("raw", "full/raw/The%20Mona%20Lisa.ndjson", CAT),
            ("binary", "full/binary/The%20Mona%20Lisa.bin", BINARY),
            ("npz", "sketchrnn/The%20Mona%20Lisa.npz", NPZ),
            ("npz-full", "sketchrnn/The%20Mona%20Lisa.full.npz", NPZ),
        ],
    )
    def test_every_form(self, form: str, path: str, data: bytes, bucket: Bucket, tmp_path: Path) -> None:
        bucket.put(path, data)
        (found,) = download(["The Mona Lisa"], tmp_path / "deep" / "out", form, base=bucket.base + "/")
        assert found.read_bytes() == data
        assert found.name == path.split("/")[-1].replace("%20", " ")
        assert [(item.method, item.path) for item in bucket.requests] == [("GET", f"/bucket/{path}")]
        assert bucket.requests[0].headers["user-agent"] == f"sketchgen/{__version__}"
        assert bucket.requests[0].headers["accept-encoding"] == "identity"

    def test_paths_come_in_the_order_asked_for_and_once(self, bucket: Bucket, tmp_path: Path) -> None:
        names = [f"kind {number}" for number in range(12)]
        for name in names:
            bucket.put(f"full/simplified/{name.replace(' ', '%20')}.ndjson", CAT + name.encode())
        wanted = [*reversed(names), *names]
        found = download(wanted, tmp_path, base=bucket.base, jobs=3)
        assert found == [tmp_path / f"{name}.ndjson" for name in reversed(names)]
        assert all(path.read_bytes() == CAT + path.stem.encode() for path in found)
        assert len(bucket.requests) == 12

    def test_what_it_tells(self, bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(transfer, "REPORT_SECONDS", 0.0)
        bucket.put(CATS, CAT, Answer(drop=HALF))
        heard: list[tuple[Progress, threading.Thread]] = []
        download("cat", tmp_path, base=bucket.base, progress=lambda event: heard.append((event, here())))
        here_only = {thread for _, thread in heard}
        assert here_only == {here()}
        events = [event for event, _ in heard]
        sizes = [event.size for event in events]
        assert sizes == sorted(sizes)
        assert {event.state for event in events[:-1]} == {"moving", "waiting"}
        assert events[-1] == Progress("cat.ndjson", "done", len(CAT), len(CAT))
        (waiting,) = [event for event in events if event.state == "waiting"]
        assert waiting.size == HALF
        assert "the connection broke" in waiting.words

    def test_a_redirect_is_followed(self, bucket: Bucket, tmp_path: Path) -> None:
        there = Answer(status=302, headers={"Location": f"{bucket.base}/elsewhere"})
        bucket.put("elsewhere", CAT, Answer(drop=HALF))
        bucket.put(CATS, b"", there, there)
        assert fetched(bucket, tmp_path) == CAT
        assert bucket.starts() == [None, None, HALF, HALF]

    def test_in_chunks_without_a_length(self, bucket: Bucket, tmp_path: Path) -> None:
        bucket.put(CATS, CAT, Answer(chunked=True, drop=HALF), Answer(chunked=True, ranges=False))
        assert fetched(bucket, tmp_path) == CAT
        assert bucket.starts() == [None, HALF]


class TestGoingOn:
    def test_after_a_broken_connection(self, bucket: Bucket, tmp_path: Path, waits: list[float]) -> None:
        bucket.put(CATS, CAT, Answer(drop=HALF), Answer(drop=1000))
        assert fetched(bucket, tmp_path) == CAT
        assert bucket.starts() == [None, HALF, HALF + 1000]
        assert bucket.sent == len(CAT), "a byte was fetched twice"
        assert bucket.requests[1].headers["if-range"].startswith('"')
        assert len(waits) == 2

    def test_in_a_later_run(self, bucket: Bucket, tmp_path: Path) -> None:
        bucket.put(CATS, CAT, Answer(drop=HALF))
        assert "run it again to resume" in failure(bucket, tmp_path, ServerUnavailable, retries=0)
        assert left(tmp_path) == CAT[:HALF]
        assert fetched(bucket, tmp_path) == CAT
        assert bucket.starts() == [None, HALF]

    def test_what_is_left_is_no_source_of_drawings(self, bucket: Bucket, tmp_path: Path) -> None:
        bucket.put(CATS, CAT, Answer(drop=HALF))
        failure(bucket, tmp_path, retries=0)
        whole = tmp_path / "whole.ndjson"
        whole.write_bytes(CAT)
        assert source_files([tmp_path]) == [whole]

    def test_as_long_as_it_gets_further(
        self, bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(transfer, "PROGRESS_BYTES", 1000)
        bucket.put(CATS, CAT, *[Answer(drop=1000)] * 20)
        assert fetched(bucket, tmp_path, retries=1) == CAT
        bucket.put(CATS, CAT, *[Answer(drop=999)] * 20)
        assert "tried 2 times" in failure(bucket, tmp_path / "b", retries=1)

    @pytest.mark.parametrize("heeds", [True, False])
    def test_a_file_that_changed_comes_anew(self, heeds: bool, bucket: Bucket, tmp_path: Path) -> None:
        nameless: dict[str, str | None] = {"x-goog-hash": None}
        bucket.put(CATS, CAT, Answer(drop=HALF, headers=nameless))
        failure(bucket, tmp_path, retries=0)
        other = CAT.replace(b"9", b"7")
        assert len(other) == len(CAT)
        bucket.put(CATS, other, Answer(check_range=heeds, headers=nameless))
        assert fetched(bucket, tmp_path) == other
        assert bucket.starts() == ([None, HALF] if heeds else [None, HALF, None])

    @pytest.mark.parametrize("etag", [None, 'W/"weak"', "bare"])
    def test_needs_a_strong_etag(self, etag: str | None, bucket: Bucket, tmp_path: Path) -> None:
        said: dict[str, str | None] = {"ETag": etag}
        bucket.put(CATS, CAT, Answer(drop=HALF, headers=said), Answer(drop=HALF, headers=said))
        failure(bucket, tmp_path, retries=1)
        assert fetched(bucket, tmp_path) == CAT
        assert bucket.starts() == [None, None, None]

    def test_forms_of_the_same_name_are_not_mixed(self, bucket: Bucket, tmp_path: Path) -> None:
        bucket.put(CATS, CAT, Answer(drop=HALF))
        failure(bucket, tmp_path, retries=0)
        bucket.put("full/raw/cat.ndjson", CAT * 2)
        assert fetched(bucket, tmp_path, form="raw") == CAT * 2
        assert bucket.starts() == [None, None]

    def test_a_second_run_keeps_away(self, bucket: Bucket, tmp_path: Path) -> None:
        with contextlib.closing(PartialFile(tmp_path / "cat.ndjson", "elsewhere")) as part:
            part.append(b"mine")
            assert "another run" in failure(bucket, tmp_path, OutputError)
            assert (tmp_path / ".cat.ndjson.part").read_bytes() == b"mine"
        assert bucket.requests == []
        assert fetched(bucket, tmp_path) == CAT


class TestServersThatMisbehave:
    def test_no_ranges(self, bucket: Bucket, tmp_path: Path) -> None:
        bucket.put(CATS, CAT, Answer(drop=HALF), Answer(ranges=False))
        assert fetched(bucket, tmp_path) == CAT
        assert bucket.starts() == [None, HALF]

    @pytest.mark.parametrize(
        "said",
        [
            f"bytes 0-{len(CAT) - 1}/{len(CAT)}",
            f"bytes {HALF + 1}-{len(CAT) - 1}/{len(CAT)}",
            f"bytes {HALF}-{len(CAT) - 1}/*",
            "nonsense",
            None,
        ],
    )
    def test_another_range(self, said: str | None, bucket: Bucket, tmp_path: Path) -> None:
        wrong = Answer(headers={"Content-Range": said, "x-goog-hash": None})
        bucket.put(CATS, CAT, Answer(drop=HALF), wrong)
        assert fetched(bucket, tmp_path) == CAT
        assert bucket.starts() == [None, HALF, None]

    def test_a_shorter_range(self, bucket: Bucket, tmp_path: Path) -> None:
        said = {"Content-Range": f"bytes {HALF}-{HALF + 99}/{len(CAT)}", "Content-Length": "100", **CLOSE}
        bucket.put(CATS, CAT, Answer(drop=HALF), Answer(headers={**said}, drop=100))
        assert fetched(bucket, tmp_path) == CAT
        assert bucket.starts() == [None, HALF, HALF + 100]

    def test_a_range_beyond_the_whole(self, bucket: Bucket, tmp_path: Path) -> None:
        said = {"Content-Range": f"bytes {HALF}-{len(CAT) - 1}/{len(CAT)}", "ETag": None, "x-goog-hash": None}
        long = Answer(headers={**said}, body=CAT * 2, chunked=True, check_range=False)
        bucket.put(CATS, CAT, Answer(drop=HALF), long)
        assert fetched(bucket, tmp_path) == CAT
        assert bucket.starts() == [None, HALF, None]

    def test_416(self, bucket: Bucket, tmp_path: Path) -> None:
        bucket.put(CATS, CAT, Answer(drop=HALF), Answer(status=416))
        assert fetched(bucket, tmp_path) == CAT
        assert bucket.starts() == [None, HALF, None]

    @pytest.mark.parametrize(
        ("status", "words"),
        [(404, "does not exist"), (410, "--form"), (403, "--base"), (418, "418"), (304, "304")],
    )
    def test_statuses_that_last(self, status: int, words: str, bucket: Bucket, tmp_path: Path) -> None:
        bucket.put(CATS, CAT, Answer(status=status))
        line = failure(bucket, tmp_path)
        assert words in line
        assert "cat.ndjson" in line
        assert len(bucket.requests) == 1
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
    def test_statuses_that_pass(
        self, status: int, bucket: Bucket, tmp_path: Path, waits: list[float]
    ) -> None:
        bucket.put(CATS, CAT, Answer(status=status), Answer(drop=HALF), Answer(status=status))
        assert fetched(bucket, tmp_path) == CAT
        assert bucket.starts() == [None, None, HALF, HALF]
        assert len(waits) == 3

    def test_retry_after_is_heeded(self, bucket: Bucket, tmp_path: Path, waits: list[float]) -> None:
        bucket.put(CATS, CAT, Answer(status=503, headers={"Retry-After": "17"}))
        assert fetched(bucket, tmp_path) == CAT
        assert waits == [17.0]

    def test_a_server_that_wants_too_long_a_pause(
        self, bucket: Bucket, tmp_path: Path, waits: list[float]
    ) -> None:
        bucket.put(CATS, CAT, Answer(status=429, headers={"Retry-After": "86400"}))
        assert "86400 s" in failure(bucket, tmp_path, ServerUnavailable)
        assert (waits, len(bucket.requests)) == ([], 1)

    def test_it_gives_up(self, bucket: Bucket, tmp_path: Path, waits: list[float]) -> None:
        bucket.put(CATS, CAT, *[Answer(status=503)] * 20)
        assert "503 Service Unavailable, tried 4 times" in failure(
            bucket, tmp_path, ServerUnavailable, retries=3
        )
        assert (len(waits), len(bucket.requests)) == (3, 4)
        assert list(tmp_path.iterdir()) == []

    def test_nobody_there(self, bucket: Bucket, tmp_path: Path, waits: list[float]) -> None:
        bucket.close()
        assert "no connection to 127.0.0.1" in failure(bucket, tmp_path, ServerUnavailable, retries=2)
        assert len(waits) == 2

    def test_no_length_at_all(self, bucket: Bucket, tmp_path: Path) -> None:
        bucket.put(CATS, CAT, Answer(headers={"Content-Length": None, "Connection": "close"}, drop=HALF))
        assert "how long" in failure(bucket, tmp_path)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        "there", ["ftp://127.0.0.1/cat", "file:///etc/hosts", f"http://{'a' * 70}.example/cat"]
    )
    def test_a_redirect_elsewhere(self, there: str, bucket: Bucket, tmp_path: Path) -> None:
        bucket.put(CATS, CAT, Answer(status=302, headers={"Location": there}))
        assert "no usable address" in failure(bucket, tmp_path)
        assert len(bucket.requests) == 1

    def test_redirects_without_end(self, bucket: Bucket, tmp_path: Path, waits: list[float]) -> None:
        round_again = Answer(status=302, headers={"Location": f"{bucket.base}/{CATS}"})
        bucket.put(CATS, CAT, *[round_again] * 100)
        assert "without end" in failure(bucket, tmp_path)
        assert waits == []

    @pytest.mark.parametrize(
        ("here", "there", "fine"),
        [("https", "http", False), ("http", "https", True), ("https", "https", True), ("http", "http", True)],
    )
    def test_encryption_is_not_given_up(self, here: str, there: str, fine: bool) -> None:
        asked = httpx.Request("GET", f"{here}://a.example/cat")
        answer = httpx.Response(302, headers={"Location": f"{there}://b.example/cat"}, request=asked)
        if fine:
            check_redirect(answer)
        else:
            with pytest.raises(DownloadError, match="from https to http"):
                check_redirect(answer)


class TestChecks:
    def test_another_md5_is_tried_again(self, bucket: Bucket, tmp_path: Path) -> None:
        bad = Answer(headers={"x-goog-hash": "md5=AAAAAAAAAAAAAAAAAAAAAA=="})
        bucket.put(CATS, CAT, bad)
        assert fetched(bucket, tmp_path) == CAT
        assert bucket.starts() == [None, None]
        bucket.put(CATS, CAT, bad, bad)
        assert "MD5" in failure(bucket, tmp_path / "b", retries=1)
        assert list((tmp_path / "b").iterdir()) == []

    def test_a_byte_that_changed_on_the_disk_is_found(self, bucket: Bucket, tmp_path: Path) -> None:
        bucket.put(CATS, CAT, Answer(drop=HALF))
        failure(bucket, tmp_path, retries=0)
        (tmp_path / ".cat.ndjson.part").write_bytes(CAT[: HALF - 1] + b"?")
        assert fetched(bucket, tmp_path) == CAT
        assert bucket.starts() == [None, HALF, None]

    @pytest.mark.parametrize(
        "said",
        [
            {"x-goog-hash": None},
            {"x-goog-hash": "crc32c=AAAAAA=="},
            {"x-goog-hash": "md5=AAAAAAAAAAAAAAAAAAAAAA==", "x-goog-stored-content-encoding": "gzip"},
        ],
    )
    def test_a_hash_that_says_nothing_of_these_bytes(
        self, said: dict[str, str | None], bucket: Bucket, tmp_path: Path
    ) -> None:
        bucket.put(CATS, CAT, Answer(headers=said))
        assert fetched(bucket, tmp_path) == CAT
        assert bucket.starts() == [None]

    @pytest.mark.parametrize("form", FORMS)
    @pytest.mark.parametrize("body", [HTML, b"\n\n<html>" + b" " * 99, b"", b"<?xml version='1.0'?><Error/>"])
    def test_a_page_is_no_file(self, form: str, body: bytes, bucket: Bucket, tmp_path: Path) -> None:
        kind = FORMS[form]
        bucket.put(f"{kind.folder}/cat{kind.suffix}", body)
        assert f"no {kind.suffix[1:]} file" in failure(bucket, tmp_path, form=form)
        assert list(tmp_path.iterdir()) == []
        assert len(bucket.requests) == 1

    def test_a_page_does_not_cost_what_was_there(self, bucket: Bucket, tmp_path: Path) -> None:
        bucket.put(CATS, CAT, Answer(drop=HALF), Answer(body=HTML))
        assert "login" in failure(bucket, tmp_path)
        assert left(tmp_path) == CAT[:HALF]


class TestWhatStandsThere:
    def test_of_the_same_size_is_left(self, bucket: Bucket, tmp_path: Path) -> None:
        mine = tmp_path / "cat.ndjson"
        mine.write_bytes(b"x" * len(CAT))
        events: list[Progress] = []
        assert download("cat", tmp_path, base=bucket.base, progress=events.append) == [mine]
        assert mine.read_bytes() == b"x" * len(CAT)
        assert [event.state for event in events] == ["there"]
        assert [request.method for request in bucket.requests] == ["HEAD"]

    def test_of_another_size_is_refused(self, bucket: Bucket, tmp_path: Path) -> None:
        mine = tmp_path / "cat.ndjson"
        mine.write_bytes(b"mine")
        line = failure(bucket, tmp_path, OutputError)
        assert all(word in line for word in ("4 bytes", str(len(CAT)), "--force"))
        assert mine.read_bytes() == b"mine"
        assert fetched(bucket, tmp_path, force=True) == CAT

    def test_stays_until_the_new_one_is_whole(self, bucket: Bucket, tmp_path: Path) -> None:
        mine = tmp_path / "cat.ndjson"
        mine.write_bytes(b"mine")
        bucket.put(CATS, CAT, Answer(drop=HALF))
        failure(bucket, tmp_path, force=True, retries=0)
        assert mine.read_bytes() == b"mine"
        assert fetched(bucket, tmp_path, force=True) == CAT
        assert bucket.starts() == [None, HALF]

    def test_comes_up_in_the_meantime(self, bucket: Bucket, tmp_path: Path) -> None:
        mine = tmp_path / "cat.ndjson"
        bucket.put(CATS, CAT, Answer(before=lambda: mine.write_bytes(b"mine")))
        assert "--force" in failure(bucket, tmp_path, OutputError)
        assert mine.read_bytes() == b"mine"

    @pytest.mark.parametrize("force", [True, False])
    def test_a_folder_is_never_replaced(self, force: bool, bucket: Bucket, tmp_path: Path) -> None:
        (tmp_path / "cat.ndjson").mkdir()
        assert "is a folder" in failure(bucket, tmp_path, OutputError, force=force)

    def test_the_folder_is_a_file(self, bucket: Bucket, tmp_path: Path) -> None:
        (tmp_path / "out").write_text("mine")
        assert "cannot be used as a folder" in failure(bucket, tmp_path / "out", OutputError)
        assert bucket.requests == []


class TestDisk:
    def test_full_while_writing(
        self, bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def append(self: PartialFile, data: bytes) -> None:
            real(self, data[: HALF - self.size])
            if self.size == HALF:
                raise OSError(28, "No space left on device")

        real = PartialFile.append
        with monkeypatch.context() as patch:
            patch.setattr(PartialFile, "append", append)
            line = failure(bucket, tmp_path, OutputError)
        assert "no space left on the disk; free some" in line
        assert left(tmp_path) == CAT[:HALF]
        assert len(bucket.requests) == 1
        assert fetched(bucket, tmp_path) == CAT
        assert bucket.starts() == [None, HALF]

    def test_too_small_from_the_start(
        self, bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        usage = namedtuple("usage", "total used free")
        monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(100, 90, 10))
        with pytest.raises(OutputError, match=r"0\.2 MB more and the disk has 0\.0 MB"):
            download(["cat", "dog"], tmp_path, base=bucket.base, jobs=1)
        assert len(bucket.requests) == 1
        assert list(tmp_path.iterdir()) == []


class TestSeveral:
    def test_one_that_is_missing_does_not_keep_the_others(self, bucket: Bucket, tmp_path: Path) -> None:
        bucket.put("full/simplified/dog.ndjson", CAT)
        names = ["a", "cat", "b", "dog", "c", "d"]
        with pytest.raises(DownloadError) as caught:
            download(names, tmp_path, base=bucket.base)
        assert str(caught.value).startswith("4 of 6 files could not be downloaded: a.ndjson: ")
        assert str(caught.value).endswith("; and 1 more")
        assert sorted(path.name for path in tmp_path.iterdir()) == ["cat.ndjson", "dog.ndjson"]

    def test_a_server_that_is_gone_ends_it(self, bucket: Bucket, tmp_path: Path) -> None:
        names = [f"kind{number}" for number in range(50)]
        for name in names:
            bucket.put(f"full/simplified/{name}.ndjson", CAT, *[Answer(status=503)] * 9)
        with pytest.raises(ServerUnavailable):
            download(names, tmp_path, base=bucket.base, jobs=2, retries=1)
        assert len(bucket.requests) <= 12

    @pytest.mark.parametrize("drop", [HALF, None], ids=["broken", "goes on"])
    def test_an_interruption_leaves_what_has_come(
        self, drop: int | None, bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # What goes on sending does so while the run waits for its threads.
        monkeypatch.setattr(module, "_GRACE_SECONDS", 0.1 if drop else 1.0)
        release = threading.Event()
        bucket.put(CATS, CAT, Answer(drop=drop, stall=release))

        def progress(event: Progress) -> None:
            if (tmp_path / ".cat.ndjson.part").stat().st_size == HALF:
                if not drop:
                    threading.Timer(0.3, release.set).start()
                raise KeyboardInterrupt

        monkeypatch.setattr(transfer, "REPORT_SECONDS", 0.0)
        with pytest.raises(KeyboardInterrupt):
            download("cat", tmp_path, base=bucket.base, progress=progress)
        assert left(tmp_path) == CAT[:HALF]
        release.set()
        for thread in threading.enumerate():
            if thread.name == module.THREAD:
                thread.join(10)
        assert left(tmp_path) == CAT[:HALF], "it wrote after the interruption"
        assert bucket.starts() == [None], "it went on after the interruption"
        assert fetched(bucket, tmp_path) == CAT
        assert bucket.starts() == [None, HALF]

    def test_a_bug_is_not_hidden(
        self, bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fails(*arguments: object, **settings: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(module.Transfer, "fetch", fails)
        with pytest.raises(ZeroDivisionError):
            download("cat", tmp_path, base=bucket.base)


class TestBadInput:
    @pytest.mark.parametrize("base", [module.BASE, module.BASE + "/"])
    def test_an_unknown_category_is_refused_before_anything_is_fetched(
        self, base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def new_client(*arguments: object) -> None:
            raise AssertionError("something was fetched")

        monkeypatch.setattr(module, "new_client", new_client)
        with pytest.raises(CategoryError, match="did you mean 'octopus'"):
            download(["cat", "octopuss"], tmp_path / "out", base=base)
        assert not (tmp_path / "out").exists()

    @pytest.mark.parametrize(
        "name",
        [
            "",
            ".",
            "..",
            "../cat",
            "a/b",
            "a\\b",
            "/etc/passwd",
            "cat\n",
            "c\0t",
            ".cat",
            " cat",
            "c:t",
            "é" * 101,
        ],
    )
    def test_names_that_are_none(self, name: str, bucket: Bucket, tmp_path: Path) -> None:
        with pytest.raises(CategoryError) as caught:
            download(["cat", name], tmp_path / "out", base=bucket.base)
        assert "\n" not in str(caught.value)
        assert bucket.requests == []
        assert not (tmp_path / "out").exists()

    def test_a_mirror_may_have_other_names(self, bucket: Bucket, tmp_path: Path) -> None:
        bucket.put("full/simplified/%C3%A9%20%23%25.ndjson", CAT)
        (path,) = download(["é #%"], tmp_path, base=bucket.base)
        assert path.name == "é #%.ndjson"

    @pytest.mark.parametrize(
        "base",
        [
            "",
            "cat",
            "ftp://a.example",
            "http://",
            "https://a.example?x",
            "https://me:secret@a.example",
            "http://[",
            "http://a.example:99999",
            "http://a.example/#x",
            "file:///tmp",
        ],
    )
    def test_a_base_that_is_none(self, base: str, tmp_path: Path) -> None:
        with pytest.raises(SettingError, match=r"^base .*https://"):
            download("cat", tmp_path / "out", base=base)

    @pytest.mark.parametrize(
        ("settings", "words"),
        [
            ({"jobs": 0}, "from 1 to 16"),
            ({"jobs": 17}, "from 1 to 16"),
            ({"retries": -1}, "from 0 to 100"),
            ({"retries": 101}, "from 0 to 100"),
            ({"form": "svg"}, "simplified, raw"),
        ],
    )
    def test_settings_outside_their_limits(
        self, settings: dict[str, object], words: str, bucket: Bucket, tmp_path: Path
    ) -> None:
        assert words in failure(bucket, tmp_path / "out", SettingError, **settings)
        assert not (tmp_path / "out").exists()

    def test_no_categories(self, tmp_path: Path) -> None:
        with pytest.raises(SettingError, match="no categories"):
            download([], tmp_path)

    def test_a_proxy_that_cannot_be_used(
        self, bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTP_PROXY", "gopher://a.example")
        assert "proxy" in failure(bucket, tmp_path)


class TestPauses:
    def test_grow_and_differ(self) -> None:
        for failures in range(1, 40):
            longest = min(MAX_PAUSE, FIRST_PAUSE * 2 ** (failures - 1))
            found = {pause(failures) for _ in range(20)}
            assert len(found) > 1
            assert all(longest / 2 <= seconds <= longest for seconds in found)


@pytest.mark.parametrize("seed", range(25))
def test_whatever_the_server_does_a_file_is_right_or_not_there(
    seed: int, bucket: Bucket, tmp_path: Path
) -> None:
    luck = random.Random(seed)

    def oddity() -> Answer:
        at = luck.randrange(len(CAT))
        return luck.choice(
            [
                Answer(drop=at),
                Answer(drop=at, ranges=False),
                Answer(drop=at, chunked=True),
                Answer(drop=at, check_range=False),
                Answer(status=luck.choice([416, 500, 503, 429])),
                Answer(headers={"ETag": f'"{at}"'}, drop=at),
                Answer(headers={"ETag": None}, drop=at),
                Answer(headers={"Content-Range": f"bytes {at}-{len(CAT) - 1}/{len(CAT)}"}, drop=at),
                Answer(body=CAT[:at], drop=at // 2),
                Answer(body=HTML),
                Answer(status=404),
            ]
        )

    bucket.put(CATS, CAT, *[oddity() for _ in range(12)])
    target = tmp_path / "cat.ndjson"
    for _ in range(20):
        try:
            download("cat", tmp_path, base=bucket.base, retries=luck.randrange(4))
        except DownloadError:
            assert not target.exists()
        else:
            break
    assert target.read_bytes() == CAT
    assert [path.name for path in tmp_path.iterdir()] == ["cat.ndjson"]


def here() -> threading.Thread:
    """The thread that runs."""
    return threading.current_thread()
