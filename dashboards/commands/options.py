"""What the commands share: how they end, and the options that several of them take."""

import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import typer
from typer.core import TyperGroup

from config.errors import DamagedError, SixkeysError
from config.text.legible import is_text, one_line
from config.text.quoting import in_short, quoted
from config.years import FIRST_YEAR, LAST_YEAR

DEFAULT_CONFIG = Path("sixkeys.yaml")
MOST_PERIODS = 4_000
_Scope = Literal["organisation", "system", "group", "team", "service"]


def say(message: str) -> None:
    """Tells the user something that is not data: on stderr."""
    print(one_line(message), file=sys.stderr, flush=True)


class Commands(TyperGroup):
    """The commands, each ending as its user expects: an error that was foreseen is one line."""

    def invoke(self, context: Any) -> Any:
        """Runs the command."""
        try:
            return super().invoke(context)
        except DamagedError:
            raise
        except SixkeysError as error:
            say(f"sixkeys: {in_short(str(error))}")
            raise typer.Exit(error.exit_status) from None
        except BrokenPipeError:
            raise
        except Exception as error:
            # DuckDB's import takes longer than most of what ends well
            from warehouse.storage.outside_errors import told_plainly

            told = told_plainly(error)
            if told is None:
                raise
            say(f"sixkeys: {in_short(told)}")
            raise typer.Exit(1) from None


def usage_error(error: typer.TyperException) -> str:
    """Wrong usage in one line, with the command whose `--help` says what is right."""
    text = in_short(error.format_message().replace("Value error, ", "").rstrip("."))
    context = getattr(error, "ctx", None)
    return f"{text}; see {context.command_path} --help" if context else text


def require_text(arguments: Sequence[str]) -> None:
    """Raises BadParameter for an argument that is no UTF-8, such as a path: neither DuckDB nor Arrow opens one."""
    for argument in arguments:
        if not is_text(argument):
            raise typer.BadParameter(f"{quoted(argument)} is not UTF-8; rename the file or the folder")


def day_option(text: str | date) -> date:
    """A day as the user writes it, in the years that there are; raises BadParameter."""
    try:
        day = text if isinstance(text, date) else date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{quoted(text)} is not a day; write it like 2026-11-16") from None
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise typer.BadParameter(f"{day} is not in the years from {FIRST_YEAR} to {LAST_YEAR}")
    return day


def pairs(where: Sequence[str] | None) -> dict[str, str]:
    """`["team=payments", "assistance=none"]` as a mapping; raises BadParameter."""
    found = {}
    for text in where or ():
        name, equals, value = text.partition("=")
        if name == "assistance" and value not in ("agent", "none"):
            raise typer.BadParameter(f"{quoted(text)} is neither assistance=agent nor assistance=none")
        if name not in ("system", "group", "team", "service", "assistance") or not equals or not value:
            raise typer.BadParameter(
                f"{quoted(text)} names no system, group, team or service; write it like team=payments, or"
                " assistance=agent"
            )
        found[name] = value
    return found


def one_scope(where: Sequence[str] | None) -> tuple[_Scope, str] | None:
    """The team, group or system that has a scorecard of its own, None for the organisation; raises BadParameter."""
    found = list(pairs(where).items())
    if len(where or ()) > 1 or (found and found[0][0] in ("service", "assistance")):
        raise typer.BadParameter("a scorecard is of one team, group or system; write it like team=payments")
    return cast(tuple[_Scope, str], found[0]) if found else None


def one_name(where: Sequence[str] | None) -> dict[str, str]:
    """The one system, group, team or service of `--where`, empty for all of them; raises BadParameter."""
    found = pairs(where)
    if len(where or ()) > 1 or "assistance" in found:
        raise typer.BadParameter(
            "signals are of all or of one system, group, team or service; write it like team=payments"
        )
    return found


def require_order(first: date | None, after: date | None, option: str = "--to") -> None:
    """Raises BadParameter for a range without a day in it."""
    if first and after and first >= after:
        raise typer.BadParameter(
            f"{after} is not after {first}: the second is the first day that no longer counts"
        )


def require_few_periods(period: str | None, first: date | None, after: date | None) -> None:
    """Raises BadParameter for a range of so many periods that nobody waits for them, or reads them."""
    if period and first:
        days = ((after or date.today()) - first).days
        n = days // {"day": 1, "week": 7, "month": 28}[period]
        if n > MOST_PERIODS:
            most = f"{MOST_PERIODS:,}"
            raise typer.BadParameter(
                f"{n:,} {period}s are more than the {most} that are shown; begin later with --from"
            )


ConfigOption = Annotated[Path, typer.Option("--config", metavar="FILE", help="The configuration.")]
WarehouseOption = Annotated[
    Path | None,
    typer.Option("--warehouse", metavar="FILE", help="Another warehouse than the configured one."),
]
First = Annotated[
    date | None,
    typer.Option("--from", parser=day_option, metavar="DAY", help="The first day, as 2026-11-16."),
]
After = Annotated[
    date | None, typer.Option("--to", parser=day_option, metavar="DAY", help="The first day after.")
]
Where = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        metavar="NAME=VALUE",
        help="Only this system, group, team or service, or assistance=agent or none; can be repeated.",
    ),
]
Whose = Annotated[
    list[str] | None,
    typer.Option("--where", metavar="NAME=VALUE", help="That of a team or a system, as team=payments."),
]
WithBelow = Annotated[
    list[str] | None,
    typer.Option("--where", metavar="NAME=VALUE", help="Those of a system, team or service, and below it."),
]
ScopeOption = Annotated[
    _Scope | None, typer.Option("--by", help="A row for each; else one for what --where narrows to.")
]
PeriodOption = Annotated[
    Literal["day", "week", "month"] | None,
    typer.Option("--period", help="A row for each; else one for the whole range."),
]
TableFormat = Annotated[Literal["table", "json", "csv"], typer.Option("--format", help="How it is written.")]
FileFormat = Annotated[Literal["csv", "parquet"], typer.Option("--format", help="How they are written.")]
PageFormat = Annotated[
    Literal["html", "md", "json", "txt"] | None,
    typer.Option("--format", help="How it is written; html by default."),
]
