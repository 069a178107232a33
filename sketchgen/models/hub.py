"""Checkpoints on the Hugging Face hub, by names such as hf://user/name or hf://user/name@revision.

huggingface_hub does the transfers. It keeps what it has fetched in its cache (HF_HOME), asks only for what
has changed, and reads the cache alone with HF_HUB_OFFLINE=1. It is imported when it is first needed.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from sketchgen.errors import CheckpointError, OutputError, SketchgenError, missing_dependency

PREFIX = "hf://"
"""How the name of a checkpoint on the hub begins."""

MAX_FILE_BYTES = 2 * 1024**3
"""Largest file that is fetched; the largest bundled checkpoint has 13 MB."""

_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
_LOG_IN = "log in by `hf auth login`, or set HF_TOKEN"


def is_hub_name(name: str) -> bool:
    """Return whether a name is one of the hub."""
    return name.startswith(PREFIX)


def fetch(name: str, files: Collection[str]) -> Path:
    """Return a folder with those of some files that a repository on the hub has; nothing else is fetched.

    Args:
        name: hf://user/name, or hf://user/name@revision for a branch, a tag or a commit.
        files: names of the files.

    Raises:
        CheckpointError: it is no such name, there is no such repository or revision, it is private, a file is
            too large or arrives incomplete, or the hub cannot be reached and the cache does not have it.
        MissingDependencyError: huggingface_hub is not installed.
    """
    repository, _, revision = name.removeprefix(PREFIX).partition("@")
    _check_repository(repository, name)
    if name.endswith("@"):
        raise CheckpointError(f"{name[:200]!r} names no revision after the @; leave it out for the newest")
    with _errors(name[:200], CheckpointError, f"{_LOG_IN}, if it is private"):
        from huggingface_hub import snapshot_download

        _check_sizes(name, repository, revision or None, files)
        return Path(snapshot_download(repository, revision=revision or None, allow_patterns=list(files)))


def publish(folder: Path, repository: str, *, private: bool = False) -> str:
    """Upload the files of a folder to a repository on the hub, which is made if there is none.

    Args:
        folder: its files are the repository's next commit.
        repository: user/name, with or without hf://.
        private: make a new repository private.

    Returns:
        The address of the commit.

    Raises:
        OutputError: it is no such name, or the hub refuses it or cannot be reached.
        MissingDependencyError: huggingface_hub is not installed.
    """
    repository = repository.removeprefix(PREFIX)
    _check_repository(repository, repository, OutputError)
    with _errors(PREFIX + repository, OutputError, f"{_LOG_IN} with a token that may write"):
        from huggingface_hub import HfApi

        api = HfApi()
        api.create_repo(repository, private=private, exist_ok=True)
        message = "Upload a checkpoint of sketchgen"
        found = api.upload_folder(repo_id=repository, folder_path=folder, commit_message=message)
        return str(found.commit_url)


def _check_repository(repository: str, name: str, error: type[SketchgenError] = CheckpointError) -> None:
    """Check that a text is the name of a repository, user/name."""
    if not _REPOSITORY.fullmatch(repository):
        raise error(
            f"{name[:200]!r} names no repository of the hub; write it as user/name, {PREFIX} before it"
        )


def _check_sizes(name: str, repository: str, revision: str | None, files: Collection[str]) -> None:
    """Check that no file is too large, as far as the hub says; where it is not reached, the cache decides."""
    from huggingface_hub import HfApi, errors

    with contextlib.suppress(OSError, errors.HTTPError):  # pyright: ignore[reportPrivateImportUsage]
        for file in HfApi().model_info(repository, revision=revision, files_metadata=True).siblings or []:
            if file.rfilename in files and (file.size or 0) > MAX_FILE_BYTES:
                limit = f"more than {MAX_FILE_BYTES // 2**20} MB; it is no checkpoint of sketchgen"
                raise CheckpointError(f"{name}: {file.rfilename} has {limit}")


@contextlib.contextmanager
def _errors(name: str, kind: type[SketchgenError], remedy: str) -> Iterator[None]:
    """Say in one line what the hub refuses; `remedy` is for those who may not see or write something."""
    try:
        from huggingface_hub import constants, errors
    except ModuleNotFoundError as error:
        raise missing_dependency(error) or error from error
    try:
        yield
    except errors.GatedRepoError as error:
        raise kind(f"{name} is gated: ask for access on its page, and {_LOG_IN}") from error
    except errors.RevisionNotFoundError as error:
        raise kind(f"{name}: there is no such revision; name a branch, a tag or a commit") from error
    except errors.RepositoryNotFoundError as error:
        raise kind(f"{name} is not on the hub, or may not be seen; check the name, and {remedy}") from error
    except errors.HFValidationError as error:
        raise kind(f"{name} is no name that the hub allows; write it as user/name") from error
    except errors.LocalEntryNotFoundError as error:
        why = "HF_HUB_OFFLINE is set; unset it" if constants.HF_HUB_OFFLINE else "check the network"
        raise kind(f"{name} is not in the cache, and the hub is not reached; {why}") from error
    except (OSError, ValueError, RuntimeError, errors.HTTPError) as error:  # pyright: ignore[reportPrivateImportUsage]
        status = getattr(getattr(error, "response", None), "status_code", None)
        if status in (401, 403):
            raise kind(f"{name}: the hub refuses this ({status}); {remedy}") from error
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise kind(f"{name} cannot be transferred: {reason}; try again") from error
