"""A file that is on its way: what has come of it, what the whole is to be, how it gets its name at last."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from sketchgen.errors import OutputError
from sketchgen.sketch.files import put_in_place, shown, write_atomic

if sys.platform != "win32":
    import fcntl


@dataclass(frozen=True)
class Whole:
    """What a server says of a whole file.

    Attributes:
        url: where it was asked for.
        etag: its strong ETag, by which a file that has changed is told; "" if there is none.
        size: bytes; None if the server does not say.
        md5: of these bytes, in base64; "" if the server does not say.
    """

    url: str
    etag: str = ""
    size: int | None = None
    md5: str = ""


class Part:
    """What has come of a file; made by `opened_part`.

    Two hidden files beside the place where the file will stand: `.<name>.part` holds the bytes, and
    `.<name>.part.info` what the server said of the whole, so that a later run can go on. Neither ends in a
    way that `prepare` would read.
    """

    def __init__(self, target: Path, descriptor: int) -> None:
        self.target = target
        self.whole: Whole | None = None
        self.size = os.fstat(descriptor).st_size
        self._descriptor = descriptor
        self._path, self._info = part_paths(target)

    @property
    def is_whole(self) -> bool:
        """Whether all bytes are there that the server has promised."""
        return self.whole is not None and self.size == self.whole.size

    def resume(self, url: str) -> None:
        """Take up what an earlier run has left, or drop it where the server could not say if it fits."""
        self.whole = _read_info(self._info)
        known = self.whole is not None and self.whole.url == url and self.whole.etag
        if not known or (self.whole and self.whole.size is not None and self.size > self.whole.size):
            self.clear()

    def clear(self) -> None:
        """Forget what has come."""
        os.ftruncate(self._descriptor, 0)
        self.size = 0
        self.whole = None

    def restart(self, whole: Whole) -> None:
        """Begin anew; what the server says is written down before the first byte is."""
        self.clear()
        self.learn(whole)

    def learn(self, whole: Whole) -> None:
        """Keep what the server says of the whole.

        Raises:
            OSError: the disk is full, or gone; what was known before is kept.
        """
        try:
            write_atomic(self._info, json.dumps(asdict(whole)).encode(), force=True)
        except OutputError as error:
            # A full disk is in the way of all files, and it is the file that a person knows that is named.
            raise (error.__cause__ if isinstance(error.__cause__, OSError) else error) from None
        self.whole = whole

    def append(self, data: bytes) -> None:
        """Add bytes at the end. They go straight to the file: what has come survives the program's end.

        Raises:
            OSError: the disk is full, or gone; the bytes that found room are kept.
        """
        os.lseek(self._descriptor, self.size, os.SEEK_SET)
        view = memoryview(data)
        while view:
            count = os.write(self._descriptor, view)
            self.size += count
            view = view[count:]

    def digest(self) -> bytes:
        """The MD5 of what stands on the disk."""
        with self._path.open("rb") as stream:
            return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).digest()

    def finish(self, *, force: bool) -> None:
        """Give the file its name.

        Raises:
            OutputError: a file of that name has come up in the meantime, and `force` is false.
        """
        os.fsync(self._descriptor)
        if sys.platform == "win32":
            self._shut()  # There an open file cannot be renamed; elsewhere the lock is kept until then.
        try:
            put_in_place(self._path, self.target, force)
        except FileExistsError as error:
            raise OutputError(
                f"{shown(self.target)} exists; choose another folder or pass --force"
            ) from error
        self._remove()
        self._shut()

    def close(self) -> None:
        """Let go of the file; where nothing has come, nothing stays."""
        if self._descriptor >= 0 and not self.size:
            self._remove()
        self._shut()

    def hold(self) -> None:
        """See to it that no other run writes the same part.

        Raises:
            OutputError: another one does.
        """
        if self._is_held():
            return
        self.size = -1  # It is theirs: not even what is empty is to be removed.
        raise OutputError(f"{shown(self.target)} is being fetched by another run; wait until it has ended")

    def _is_held(self) -> bool:
        if sys.platform != "win32":
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            except OSError:
                pass  # A file system without locks.
        # The other run may have finished, and given the file its name, between our opening and our holding.
        try:
            return os.path.samestat(os.fstat(self._descriptor), self._path.stat())
        except FileNotFoundError:
            return False

    def _remove(self) -> None:
        for path in (self._path, self._info):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)

    def _shut(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


@contextlib.contextmanager
def opened_part(target: Path, url: str) -> Iterator[Part]:
    """What an earlier run has left of a file, or a new part, for this run alone.

    Raises:
        OutputError: another run is at it.
        OSError: it cannot be opened.
    """
    path, _ = part_paths(target)
    with contextlib.suppress(FileNotFoundError):
        found = path.lstat()
        # A run that was killed while it gave the file its name leaves it two of them. To write to this one
        # would be to write to the finished file.
        if found.st_nlink > 1 or stat.S_ISLNK(found.st_mode):
            path.unlink()
    part = Part(target, os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666))
    try:
        part.hold()
        part.resume(url)
        yield part
    finally:
        part.close()


def part_paths(target: Path) -> tuple[Path, Path]:
    """Where the bytes that have come stand, and what the server said of the whole."""
    return target.with_name(f".{target.name}.part"), target.with_name(f".{target.name}.part.info")


def _read_info(path: Path) -> Whole | None:
    """What an earlier run has written down; None if it is of no use."""
    try:
        found = json.loads(path.read_bytes())
        whole = Whole(found["url"], found["etag"], found["size"], found["md5"])
    except (OSError, ValueError, TypeError, KeyError):
        return None
    words = all(isinstance(word, str) for word in (whole.url, whole.etag, whole.md5))
    return whole if words and (whole.size is None or type(whole.size) is int) else None
