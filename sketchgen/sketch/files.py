"""Writing with care: a file is there whole or not at all, and nothing is overwritten unasked."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from sketchgen.errors import OutputError

UNNAMED = f".{'[0-9a-f]' * 16}.tmp"
"""Files that have not got their name yet: the pattern of theirs."""


def write_atomic(
    path: str | os.PathLike[str], data: bytes, *, force: bool = False, sync: bool = True
) -> None:
    """Write a file whole or not at all: to a temporary name beside it, to the disk, then renamed.

    Args:
        path: the file.
        data: its content.
        force: replace what stands there.
        sync: wait until it is on the disk. One of ten thousand files, which a resumed job checks and makes
            again, need not.

    Raises:
        OutputError: the file exists and `force` is false; no such folder, no permission, or the disk is full.
    """
    write_pieces(path, (data,), force=force, sync=sync)


def write_pieces(
    path: str | os.PathLike[str], pieces: Iterable[bytes], *, force: bool = False, sync: bool = True
) -> None:
    """The same from pieces, which are taken one at a time: for files larger than should be held at once.

    Raises:
        OutputError: as `write_atomic`. What the pieces raise is passed on, and nothing is written.
    """
    target = Path(path)
    check_target(target, force)
    # A short name of its own: the target's name may already be as long as the file system allows.
    temporary = target.parent / f".{secrets.token_hex(8)}.tmp"
    try:
        _write_through(temporary, pieces, sync)
        put_in_place(temporary, target, force)
    except (OSError, ValueError) as error:
        raise OutputError(f"{shown(path)} cannot be written: {reason(error)}") from error
    finally:
        with contextlib.suppress(OSError, ValueError):
            temporary.unlink(missing_ok=True)


def remove_unnamed(folder: Path) -> None:
    """Remove what kills in the middle of writing have left in a folder into which nobody else writes now."""
    for left in folder.glob(UNNAMED):
        with contextlib.suppress(OSError):
            left.unlink()


def prepare_output_folder(path: str | os.PathLike[str], *, force: bool = False) -> Path:
    """Make a folder to write into, parents included, and return it.

    Raises:
        OutputError: it holds something and `force` is false, it is a file, or it cannot be made.
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
    """Refuse a folder that stands there, unless it is to be replaced and is of the kind that is written.

    Args:
        folder: where the new one goes.
        marker: the file that a folder of this kind holds.
        kind: what errors call it, such as "a store".
        force: an empty folder, or one with the marker, may be replaced.

    Raises:
        OutputError: it stands there and may not be replaced.
    """
    if folder.exists() and not force:
        raise OutputError(f"{folder} exists; choose another folder or use --force")
    if folder.exists() and not (folder / marker).exists() and (folder.is_file() or any(folder.iterdir())):
        raise OutputError(f"{folder} is not {kind} and is not replaced; choose another folder")


@contextlib.contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """A new folder beside `folder`, which takes its name (and place) once the block has ended without error.

    At any moment a whole one stands there, or, for the moment between two renames, beside it: see
    `recover_folder`.

    Raises:
        OSError: it cannot be made or renamed; what stood at `folder` before is kept until the renaming.
    """
    work = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    shutil.rmtree(work, ignore_errors=True)
    try:
        work.mkdir(parents=True)
        yield work
        recover_folder(folder)
        if folder.exists():
            folder.rename(_previous(folder))
        work.rename(folder)
        shutil.rmtree(_previous(folder), ignore_errors=True)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _previous(folder: Path) -> Path:
    """Where the folder before the one at `folder` stands while that is being replaced."""
    return folder.with_name(f".{folder.name}.old")


def recover_folder(folder: Path) -> None:
    """Mend what a kill in the middle of replacing a folder has left: the one before it, or too much."""
    if folder.exists():
        shutil.rmtree(_previous(folder), ignore_errors=True)
    elif _previous(folder).exists():
        _previous(folder).rename(folder)


def check_target(target: Path, force: bool) -> None:
    """Refuse what must not be replaced. A device or a pipe is never replaced, even by force."""
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


def _write_through(path: Path, pieces: Iterable[bytes], sync: bool) -> None:
    """Write a new file and, where it is asked for, see it to the disk."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        for data in pieces:
            view = memoryview(data)
            while view:
                view = view[os.write(descriptor, view) :]
        if sync:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def put_in_place(temporary: Path, target: Path, force: bool) -> None:
    """Give the finished file its name; without force by a hard link, which fails where a file has come up."""
    if not force:
        try:
            os.link(temporary, target)
            return
        except FileExistsError:
            raise
        except OSError:
            pass  # A file system without hard links: the check before writing has to do.
    os.replace(temporary, target)


def shown(path: object) -> str:
    """A path on one line of bearable length, for an error."""
    text = str(path).replace("\n", "\\n").replace("\r", "\\r").replace("\0", "\\0")
    return text if len(text) <= 200 else text[:197] + "..."


def reason(error: BaseException) -> str:
    """What the operating system says, without numbers or paths."""
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "no space left on the disk; free some and try again"
    if isinstance(error, OSError) and error.errno == errno.ENOENT:
        return "no such file or folder"
    return (error.strerror if isinstance(error, OSError) else None) or str(error).splitlines()[0]
