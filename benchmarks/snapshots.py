"""Snapshots of the Hub at a commit: found in the local cache or downloaded, every file as the lock has it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks import lock
from benchmarks.errors import UserError
from benchmarks.files import sha256, write_text
from benchmarks.lock import Locked, Repo

REPLY_WITHIN = 5.0
"""Seconds. The Hub's client tries five times over 24 s and more where a server is away: we ask once before that."""

LOOPBACK = re.compile(r"localhost|127\.\d+\.\d+\.\d+|::1")
"""This machine: what is sent to it is in no network."""

REPO_TYPES = {"encoder": "model", "dataset": "dataset"}

ADVICE = {
    "encoder": "Give a folder instead, fetch it where there is a network (`encoder-bench fetch`), or, to use the "
    "bundled encoder in its place, add --set encoder=minilm.",
    "dataset": "Give the published files with --data-dir, or fetch it where there is a network "
    "(`encoder-bench fetch`).",
}


@dataclass(frozen=True)
class Snapshot:
    """A local folder with files of one commit; `files` are those that were asked for, as paths inside it."""

    folder: Path
    files: tuple[str, ...]

    def checksums(self) -> dict[str, str]:
        return {name: sha256(self.folder / name) for name in self.files}

    def size(self) -> int:
        return sum((self.folder / name).stat().st_size for name in self.files)


# -- commits ---------------------------------------------------------------------------------------------------------


def commits_of(repos: Iterable[Repo], ask_hub: bool) -> dict[Repo, str]:
    """The commit in this machine's cache, else (with `ask_hub`) the Hub's newest; those of neither are left out. Raises
    UserError for names that the Hub can't have, whether it is asked or not.
    """
    repos = list(repos)
    _check_names(repos)
    found = {repo: commit for repo in repos if (commit := cached_commit(repo))}
    return {**found, **newest_commits(set(repos) - set(found))} if ask_hub else found


def _check_names(repos: Iterable[Repo]) -> None:
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    refused = []
    for repo in repos:
        try:
            validate_repo_id(repo.hub_id)
        except HFValidationError as error:
            refused.append(str(_cannot_fetch(repo, error)))
    if refused:
        raise UserError("\n".join(refused))


def cached_commit(repo: Repo) -> str | None:
    """The commit that this machine's Hub cache holds as 'main', if any."""
    ref = _main_ref(repo)
    return ref.read_text(encoding="utf-8").strip() or None if ref.is_file() else None


def _main_ref(repo: Repo) -> Path:
    from huggingface_hub.constants import HF_HUB_CACHE
    from huggingface_hub.file_download import repo_folder_name

    return Path(HF_HUB_CACHE, repo_folder_name(repo_id=repo.hub_id, repo_type=REPO_TYPES[repo.kind]), "refs", "main")


def newest_commits(repos: Iterable[Repo]) -> dict[Repo, str]:
    """What the Hub has now, by one small request each. Raises one UserError that names all that it doesn't give."""
    repos = sorted(repos)
    if not repos:
        return {}
    with ThreadPoolExecutor(max_workers=8) as pool:  # side by side: a silent server costs its time-out once
        answers = dict(zip(repos, pool.map(_newest_or_why_not, repos), strict=True))
    if refused := [str(answer) for answer in answers.values() if isinstance(answer, UserError)]:
        raise UserError("\n".join(refused))
    return {repo: str(answer) for repo, answer in answers.items()}


def _newest_or_why_not(repo: Repo) -> str | UserError:
    try:
        return _commit_on_hub(repo, None)
    except UserError as error:
        return error


def _commit_on_hub(repo: Repo, revision: str | None) -> str:
    """The commit behind a revision. Raises UserError within seconds where the Hub can't be reached or hasn't got it."""
    from huggingface_hub import HfApi

    kind = REPO_TYPES[repo.kind]
    try:
        encrypted_only()
        return str(HfApi().repo_info(repo.hub_id, repo_type=kind, revision=revision, timeout=REPLY_WITHIN).sha)
    except Exception as error:  # the Hub's client raises a dozen types, from its own and its HTTP library's families
        raise _cannot_fetch(repo, error) from None


def encrypted_only() -> None:
    """From now on the Hub's client asks over TLS alone, also where it is led elsewhere: a stranger in the network could
    change what is sent, and read the token. Raises ValueError where the Hub's address is none of TLS.
    """
    from huggingface_hub import constants, get_session

    hooks = get_session().event_hooks
    if _check_encrypted not in hooks["request"]:
        get_session().event_hooks = {**hooks, "request": [*hooks["request"], _check_encrypted]}
    _check_address(constants.ENDPOINT)


def _check_encrypted(request: Any) -> None:
    _check_address(str(request.url))


def _check_address(address: str) -> None:
    parts = urlsplit(address)
    if parts.scheme != "https" and not LOOPBACK.fullmatch(parts.hostname or ""):
        raise ValueError(f"{parts.scheme}://{parts.hostname} is not encrypted; expected https (HF_ENDPOINT).")


# -- files -----------------------------------------------------------------------------------------------------------


def fetched(
    repo: Repo, commit: str, patterns: Sequence[str], complete: Callable[[Path], bool], locked: Locked | None
) -> Snapshot:
    """The files that match `patterns`, from the cache where they are `complete`, else downloaded.

    Raises UserError where they can't be had, or where one isn't the locked file.
    """
    entry = locked if locked and locked.commit == commit else None
    folder = _cached(repo, commit, patterns)
    if folder is None or not complete(folder) or _lacks(folder, patterns, entry):
        folder = _downloaded(repo, commit, patterns)
    if locked is None:
        _remember(repo, commit)
    snapshot = Snapshot(folder, tuple(_matching(folder, patterns)))
    if entry:
        _verify(snapshot, entry)
    return snapshot


def _cached(repo: Repo, commit: str, patterns: Sequence[str]) -> Path | None:
    try:
        return _snapshot(repo, commit, patterns, local_files_only=True)
    except OSError:  # no such snapshot, or one that lacks files
        return None


def _lacks(folder: Path, patterns: Sequence[str], entry: Locked | None) -> bool:
    names = [name for name in entry.files if _matches(name, patterns)] if entry else []
    return not all((folder / name).is_file() for name in names)


def _downloaded(repo: Repo, commit: str, patterns: Sequence[str]) -> Path:
    _commit_on_hub(repo, commit)  # says within seconds what the download would take minutes to say
    try:
        encrypted_only()
        folder = _snapshot(repo, commit, patterns)
    except Exception as error:  # as in _commit_on_hub
        raise (_cannot_keep(repo, error) if _is_local(error) else _cannot_fetch(repo, error)) from None
    for name in _matching(folder, patterns):
        _check_content(folder / name)
    return folder


def _check_content(path: Path) -> None:
    """The Hub names large files (weights, Parquet) by their sha256, and its client keeps them under that name. Raises
    UserError where one isn't what it is named, and throws it away.
    """
    kept = path.resolve()
    if re.fullmatch(r"[0-9a-f]{64}", kept.name) and (found := sha256(kept)) != kept.name:
        path.unlink()
        kept.unlink(missing_ok=True)
        raise UserError(f"{path}: not the file that the Hub names: sha256 {found}, expected {kept.name}.")


def _snapshot(repo: Repo, commit: str, patterns: Sequence[str], **more: Any) -> Path:
    from huggingface_hub import snapshot_download

    kind = REPO_TYPES[repo.kind]
    folder = snapshot_download(repo.hub_id, repo_type=kind, revision=commit, allow_patterns=list(patterns), **more)
    return Path(folder)


def _remember(repo: Repo, commit: str) -> None:
    """The first commit that was downloaded stays this machine's 'main', as when the Hub's client resolves it itself.

    Without it the next run would ask the network again, and take a newer commit's scores for those of other systems.
    """
    if not _main_ref(repo).exists():
        write_text(_main_ref(repo), commit)


def _matching(folder: Path, patterns: Sequence[str]) -> list[str]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    names = [path.relative_to(folder).as_posix() for path in paths]
    return [name for name in names if _matches(name, patterns)]


def _matches(name: str, patterns: Sequence[str]) -> bool:
    """As the Hub's client matches: '*' crosses a '/'."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _verify(snapshot: Snapshot, entry: Locked) -> None:
    for name, found in snapshot.checksums().items():
        expected = entry.files.get(name, found)
        if found != expected:
            raise UserError(
                f"{snapshot.folder / name}: not the locked file: sha256 {found}, expected {expected} ({lock.NAME}).\n"
                f"  Delete the folder {snapshot.folder.parent.parent} and run `encoder-bench fetch` again."
            )


# -- wording ---------------------------------------------------------------------------------------------------------


def _cannot_fetch(repo: Repo, error: Exception) -> UserError:
    what = "is no local folder and can't be fetched" if repo.kind == "encoder" else "can't be fetched"
    return UserError(f"{repo}: {what} from the Hub: {_reason(repo, error)}\n  {ADVICE[repo.kind]}")


def _is_local(error: Exception) -> bool:
    """Whether this machine's files are at fault, such as a full disk: the client's own OSErrors have no number."""
    network = (ConnectionError, TimeoutError)
    return isinstance(error, OSError) and error.errno is not None and not isinstance(error, network)


def _cannot_keep(repo: Repo, error: Any) -> UserError:
    from huggingface_hub.constants import HF_HUB_CACHE

    return UserError(f"{error.filename or HF_HUB_CACHE}: {error.strerror} (while {repo} was fetched)")


def _reason(repo: Repo, error: Exception) -> str:
    from huggingface_hub import constants, errors

    if isinstance(error, errors.GatedRepoError):
        return f"it is gated: accept its terms at {constants.ENDPOINT}/{repo.hub_id}, then `hf auth login`."
    if isinstance(error, errors.RepositoryNotFoundError):
        return f"{constants.ENDPOINT} has no such {REPO_TYPES[repo.kind]}, or it is private (`hf auth login`)."
    if isinstance(error, errors.RevisionNotFoundError):
        return "it has no such commit (any more)."
    if isinstance(error, errors.OfflineModeIsEnabled):
        return f"it is not in the cache ({constants.HF_HUB_CACHE}), and HF_HUB_OFFLINE or --sample allows no network."
    said = str(error).strip().splitlines()
    return f"{constants.ENDPOINT}: {said[0] if said else type(error).__name__}"
