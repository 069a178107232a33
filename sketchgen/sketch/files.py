"""Read files within limits; write them atomically, and never over another file without permission."""

from __future__ import annotations

import contextlib
import errno
import glob
import hashlib
import json
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sketchgen.errors import FormatError, OutputError, printable

MAX_BYTES = 32 * 1024 * 1024
"""Largest file of one drawing, or line of a file of many, that is read."""

MAX_VALUES = 2_000_000
"""Maximum number of brackets and commas in the JSON of a checkpoint or a store."""

SUMS = "SHA256SUMS"
"""File with the checksums of a folder's other files, in the form of `sha256sum`."""

_TEMPORARY = f".{'[0-9a-f]' * 16}.tmp"
"""Pattern of the names of files that are being written."""


def read_limited(stream: Any, name: str) -> bytes:
    """Return the content of an open file, binary or text, as bytes; errors call it `name`.

    Raises:
        FormatError: it is empty, larger than `MAX_BYTES`, not UTF-8, or cannot be read.
    """
    try:
        data = stream.read(MAX_BYTES + 1)
    except UnicodeDecodeError as error:
        raise FormatError(f"{name} is not UTF-8 text") from error
    except EOFError as error:
        raise FormatError(f"{name} cannot be read: it is damaged or cut off") from error
    except OSError as error:
        raise FormatError(f"{name} cannot be read: {reason(error)}") from error
    data = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else bytes(data or b"")
    if len(data) > MAX_BYTES:
        raise FormatError(f"{name} is larger than {MAX_BYTES // 2**20} MB; simplify or split it")
    if not data.strip():
        raise FormatError(f"{name} is empty")
    return data


def read_object(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file of at most `MAX_BYTES`; an empty one for any other value.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no JSON, too large, or nested too deep.
    """
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES or sum(map(data.count, (b"[", b"{", b","))) > MAX_VALUES:
        raise ValueError("it is too large")
    try:
        value = json.loads(data)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    return value if isinstance(value, dict) else {}


def write_sums(folder: Path) -> None:
    """Write the checksums of a folder's files, see `has_sum`."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name != SUMS)
    (folder / SUMS).write_text("".join(f"{_sha256(path)}  {path.name}\n" for path in files), "utf-8")


def has_sum(path: Path) -> bool:
    """Return whether a file has the checksum in its folder's `SHA256SUMS`; True in older folders without.

    Raises:
        OSError: the file cannot be read.
    """
    try:
        lines = (path.parent / SUMS).read_bytes().splitlines()
    except FileNotFoundError:
        return True
    return f"{_sha256(path)}  {path.name}".encode() in lines


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_atomic(
    path: str | os.PathLike[str], data: bytes, *, force: bool = False, sync: bool = True
) -> None:
    """Write a file completely or not at all: under a temporary name beside it, which is then renamed.

    Args:
        path: the file.
        data: its content.
        force: replace a file that exists.
        sync: wait until it is on the disk. The files of a job that can be resumed need not be.

    Raises:
        OutputError: the file exists and `force` is false; no such folder, no permission, or the disk is full.
    """
    target = Path(path)
    check_target(target, force)
    # A short name of its own: the target's name may already be as long as the file system allows.
    temporary = target.parent / f".{secrets.token_hex(8)}.tmp"
    try:
        _write_through(temporary, data, sync)
        put_in_place(temporary, target, force)
    except (OSError, ValueError) as error:
        raise OutputError(f"{shown(path)} cannot be written: {reason(error)}") from error
    finally:
        with contextlib.suppress(OSError, ValueError):
            temporary.unlink(missing_ok=True)


def remove_unnamed(folder: Path) -> None:
    """Remove the temporary files of killed writers from a folder into which nobody else is writing."""
    for left in folder.glob(_TEMPORARY):
        with contextlib.suppress(OSError):
            left.unlink()


def prepare_output_folder(path: str | os.PathLike[str], *, force: bool = False) -> Path:
    """Create a folder to write into, with its parents, and return it.

    Raises:
        OutputError: it is not empty and `force` is false, it is a file, or it cannot be created.
    """
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        filled = any(folder.iterdir())
        writable = os.access(folder, os.W_OK)
    except (OSError, ValueError) as error:
        raise OutputError(f"{shown(path)} cannot be used as a folder: {reason(error)}") from error
    if not writable:
        raise OutputError(f"{shown(path)} is not writable; choose another folder")
    if filled and not force:
        raise OutputError(f"{shown(path)} exists and is not empty; choose another folder or pass --force")
    return folder


def check_replaceable(folder: Path, marker: str, kind: str, *, force: bool) -> None:
    """Check that a folder does not exist, or may be replaced: by force if it is empty, or holds `marker`.

    Every folder of this kind holds the file `marker`; errors call it `kind`, such as "a store".
    """
    if folder.exists() and not force:
        raise OutputError(f"{folder} exists; choose another folder or use --force")
    if folder.exists() and not (folder / marker).exists() and (folder.is_file() or any(folder.iterdir())):
        raise OutputError(f"{folder} is not {kind} and is not replaced; choose another folder")


@contextlib.contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Yield a new folder that replaces `folder` when the block ends without an error.

    A complete folder exists at any moment, if only, between two renames, under another name: see
    `recover_folder`.

    Raises:
        OSError: it cannot be created or renamed; an earlier `folder` is kept until then.
    """
    work = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    shutil.rmtree(work, ignore_errors=True)
    lock = None
    try:
        work.mkdir(parents=True)
        lock = _lock(work)
        _remove_abandoned(folder)
        yield work
        recover_folder(folder)
        if folder.exists():
            folder.rename(_previous(folder))
        work.rename(folder)
        shutil.rmtree(_previous(folder), ignore_errors=True)
    finally:
        shutil.rmtree(work, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def _lock(folder: Path) -> int | None:
    """Lock a folder until the descriptor is closed; None if another process has, or the system cannot."""
    try:
        import fcntl
    except ImportError:
        return None
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _remove_abandoned(folder: Path) -> None:
    """Remove the partial folders of killed writers, whose locks nobody holds."""
    for left in folder.parent.glob(f".{glob.escape(folder.name)}.*.partial"):
        with contextlib.suppress(OSError):
            if (lock := _lock(left)) is not None:
                shutil.rmtree(left, ignore_errors=True)
                os.close(lock)


def _previous(folder: Path) -> Path:
    """Return the name of the earlier folder while it is being replaced."""
    return folder.with_name(f".{folder.name}.old")


def recover_folder(folder: Path) -> None:
    """Clean up after a process that was killed while it replaced a folder."""
    if folder.exists():
        shutil.rmtree(_previous(folder), ignore_errors=True)
    elif _previous(folder).exists():
        _previous(folder).rename(folder)


def check_target(target: Path, force: bool) -> None:
    """Check that a file may be written: devices, pipes and folders are never replaced, files by force."""
    try:
        mode = target.lstat().st_mode
    except (OSError, ValueError):
        return
    if stat.S_ISDIR(mode):
        raise OutputError(f"{shown(target)} is a folder; name a file in it")
    if not (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
        raise OutputError(f"{shown(target)} is not an ordinary file; choose another name")
    if not force:
        raise OutputError(f"{shown(target)} exists; choose another name or pass --force")


def _write_through(path: Path, data: bytes, sync: bool) -> None:
    """Write a new file, and wait for the disk if `sync` is true."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
        if sync:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def put_in_place(temporary: Path, target: Path, force: bool) -> None:
    """Rename a finished file; without `force` by a hard link, which fails if the name has been taken."""
    if not force:
        try:
            os.link(temporary, target)
            return
        except FileExistsError:
            raise
        except OSError:
            pass  # The file system has no hard links: the check before writing must do.
    os.replace(temporary, target)


def shown(path: object) -> str:
    """Return a path on one line of at most 200 characters, for an error message."""
    text = printable(str(path))
    return text if len(text) <= 200 else text[:197] + "..."


def reason(error: BaseException) -> str:
    """Return the reason that the operating system gives, without numbers or paths."""
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "no space left on the disk; free some and try again"
    if isinstance(error, OSError) and error.errno == errno.ENOENT:
        return "no such file or folder"
    return (error.strerror if isinstance(error, OSError) else None) or str(error).splitlines()[0]
