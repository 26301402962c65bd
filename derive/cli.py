"""The command: a thin skin over the library. Data goes to stdout, talk to stderr.

Exit codes: 0 all verified, 1 something refuted or not verified, 2 input that cannot be read.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from derive import __version__
from derive.cli_campaign import campaign, campaign_options, wanted
from derive.errors import DeriveError

if TYPE_CHECKING:
    from derive.catalog import Entry
    from derive.derivation import Derivation
    from derive.documents import Outcome

__all__ = ["cli", "main"]

FORMATS = ("latex", "markdown", "json", "python")
REPORTS = ("table", "json", "junit", "github", "markdown")
KINDS = ("gradient", "derivative", "jacobian", "hessian", "vjp", "jvp")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; errors that derive raises on purpose end in one message and exit code 2."""
    try:
        cli(arguments, prog_name="derive", standalone_mode=False)
    except (click.ClickException, click.Abort) as error:
        if isinstance(error, click.ClickException):
            error.show()
        sys.exit(2)
    except (DeriveError, ValueError) as error:
        click.echo(f"derive: {error}", err=True)
        sys.exit(2)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="derive")
def cli() -> None:
    """Derive gradients, Jacobians and Hessians in closed form, step by step, and prove them."""


@cli.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
def list_(as_json: bool) -> None:
    """List the derivations that ship."""
    from derive.catalog import CATALOG

    if as_json:
        rows = [
            {"name": e.name, "title": e.title, "kind": e.kind, "formula": e.formula} for e in CATALOG.values()
        ]
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    width = max(map(len, CATALOG))
    for e in CATALOG.values():
        click.echo(f"{e.name:{width}}  {e.kind:10}  {e.title}")


@cli.command()
@click.argument("what", metavar="NAME|FORMULA")
@click.option("--wrt", multiple=True, help="What to differentiate by; may be repeated.")
@click.option("--shape", "shapes", help='Shapes of the variables, such as "W: m n, x: n".')
@click.option("--kind", type=click.Choice(KINDS), help="The kind of derivative (gradient, or jacobian).")
@click.option("--assume", multiple=True, metavar="NAME: FACT", help='A declared fact, such as "y: sum=1".')
@click.option(
    "--level",
    type=click.Choice(["brief", "normal", "full"]),
    default="normal",
    show_default=True,
    help="How many steps.",
)
@click.option("--layout", type=click.Choice(["numerator", "denominator"]), help="Jacobians as matrices.")
@click.option("--size", "sizes", help="Sizes for the matrices: 2,3 or m=2,n=3.")
@click.option("--lang", type=click.Choice(["en", "zh"]), help="The language of the rules' names.")
@click.option("--style", type=click.Choice(["plain", "notes"]), help="A ready-made style.")
@click.option("--rules/--no-rules", default=None, help="Name the rule at the end of each row.")
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="latex",
    show_default=True,
    help="What is printed.",
)
def show(what: str, form: str, rules: bool | None, **options: Any) -> None:
    """Show a derivation: one of the catalog by NAME, or that of a FORMULA."""
    from dataclasses import replace

    made = _made(what, options)
    if rules is not None:
        made = replace(made, style=replace(made.style, rules=rules))
    click.echo(_formatted(made, form, options), nl=form != "python")


@cli.command()
@click.argument("names", nargs=-1, metavar="[NAME|FILE]...")
@click.option("--all", "everything", is_flag=True, help="Verify the whole catalog.")
@click.option("--seed", default=0, show_default=True, help="The seed of the samples.")
@click.option(
    "--format",
    "form",
    type=click.Choice(REPORTS),
    default="table",
    show_default=True,
    help="How the reports are printed.",
)
@click.option("--json", "form", flag_value="json", help="The same as --format json.")
@campaign_options
def verify(names: tuple[str, ...], everything: bool, seed: int, form: str, **options: Any) -> None:
    """Verify derivations of the catalog, or of files of problems, with every referee.

    Files, or an option of campaigns, have it done in worker processes or on a cluster: derive.verify_many.
    """
    if wanted(names, options):
        sys.exit(campaign(names, seed, form, options))
    from derive.verification import formats

    if not names and not everything:
        raise click.UsageError("name what to verify, or write --all")
    outcomes = list(_outcomes(names, seed))
    text = formats.FORMATS[form]([o.full_report for o in outcomes])
    if text:
        click.echo(text)
    sys.exit(0 if all(o.ok for o in outcomes) else 1)


@cli.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.argument("names", nargs=-1)
@click.option("--svg", is_flag=True, help="Write the pictures as SVG too (extra: figures).")
def emit(folder: Path, names: tuple[str, ...], svg: bool) -> None:
    """Write the documents of the catalog (or of NAMES) into FOLDER."""
    from derive.documents import write_folder

    outcomes = list(_outcomes(names, 0))
    changed = write_folder(folder, outcomes)
    if svg:
        changed += _pictures(folder, [o.name for o in outcomes])
    for path in changed:
        click.echo(str(path))
    click.echo(f"{len(outcomes)} documents, {len(changed)} files changed", err=True)
    sys.exit(0 if all(o.ok for o in outcomes) else 1)


@cli.command()
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("latex_out"),
    show_default=True,
    help="The folder of the documents.",
)
def demo(out: Path) -> None:
    """Derive, typeset, evaluate and verify the whole catalog."""
    from derive.documents import write_folder

    outcomes = list(_outcomes((), 0))
    changed = write_folder(out, outcomes)
    _table(outcomes)
    click.echo(f"{len(changed)} files of {out} changed", err=True)
    sys.exit(0 if all(o.ok for o in outcomes) else 1)


# ── the work behind the commands ────────────────────────────────────────────────────────────────────


def _made(what: str, options: dict[str, Any]) -> Derivation:
    """The derivation of a catalog name, or of a formula."""
    from derive.catalog import CATALOG
    from derive.derivation import OPERATORS, of_entry
    from derive.read import read_formula

    if what in CATALOG or _is_a_name(what, options):
        chosen = _entry(what)
        about = {"wrt": "--wrt", "shapes": "--shape", "kind": "--kind", "assume": "--assume"}
        given = [option for name, option in about.items() if options[name]]
        if given:
            raise click.UsageError(f"{what} is an entry of the catalog; {given[0]} is for formulas")
        return of_entry(chosen)
    wrt, kind = options["wrt"] or None, options["kind"]
    assume = dict(_pair(text) for text in options["assume"])
    problem = read_formula(what, options["shapes"], assume=assume)
    if wrt is None:
        if len(problem.variables) != 1:
            known = ", ".join(v.name for v in problem.variables)
            ask = f"say by what to differentiate: --wrt one of {known}"
            raise click.UsageError(ask if known else "the formula has no variable to differentiate by")
        wrt = (problem.variables[0].name,)
    if kind is None:
        scalar = all(not problem.definition(o).dims for o in problem.outputs)
        kind = "gradient" if scalar else "jacobian"
    return OPERATORS[kind](problem, wrt)


def _entry(name: str) -> Entry:
    """The entry of that name; an unknown name is answered with those that are near."""
    from derive.catalog import entry

    try:
        return entry(name)
    except KeyError as error:
        said, _, _ = error.args[0].partition("; there are:")
        hint = "" if "did you mean" in said else "; `derive list` shows them all"
        raise click.UsageError(f"{said}{hint}") from None


def _is_a_name(what: str, options: dict[str, Any]) -> bool:
    """Whether the text is meant as a catalog name: words joined by hyphens, and nothing said of variables."""
    words = what.split("-")
    return all(w.isalnum() for w in words) and not options["shapes"] and not options["wrt"]


def _pair(text: str) -> tuple[str, str]:
    name, colon, fact = text.partition(":")
    if not colon:
        raise click.UsageError(f'--assume takes a name and a fact, such as "y: sum=1", not {text!r}')
    return name.strip(), fact.strip()


def _formatted(made: Derivation, form: str, options: dict[str, Any]) -> str:
    sizes = _sizes(made, options["sizes"])
    how = {"level": options["level"], "style": options["style"], "lang": options["lang"]}
    how |= {"layout": options["layout"], "sizes": sizes}
    if form == "python":
        return made.program().source
    if form == "json":
        return json.dumps(_data(made, how), indent=2, ensure_ascii=False)
    fragments = made.fragments(**how)
    if form == "markdown":
        return "\n\n".join(f"$$\n{fragment}\n$$" for fragment in fragments)
    return "\n".join(fragments)


def _data(made: Derivation, how: dict[str, Any]) -> dict[str, Any]:
    """The derivation as plain data."""
    from derive.printing import latex

    parts = []
    for part in made.parts:
        scope = made.exposition(part).scope(made.style)
        steps = [
            {
                "before": latex(step.before, scope.with_free(stage.indices)),
                "after": latex(step.after, scope.with_free(stage.indices)),
                "rules": list(step.rules),
                "level": step.level,
                "given": list(step.given),
            }
            for stage in part.all_stages
            for step in stage.steps
        ]
        form = latex(part.closed_form, scope.with_free(part.indices))
        parts.append({"output": part.output, "wrt": part.wrt, "closed_form": form, "steps": steps})
    lemmas = [latex(lemma.closed_form) for lemma in made.lemmas]
    return {
        "name": made.name,
        "kind": made.kind,
        "formula": (made.original or made.problem).source,
        "parts": parts,
        "lemmas": lemmas,
        "latex": list(made.fragments(**how)),
        "program": made.program().source,
    }


def _sizes(made: Derivation, text: str | None) -> dict[str, int] | None:
    """Sizes as 2,3 (in the order of the dimensions) or m=2,n=3."""
    if text is None:
        return None
    problem = made.original or made.problem
    names = list(dict.fromkeys(str(d) for v in problem.variables for d in v.dims if d.is_Symbol))
    parts = [part.strip() for part in text.split(",") if part.strip()]
    pairs = [tuple(p.split("=", 1)) if "=" in p else (None, p) for p in parts]
    if len([p for p in pairs if p[0] is None]) > len(names):
        raise click.UsageError(f"--size gives {len(parts)} sizes, but the dimensions are {', '.join(names)}")
    sizes = {}
    for (given, number), name in zip(pairs, [*names, *[""] * len(pairs)], strict=False):
        if not str(number).isdigit() or int(number) < 1:
            raise click.UsageError(f"--size takes whole numbers, such as 2,3 or m=2,n=3, not {text!r}")
        sizes[given or name] = int(number)
    return sizes


def _outcomes(names: Sequence[str], seed: int) -> Iterable[Outcome]:
    """The whole path of each entry, with a progress bar on stderr."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from derive.catalog import CATALOG
    from derive.documents import outcome_of

    chosen = [_entry(name).name for name in names] or list(CATALOG)
    columns = (TextColumn("{task.description:30}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=len(chosen))
        for name in chosen:
            progress.update(task, description=name)
            yield outcome_of(name, seed)
            progress.advance(task)


def _table(outcomes: Sequence[Outcome]) -> None:
    """The closing table, and the totals."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for head in ("entry", "result"):
        table.add_column(head, no_wrap=head == "entry", overflow="ellipsis")
    for head in ("steps", "agree", "digits"):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for o in outcomes:
        checks = o.report.checks
        agree = sum(c.status in ("agrees", "kink") for c in checks)
        digits = f"{sum(p.ok for p in o.printed)}/{len(o.printed)}" if o.printed else ""
        verdict = "verified" if o.ok else "NOT VERIFIED"
        table.add_row(o.name, o.closed_form, str(o.steps), f"{agree}/{len(checks)}", digits, verdict)
    console = Console(width=None if sys.stdout.isatty() else 140, markup=False, highlight=False)
    console.print(table)
    steps = sum(o.steps for o in outcomes)
    failing = sum(c.status == "refuted" for o in outcomes for c in o.report.checks if c.referee == "steps")
    printed = [p for o in outcomes for p in o.printed]
    console.print(
        f"\n{len(outcomes)} entries, {sum(o.ok for o in outcomes)} verified; "
        f"{steps} steps checked, {failing} failing; "
        f"{sum(p.ok for p in printed)} of {len(printed)} printed results reproduced"
    )


def _pictures(folder: Path, names: Sequence[str]) -> list[Path]:
    """The pictures of the entries that have one, as SVG."""
    from derive.catalog import CATALOG
    from derive.derivation import of_entry
    from derive.documents import figure
    from derive.documents import svg as write

    written = []
    for name in names:
        chosen = CATALOG[name]
        if chosen.figure:
            path = folder / f"{name}.svg"
            write(figure(of_entry(chosen), chosen.figure), path)
            written.append(path)
    return written
