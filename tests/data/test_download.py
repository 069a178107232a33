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
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from bucket import Answer, Bucket

from sketchgen import __version__
from sketchgen.data import download as module
from sketchgen.data import transfer
from sketchgen.data.download import FORMS, download
from sketchgen.data.sources import source_files
from sketchgen.data.transfer import PartialFile, Progress, ServerUnavailable, check_redirect
from sketchgen.errors import CategoryError, DownloadError, FormatError, OutputError, SettingError

CAT = b"".join(b'{"word":"cat","key_id":"%d","drawing":[[[0,9],[0,9]]]}\n' % n for n in range(400))
CATS = "full/simplified/cat.ndjson"
HTML = b"<!DOCTYPE html><html><body>Log in to use this network</body></html>"
HALF = len(CAT) // 2
DATA = {".ndjson": CAT, ".bin": b"\x01\x02\x03\x04\x05\x06\x07\x08DE\x01" + bytes(40)}
DATA |= dict.fromkeys((".npz", ".full.npz"), b"PK\x03\x04" + bytes(40))
DATA[".gen.json"] = b'[{"mode":2,"name":"the_mona_lisa"},[],[]]'
CONTEXT = ssl.create_default_context()
NO_HASH: dict[str, str | None] = {"x-goog-hash": None}


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


def fetched(bucket: Bucket, out: Path, **settings: Any) -> bytes:
    """Fetch the cats, and look at them."""
    (path,) = download(["cat"], out, base=bucket.base, **settings)
    assert [item.name for item in out.iterdir()] == [path.name] == ["cat.ndjson"]
    return path.read_bytes()


def failure(bucket: Bucket, out: Path, kind: type[Exception] = DownloadError, **settings: Any) -> str:
    """Fetch the cats in vain, and return the one line."""
    with pytest.raises(kind) as caught:
        download("cat", out, base=bucket.base, **settings)
    text = str(caught.value)
    assert text
    assert "\n" not in text
    assert len(text) < 500
    return text


def left(out: Path) -> bytes:
    """What stays for a later run."""
    assert sorted(path.name for path in out.iterdir()) == [".cat.ndjson.part", ".cat.ndjson.part.etag"]
    return (out / ".cat.ndjson.part").read_bytes()


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_fetched(form: str, bucket: Bucket, tmp_path: Path) -> None:
    name = FORMS[form].file("The Mona Lisa")
    path, data = f"{FORMS[form].folder}/{quote(name)}", DATA[FORMS[form].suffix]
    bucket.put(path, data)
    (found,) = download(["The Mona Lisa"], tmp_path / "deep" / "out", form, base=bucket.base + "/")
    assert found.read_bytes() == data
    decoder = form.startswith("magenta")
    assert found.name == name == ("the_mona_lisa" if decoder else "The Mona Lisa") + FORMS[form].suffix
    (request,) = bucket.requests
    assert (request.method, request.path) == ("GET", f"/bucket/{path}")
    assert request.headers["user-agent"] == f"sketchgen/{__version__}"
    assert request.headers["accept-encoding"] == "identity"
    bucket.put(path, HTML)
    with pytest.raises(DownloadError, match=f"no {FORMS[form].suffix[1:]} file"):
        download(["The Mona Lisa"], tmp_path / "b", form, base=bucket.base)


def test_a_broken_transfer_goes_on(
    bucket: Bucket, tmp_path: Path, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "REPORT_SECONDS", 0.0)
    bucket.put(CATS, CAT, Answer(drop=HALF), Answer(drop=1000))
    events: list[Progress] = []
    assert fetched(bucket, tmp_path, progress=events.append) == CAT
    assert bucket.starts() == [None, HALF, HALF + 1000]
    assert bucket.sent == len(CAT), "a byte was fetched twice"
    assert bucket.requests[1].headers["if-range"].startswith('"')
    assert 0.5 <= waits[0] <= 1.0
    assert waits[1] > 0.99
    assert [event.size for event in events] == sorted(event.size for event in events)
    assert {event.state for event in events[:-1]} == {"moving", "waiting"}
    assert events[-1] == Progress("cat.ndjson", "done", len(CAT), len(CAT))
    # Attempts are counted from the last one that got further.
    monkeypatch.setattr(transfer, "PROGRESS_BYTES", 1000)
    bucket.put(CATS, CAT, *[Answer(drop=1000)] * 9)
    assert fetched(bucket, tmp_path / "b", retries=1) == CAT
    bucket.put(CATS, CAT, *[Answer(drop=999)] * 9)
    assert "the connection broke" in failure(bucket, tmp_path / "c", retries=1)


def test_a_later_run_goes_on(bucket: Bucket, tmp_path: Path) -> None:
    bucket.put(CATS, CAT, Answer(drop=HALF))
    assert "run it again to resume" in failure(bucket, tmp_path, ServerUnavailable, retries=0)
    bucket.put(CATS, CAT, Answer(body=HTML))
    assert "login" in failure(bucket, tmp_path)
    assert left(tmp_path) == CAT[:HALF], "a page cost what was there"
    with pytest.raises(FormatError, match="holds no drawing"):
        source_files([tmp_path])
    assert fetched(bucket, tmp_path) == CAT
    assert bucket.starts() == [None, HALF, HALF]


@pytest.mark.parametrize("etag", [None, 'W/"weak"', "bare"])
def test_resuming_needs_a_strong_etag(etag: str | None, bucket: Bucket, tmp_path: Path) -> None:
    bucket.put(CATS, CAT, Answer(drop=HALF, headers={"ETag": etag}))
    failure(bucket, tmp_path, retries=0)
    assert fetched(bucket, tmp_path) == CAT
    assert bucket.starts() == [None, None]


@pytest.mark.parametrize("stored", ["identity", "gzip"])
def test_a_byte_that_changed_on_the_disk_is_found(stored: str, bucket: Bucket, tmp_path: Path) -> None:
    # The MD5 of a file that is stored compressed is that of other bytes.
    said: dict[str, str | None] = {"x-goog-stored-content-encoding": stored}
    bucket.put(CATS, CAT, Answer(drop=HALF), Answer(headers=said))
    failure(bucket, tmp_path, retries=0)
    (tmp_path / ".cat.ndjson.part").write_bytes(CAT[: HALF - 1] + b"?")
    assert (fetched(bucket, tmp_path) == CAT) is (stored == "identity")


@pytest.mark.parametrize("heeds", [True, False])
def test_a_file_that_changed_comes_anew(heeds: bool, bucket: Bucket, tmp_path: Path) -> None:
    bucket.put(CATS, CAT, Answer(drop=HALF, headers=NO_HASH))
    failure(bucket, tmp_path, retries=0)
    other = CAT.replace(b"9", b"7")
    bucket.put(CATS, other, Answer(check_range=heeds, headers=NO_HASH))
    assert fetched(bucket, tmp_path) == other
    assert bucket.starts() == ([None, HALF] if heeds else [None, HALF, None])
    # Nor are two forms mixed, whose files have the same name.
    bucket.put(CATS, CAT, Answer(drop=HALF))
    bucket.put("full/raw/cat.ndjson", CAT * 2)
    failure(bucket, tmp_path / "b", retries=0)
    assert fetched(bucket, tmp_path / "b", form="raw") == CAT * 2


def test_a_second_run_keeps_away(bucket: Bucket, tmp_path: Path) -> None:
    with contextlib.closing(PartialFile(tmp_path / "cat.ndjson", "elsewhere")) as part:
        part.append(b"mine")
        assert "another run" in failure(bucket, tmp_path, OutputError)
        assert (tmp_path / ".cat.ndjson.part").read_bytes() == b"mine"
    assert bucket.requests == []
    assert fetched(bucket, tmp_path) == CAT


RANGE = f"bytes {HALF}-{len(CAT) - 1}/{len(CAT)}"
LONG: dict[str, str | None] = {"Content-Range": RANGE, "ETag": None, **NO_HASH}
MOVED = Answer(status=302, headers={"Location": f"/bucket/{CATS}"})
ODD = {
    "no ranges": [Answer(ranges=False)],
    "416": [Answer(status=416)],
    "from the start": [Answer(headers={"Content-Range": f"bytes 0-{len(CAT) - 1}/{len(CAT)}", **NO_HASH})],
    "no whole": [Answer(headers={"Content-Range": RANGE.split("/")[0] + "/*", **NO_HASH})],
    "no range": [Answer(headers={"Content-Range": None, **NO_HASH})],
    "too long": [Answer(headers=LONG, body=CAT * 2, chunked=True, check_range=False)],
    "chunks": [Answer(chunked=True, ranges=False)],
    "busy": [Answer(status=status) for status in (429, 500, 502, 503, 504)],
    "moved": [MOVED],
    "another MD5": [Answer(headers={"x-goog-hash": "md5=AAAAAAAAAAAAAAAAAAAAAA=="})],
}


@pytest.mark.parametrize("name", ODD)
def test_servers_that_misbehave_cost_an_attempt_at_most(name: str, bucket: Bucket, tmp_path: Path) -> None:
    bucket.put(CATS, CAT, Answer(drop=HALF), *ODD[name])
    assert fetched(bucket, tmp_path, retries=6) == CAT
    assert bucket.starts()[:2] == [None, HALF]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(status=404), "does not exist"),
        (Answer(status=410), "--form"),
        (Answer(status=403), "--base"),
        (Answer(status=304), "304"),
        (Answer(body=b""), "it is empty"),
        (Answer(body=b"<?xml version='1.0'?><Error/>"), "no ndjson file"),
        (Answer(headers={"Content-Length": None, "Connection": "close"}, drop=HALF), "how long"),
        (Answer(status=302, headers={"Location": "ftp://127.0.0.1/cat"}), "no usable address"),
        (Answer(status=302, headers={"Location": f"http://{'a' * 70}.example/cat"}), "no usable address"),
        (Answer(status=429, headers={"Retry-After": "86400"}), "86400 s"),
    ],
)
def test_answers_that_last_are_refused_at_once(
    answer: Answer, words: str, bucket: Bucket, tmp_path: Path, waits: list[float]
) -> None:
    bucket.put(CATS, CAT, answer)
    assert words in failure(bucket, tmp_path)
    assert (len(bucket.requests), waits, list(tmp_path.iterdir())) == (1, [], [])


def test_attempts_end(bucket: Bucket, tmp_path: Path, waits: list[float]) -> None:
    bucket.put(CATS, CAT, *[Answer(status=503, headers={"Retry-After": "17"})] * 9)
    line = failure(bucket, tmp_path, ServerUnavailable, retries=3)
    assert "503 Service Unavailable, tried 4 times" in line
    assert (waits, len(bucket.requests), list(tmp_path.iterdir())) == ([17.0] * 3, 4, [])
    bucket.put(CATS, CAT, *[MOVED] * 30)
    assert "without end" in failure(bucket, tmp_path)
    bad = Answer(headers={"x-goog-hash": "md5=AAAAAAAAAAAAAAAAAAAAAA=="})
    bucket.put(CATS, CAT, bad, bad)
    assert "MD5" in failure(bucket, tmp_path, retries=1)
    bucket.close()
    assert "no connection to 127.0.0.1" in failure(bucket, tmp_path, ServerUnavailable, retries=2)
    assert list(tmp_path.iterdir()) == []


def test_encryption_is_not_given_up() -> None:
    for here, there in (("http", "https"), ("https", "https"), ("https", "http")):
        asked = httpx.Request("GET", f"{here}://a.example/cat")
        answer = httpx.Response(302, headers={"Location": f"{there}://b.example/cat"}, request=asked)
        refused = pytest.raises(DownloadError, match="from https to http")
        with refused if (here, there) == ("https", "http") else contextlib.nullcontext():
            check_redirect(answer)


def test_a_file_that_exists_is_kept_or_replaced_by_force(bucket: Bucket, tmp_path: Path) -> None:
    mine = tmp_path / "cat.ndjson"
    bucket.put(CATS, CAT, Answer(before=lambda: mine.write_bytes(b"mine")))
    line = failure(bucket, tmp_path, OutputError) + failure(bucket, tmp_path, OutputError)
    assert all(word in line for word in ("exists; choose", "4 bytes", str(len(CAT)), "--force"))
    bucket.put(CATS, CAT, Answer(drop=HALF))
    failure(bucket, tmp_path, force=True, retries=0)
    assert mine.read_bytes() == b"mine", "it is kept until the new one is whole"
    assert fetched(bucket, tmp_path, force=True) == CAT
    events: list[Progress] = []
    assert download("cat", tmp_path, base=bucket.base, progress=events.append) == [mine]
    assert [event.state for event in events] == ["there"]
    assert bucket.requests[-1].method == "HEAD"
    mine.unlink()
    mine.mkdir()
    assert "is a folder" in failure(bucket, tmp_path, OutputError, force=True)
    (tmp_path / "out").write_text("mine")
    assert "cannot be used as a folder" in failure(bucket, tmp_path / "out", OutputError)


def test_a_full_disk_ends_the_run(bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def append(self: PartialFile, data: bytes) -> None:
        real(self, data[: HALF - self.size])
        raise OSError(28, "No space left on device")

    real, usage = PartialFile.append, namedtuple("usage", "total used free")
    with monkeypatch.context() as patch:
        patch.setattr(PartialFile, "append", append)
        assert "no space left on the disk; free some" in failure(bucket, tmp_path, OutputError)
    assert left(tmp_path) == CAT[:HALF]
    assert fetched(bucket, tmp_path) == CAT
    assert bucket.starts() == [None, HALF]
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(100, 90, 10))
    with pytest.raises(OutputError, match=r"0\.0 MB more and the disk has 0\.0 MB"):
        download(["cat", "dog"], tmp_path / "b", base=bucket.base, jobs=1)
    assert len(bucket.requests) == 3


def test_several_files(bucket: Bucket, tmp_path: Path) -> None:
    bucket.put("full/simplified/%C3%A9%20%23%25.ndjson", CAT)
    (tmp_path / "é #%.ndjson").write_bytes(CAT)
    assert download(["é #%", "cat", "é #%"], tmp_path, base=bucket.base) == [
        tmp_path / "é #%.ndjson",
        tmp_path / "cat.ndjson",
    ]
    # One that is missing does not keep the others.
    with pytest.raises(DownloadError) as caught:
        download(["a", "cat", "b", "é #%", "c", "d"], tmp_path / "b", base=bucket.base)
    assert str(caught.value).startswith("4 of 6 files could not be downloaded: a.ndjson: ")
    assert str(caught.value).endswith("; and 1 more")
    assert sorted(path.name for path in (tmp_path / "b").iterdir()) == ["cat.ndjson", "é #%.ndjson"]
    # A server that is gone ends the run.
    names = [f"kind{number}" for number in range(50)]
    for name in names:
        bucket.put(f"full/simplified/{name}.ndjson", CAT, *[Answer(status=503)] * 9)
    asked = len(bucket.requests)
    with pytest.raises(ServerUnavailable):
        download(names, tmp_path, base=bucket.base, jobs=2, retries=1)
    assert len(bucket.requests) - asked <= 12


@pytest.mark.parametrize("drop", [HALF, None], ids=["broken", "goes on"])
def test_an_interruption_leaves_what_has_come(
    drop: int | None, bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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
    assert fetched(bucket, tmp_path) == CAT
    assert bucket.starts() == [None, HALF], "it went on after the interruption"


NAMES = ("", "..", "a/b", "a\\b", "cat\n", "c\0t", ".cat", " cat", "c:t", "é" * 101)
BASES = ("", "ftp://a.example", "http://", "https://a.example?x", "https://me:secret@a.example", "http://[")
BASES += ("http://a.example:99999", "http://a.example/#x", "file:///tmp")
BAD: list[tuple[Any, dict[str, Any], type[Exception], str]] = [
    (["cat", "octopuss"], {"base": module.BASE + "/"}, CategoryError, "did you mean 'octopus'"),
    ([], {}, SettingError, "no categories"),
    *((["cat", name], {}, CategoryError, "categor") for name in NAMES),
    *(("cat", {"base": base}, SettingError, "^base .*https://") for base in BASES),
    *(("cat", {"jobs": jobs}, SettingError, "from 1 to 16") for jobs in (0, 17)),
    *(("cat", {"retries": retries}, SettingError, "from 0 to 100") for retries in (-1, 101)),
    ("cat", {"form": "svg"}, SettingError, "simplified, raw"),
]


def test_bad_input_is_refused_before_anything_is_fetched(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for names, how, kind, words in BAD:
        with pytest.raises(kind, match=words) as caught:
            download(names, tmp_path / "out", **{"base": bucket.base, **how})
        assert "\n" not in str(caught.value)
        assert not (tmp_path / "out").exists()
    monkeypatch.setenv("HTTP_PROXY", "gopher://a.example")
    assert "proxy" in failure(bucket, tmp_path)
    assert bucket.requests == []
    # A bug is not hidden.
    monkeypatch.delenv("HTTP_PROXY")
    monkeypatch.setattr(module.Transfer, "fetch", lambda *arguments, **settings: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        download("cat", tmp_path, base=bucket.base)


@pytest.mark.parametrize("seed", range(10))
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
