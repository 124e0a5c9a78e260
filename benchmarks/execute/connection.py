"""The connection to a Ray cluster, or to one that is started here for the time of a command."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.errors import UserError
from benchmarks.execute.shares import available_cores
from benchmarks.variables import variables

AUTO, LOCAL = "auto", "local"
MODE = "RAY_AUTH_MODE"
SECONDS_TO_ANSWER = 5.0
SECONDS_TO_BE_WELL = 30.0
PROJECT = Path(__file__).parents[2]
GONE = "What is stored stays; the same command goes on."
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_IGNORE_UNHANDLED_ERRORS": "1",  # of runs that were given up
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # and its warning that this will be the default
    "RAY_prestart_worker_first_driver": "0",  # without our tasks' variables: none of these would be used
}
"""One screen has one owner; and what is started here starts nothing in vain."""


def check_installed() -> None:
    """Raises UserError."""
    if find_spec("ray") is None:
        raise UserError("--ray: Ray is not installed; in the clone: pip install -c constraints.txt -e '.[ray]'")


@contextmanager
def connected(address: str) -> Iterator[None]:
    """To the cluster at HOST:PORT, the one that this machine is part of ('auto'), or one of this machine's own cores
    that ends with the block ('local'). Raises UserError where there is none, and where Ray can't go on in the
    block: those of its errors that are a single run's are caught there.
    """
    check_installed()
    _check_answers(os.environ.get("RAY_ADDRESS") or address if address == AUTO else address)
    with variables({**QUIET, **_mode(address)}), _silent():
        import ray

        before = signal.getsignal(signal.SIGTERM)
        with _told(f"--ray {address}", "", OSError, RuntimeError, ValueError), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Ray's own of what it will change
            with chdir(PROJECT):  # where every worker looks for modules first, whatever PYTHONSAFEPATH says
                ray.init(address=address, log_to_driver=False, logging_level=logging.CRITICAL, **_own(address))
        signal.signal(signal.SIGTERM, before)  # which Ray has taken for itself
        try:
            with _told("the Ray cluster can't go on", f"\n  {GONE}"):
                yield
        finally:
            ray.shutdown()


@contextmanager
def _told(what: str, then: str, *kinds: type[Exception]) -> Iterator[None]:
    """Raises UserError for Ray's own errors, and for these."""
    from ray.exceptions import RayError

    try:
        yield
    except (RayError, *kinds) as error:
        said = str(error).strip().splitlines()
        raise UserError(f"{what}: {said[0] if said else type(error).__name__}{then}") from None


def _own(address: str) -> dict[str, Any]:
    return {"num_cpus": len(available_cores()), "include_dashboard": False} if address == LOCAL else {}


def _check_answers(address: str) -> None:
    """Ray itself would try for two minutes."""
    if address in (AUTO, LOCAL):
        return
    host, _, port = address.rpartition(":")
    if not port.isdecimal() or not answers(host.strip("[]"), int(port[:6])):
        raise UserError(
            f"--ray {address}: nothing answers there. `ray start --head` on one machine says the address of its "
            "cluster; --ray local needs none."
        )


def _mode(address: str) -> dict[str, str]:
    """Whether the cluster asks for a token: a connection of the other kind would fail late, and in many words. What is
    started here decides that itself. Raises UserError where no cluster answers, or none that lets this machine in.
    """
    if address == LOCAL:
        return {}
    set_by_user = os.environ.get(MODE)
    for mode in [set_by_user] if set_by_user else ["disabled", "token"]:
        error = _illness(address, mode)
        if error is None:
            return {MODE: mode}
        if mode != "token" and "AuthenticationError" not in error:
            raise UserError(f"--ray {address}: {error}")
    raise UserError(f"--ray {address}: asks for a token that isn't here: the ~/.ray/auth_token of its machines.")


def _illness(address: str, mode: str) -> str | None:
    """What is wrong with the cluster, asked in this mode."""
    command = [sys.executable, "-m", "ray.scripts.scripts", "health-check"]
    command += [] if address == AUTO else ["--address", address]
    own = {**os.environ, MODE: mode, "PYTHONWARNINGS": "ignore"}
    try:
        done = subprocess.run(command, env=own, capture_output=True, text=True, timeout=SECONDS_TO_BE_WELL)
    except subprocess.TimeoutExpired:
        return "what answers there is no Ray cluster, or not a healthy one."
    said = [line for line in done.stderr.splitlines() if line.strip()]
    return (said[-1] if said else f"`ray health-check` ends with {done.returncode}") if done.returncode else None


def answers(host: str, port: int) -> bool:
    """Whether something listens there; what is no host or no port, nothing can."""
    try:
        with socket.create_connection((host, port), SECONDS_TO_ANSWER):
            return True
    except (OSError, ValueError, OverflowError):
        return False


@contextmanager
def _silent() -> Iterator[None]:
    """What happens to nodes and workers is told by us. Ray knows no setting by which it would not print it, too."""
    import ray._private.worker as driver

    before = getattr(driver, "print_to_stdstream", None)
    driver.print_to_stdstream = lambda *_, **__: None
    try:
        yield
    finally:
        driver.print_to_stdstream = before
