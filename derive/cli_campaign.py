"""The command of campaigns: the options that `derive verify` has for them, and what it prints."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from derive.campaigns import Job

__all__ = ["campaign", "campaign_options", "wanted"]

FORMS: dict[str, Callable[[Any], str]] = {"table": str, "json": lambda done: done.to_json()}

F = TypeVar("F", bound=Callable[..., Any])

OPTIONS = (
    click.option("--workers", type=click.IntRange(1), help="Verify in so many processes."),
    click.option(
        "--log", type=click.Path(dir_okay=False), help="Write verdicts to this log, or go on from it."
    ),
    click.option(
        "--time-limit",
        type=click.FloatRange(0, min_open=True),
        help="Seconds that a problem may take in such a process (300).",
    ),
    click.option(
        "--memory-limit",
        type=click.FloatRange(0, min_open=True),
        help="GiB that such a process may hold (4).",
    ),
    click.option(
        "--retries", type=click.IntRange(0), help="How often a problem is done again whose worker died (0)."
    ),
    click.option("--scheduler", metavar="ADDRESS", help="Verify on a dask cluster, such as tcp://host:8786."),
)


def campaign_options(command: F) -> F:
    """The options of a campaign, on a click command."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def wanted(names: Sequence[str], options: dict[str, Any]) -> bool:
    """Whether a campaign is asked for: by one of its options, or by a file of problems."""
    return any(value is not None for value in options.values()) or any(map(_is_file, names))


def campaign(names: Sequence[str], seed: int, form: str, options: dict[str, Any]) -> int:
    """Verify what the names and files say (the whole catalog without any); the exit code."""
    from derive.campaigns import verify_many

    if form not in FORMS:
        raise click.UsageError(f"a campaign is printed as {' or '.join(FORMS)}, not as {form}")
    sys.path.insert(0, str(Path.cwd()))  # where "module:function" is looked for first, as by python -m
    scheduler = options.pop("scheduler")
    chosen = {name: value for name, value in options.items() if value is not None}
    with _cluster(scheduler) as executor:
        done = verify_many(list(_problems(names)), executor, seed=seed, progress=True, **chosen)
    click.echo(FORMS[form](done))
    return 0 if done.ok else 1


def _is_file(name: str) -> bool:
    return Path(name).suffix in (".jsonl", ".toml") or Path(name).is_file()


def _problems(names: Sequence[str]) -> Iterator[Job | str]:
    from derive.campaigns import read_jobs
    from derive.catalog import CATALOG, entry

    for name in names or CATALOG:
        if not _is_file(name):
            try:
                yield entry(name).name
            except KeyError as error:
                raise click.UsageError(error.args[0]) from None
        elif Path(name).is_file():
            yield from read_jobs(name)
        else:
            raise click.UsageError(f"there is no file {name}")


@contextmanager
def _cluster(address: str | None) -> Iterator[Executor | None]:
    """The executor of the dask cluster at that address; None without one."""
    if address is None:
        yield None
        return
    try:
        from distributed import Client
    except ModuleNotFoundError:
        message = (
            "--scheduler needs the package distributed, here and on the workers: pip install distributed"
        )
        raise click.UsageError(message) from None
    try:
        client = Client(address, timeout=10)
    except (OSError, ValueError) as error:
        raise click.UsageError(f"there is no dask scheduler at {address}: {error}") from None
    with client:
        yield client.get_executor()
