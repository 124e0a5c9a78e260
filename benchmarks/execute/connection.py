"""The connection to a Ray cluster, or to one that is started here for the time of a command."""

from __future__ import annotations

import logging
import os
import signal
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from benchmarks.errors import UserError
from benchmarks.execute.shares import available_cores
from benchmarks.variables import variables

AUTO, LOCAL = "auto", "local"
SECONDS_TO_ANSWER = 5.0
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
        raise UserError("--ray: Ray is not installed: pip install 'encoder-bench[ray]'")


@contextmanager
def connected(address: str) -> Iterator[None]:
    """To the cluster at HOST:PORT, the one that this machine is part of ('auto'), or one of this machine's own cores
    that ends with the block ('local'). Raises UserError where there is none.
    """
    check_installed()
    _check_answers(os.environ.get("RAY_ADDRESS") or address if address == AUTO else address)
    import ray

    with variables(QUIET), _silent():
        before = signal.getsignal(signal.SIGTERM)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Ray's own of what it will change
                ray.init(address=address, log_to_driver=False, logging_level=logging.CRITICAL, **_own(address))
        except (OSError, RuntimeError, ValueError) as error:
            said = str(error).strip().splitlines()
            raise UserError(f"--ray {address}: {said[0] if said else type(error).__name__}") from None
        signal.signal(signal.SIGTERM, before)  # which Ray has taken for itself
        try:
            yield
        finally:
            ray.shutdown()


def _own(address: str) -> dict[str, Any]:
    return {"num_cpus": len(available_cores()), "include_dashboard": False} if address == LOCAL else {}


def _check_answers(address: str) -> None:
    """Ray itself would try for two minutes."""
    if address in (AUTO, LOCAL):
        return
    host, _, port = address.rpartition(":")
    if not port.isdigit() or not answers(host.strip("[]"), int(port)):
        raise UserError(
            f"--ray {address}: nothing answers there. `ray start --head` on one machine says the address of its "
            "cluster; --ray local needs none."
        )


def answers(host: str, port: int) -> bool:
    """Whether something listens there."""
    try:
        with socket.create_connection((host, port), SECONDS_TO_ANSWER):
            return True
    except OSError:
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
