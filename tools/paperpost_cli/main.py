"""The operator's command: `paperpost local`, `render`, `invoke`, `status`."""

import argparse
import sys
from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path

from paperpost.domain.errors import InvalidInputError, PaperpostError
from paperpost.observe import logger

_MOST_READERS = 5000
_LAST_PORT = 65535
_Run = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command, return its exit status; an expected error is one line on standard error."""
    options = _parser().parse_args(arguments)
    logger.setLevel("WARNING")  # what the functions log in the cloud is noise on a terminal
    run: _Run = options.run
    try:
        return run(options)
    except PaperpostError as exc:
        print(f"paperpost: {exc}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="paperpost", description="New arXiv papers in your feed reader and inbox."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_local(commands.add_parser("local", help="the laptop cloud: everything on this machine"))
    _add_render(commands.add_parser("render", help="one rendering on standard output, no AWS"))
    _add_invoke(commands.add_parser("invoke", help="one function with one event"))
    _add_backfill(commands.add_parser("backfill", help="days that were never fetched"))
    _add_status(commands.add_parser("status", help="the receipts; 1 if they do not add up"))
    _add_issue(
        commands.add_parser("issue", help="one issue's letters: show, resume, resend, preview")
    )
    _add_subscribers(commands.add_parser("subscribers", help="list, import, export or erase them"))
    return parser


def _add_subscribers(parser: argparse.ArgumentParser) -> None:
    tasks = parser.add_subparsers(required=True, metavar="TASK", dest="task")
    listed = tasks.add_parser("list", help="counts by status, and every one without its address")
    exported = tasks.add_parser("export", help="a CSV file, addresses included")
    exported.add_argument("file", type=Path, metavar="FILE.csv")
    imported = tasks.add_parser("import", help="sign up the addresses of a CSV file")
    imported.add_argument(
        "file", type=Path, metavar="FILE.csv",
        help="columns address and categories; language, cadence, length as you like",
    )  # fmt: skip
    imported.add_argument(
        "--confirmed", action="store_true",
        help="they have consented already; else each is sent a confirmation",
    )  # fmt: skip
    imported.add_argument(
        "--consent-source", default="", metavar="TEXT",
        help="where and when they did; needed with --confirmed, and kept",
    )  # fmt: skip
    erased = tasks.add_parser("erase", help="remove all that is personal, for good")
    erased.add_argument("who", metavar="ADDRESS_OR_ID")
    for task in (listed, exported, imported, erased):
        task.add_argument("--stack", metavar="NAME", help="in AWS; without it, the laptop cloud")
        task.add_argument("--json", action="store_true", help="the counts as JSON, without a bar")
        task.set_defaults(run=_subscribers)
    for task in (imported, erased):
        task.add_argument("--dry-run", action="store_true", help="only say what would be done")


def _add_local(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--once", action="store_true", help="end when the replayed days are through"
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="where site, mail, receipt and state go"
    )
    parser.add_argument("--live", action="store_true", help="today's arXiv instead of a replay")
    parser.add_argument(
        "--feed", type=Path, action="append", default=[], metavar="FILE",
        help="a recorded announcement feed to replay (repeatable)",
    )  # fmt: skip
    parser.add_argument(
        "--category", action="append", default=[], metavar="CAT",
        help="a category to follow (repeatable; default: those the feeds announce)",
    )  # fmt: skip
    parser.add_argument("--subscribers", type=_count, metavar="N", help="readers to make up")
    parser.add_argument("--port", type=_port, default=8000, help="of the front door (default 8000)")
    parser.add_argument(
        "--template", type=Path, metavar="FILE", help="another template than ./template.yaml"
    )
    parser.set_defaults(run=_local)


def _add_render(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", choices=["rss", "atom", "json", "markdown", "letter"])
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--records", type=Path, metavar="FILE", help="JSON lines, one paper each")
    source.add_argument(
        "--archive", type=Path, metavar="FILE",
        help="the original system's stored papers, JSON lines (markdown only)",
    )  # fmt: skip
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument(
        "--category", metavar="CAT", help="only this category's listings (default: each paper once)"
    )
    chosen.add_argument("--named", metavar="NAME", help="what this named feed chooses (feeds only)")
    parser.add_argument(
        "--feeds", type=Path, metavar="FILE", help="named feeds of FILE (default: data/feeds.toml)"
    )
    parser.add_argument(
        "--now", type=_moment, metavar="T", help="close the window: leave later dates out"
    )
    parser.set_defaults(run=_render)


def _add_invoke(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "function", help="fetch, enrich, publish, compose, deliver, subscribe, feedback"
    )
    parser.add_argument("event", type=Path, metavar="EVENT.json")
    parser.add_argument("--stack", metavar="NAME", help="in AWS; without it, on the laptop cloud")
    parser.set_defaults(run=_invoke)


def _add_status(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--stack", metavar="NAME", help="in AWS; without it, on the laptop cloud")
    parser.add_argument("--json", action="store_true", help="status.json as it is")
    parser.set_defaults(run=_status)


def _add_backfill(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--category", required=True, metavar="CAT", help="a configured category")
    parser.add_argument(
        "--from", dest="first", required=True, type=date.fromisoformat, metavar="DATE",
        help="the first Eastern date (YYYY-MM-DD)",
    )  # fmt: skip
    parser.add_argument(
        "--to", dest="last", required=True, type=date.fromisoformat, metavar="DATE",
        help="the last one, before today",
    )  # fmt: skip
    parser.add_argument("--stack", metavar="NAME", help="in AWS; without it, on the laptop cloud")
    parser.add_argument("--json", action="store_true", help="the counts as JSON, without a bar")
    parser.set_defaults(run=_backfill)


def _add_issue(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    show = actions.add_parser("show", help="its letters by state, and why some were not sent")
    resume = actions.add_parser("resume", help="let letters start that are 36 hours overdue")
    skip = actions.add_parser("skip", help="drop letters that are 36 hours overdue")
    resend = actions.add_parser("resend", help="let letters of unknown fate go again")
    shown = actions.add_parser("preview", help="one reader's letter as files, or as a test mail")
    for action in (show, resume, skip, resend, shown):
        action.add_argument("issue", metavar="ISSUE", help="such as daily-2024-03-26")
        action.add_argument("--stack", metavar="NAME", help="in AWS; without it, the laptop cloud")
        action.set_defaults(run=_issue)
    unlock = actions.add_parser("unlock", help="let mail go out again after a restore of tables")
    unlock.add_argument("--stack", metavar="NAME", help="in AWS; without it, the laptop cloud")
    unlock.add_argument(
        "--open-letters", choices=["skip", "send"],
        help="what becomes of letters that the restored ledger has as open (default: only tell)",
    )  # fmt: skip
    unlock.set_defaults(run=_unlock)
    show.add_argument("--json", action="store_true", help="as JSON")
    resend.add_argument("--subscriber", metavar="ID", help="this reader's alone")
    shown.add_argument(
        "--subscriber", metavar="ID", help="as this reader gets it (default: all, as new readers)"
    )
    shown.add_argument("--out", type=Path, default=Path(), metavar="DIR", help="default: here")
    shown.add_argument("--send", metavar="ADDRESS", help="also mail it there, as a test")


# A command's own modules are imported when it runs, so that `render` starts at once.


def _local(options: argparse.Namespace) -> int:
    from paperpost_cli.local import run_local  # noqa: PLC0415

    return run_local(options)


def _render(options: argparse.Namespace) -> int:
    body = _named(options) if options.named else _rendered(options)
    sys.stdout.buffer.write(body)
    sys.stdout.buffer.flush()
    return 0


def _rendered(options: argparse.Namespace) -> bytes:
    from paperpost_cli.render import render  # noqa: PLC0415

    path: Path = options.records or options.archive
    lines = _text(path).split("\n")
    return render(
        options.kind,
        records_lines=lines if options.records else None,
        archive_lines=lines if options.archive else None,
        category=options.category,
        now=options.now,
        name=str(path),
    )


def _named(options: argparse.Namespace) -> bytes:
    from paperpost_cli.render_named import render_named  # noqa: PLC0415

    if options.archive:
        raise InvalidInputError("a named feed chooses of records, not of an archive")
    return render_named(
        options.kind,
        options.named,
        records_lines=_text(options.records).split("\n"),
        feeds_toml=_text(options.feeds) if options.feeds else None,
        now=options.now,
        name=str(options.records),
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise InvalidInputError(f"{path} cannot be read: {exc}") from exc


def _invoke(options: argparse.Namespace) -> int:
    from paperpost_cli.invoke import run_invoke  # noqa: PLC0415

    return run_invoke(options)


def _status(options: argparse.Namespace) -> int:
    from paperpost_cli.status import run_status  # noqa: PLC0415

    return run_status(options)


def _backfill(options: argparse.Namespace) -> int:
    from paperpost_cli.backfill import run_backfill  # noqa: PLC0415

    return run_backfill(options)


def _unlock(options: argparse.Namespace) -> int:
    from paperpost_cli.unlock import run_unlock  # noqa: PLC0415

    return run_unlock(options)


def _subscribers(options: argparse.Namespace) -> int:
    from paperpost_cli.subscribers import run_subscribers  # noqa: PLC0415

    return run_subscribers(options)


def _count(text: str) -> int:
    number = int(text)
    if not 0 <= number <= _MOST_READERS:
        raise argparse.ArgumentTypeError(f"between 0 and {_MOST_READERS}")
    return number


def _port(text: str) -> int:
    number = int(text)
    if not 0 <= number <= _LAST_PORT:
        raise argparse.ArgumentTypeError(f"between 0 and {_LAST_PORT}")
    return number


def _moment(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise argparse.ArgumentTypeError("needs a time zone, such as 2026-04-21T12:00:00Z")
    return at


if __name__ == "__main__":
    sys.exit(main())


def _issue(options: argparse.Namespace) -> int:
    from paperpost_cli.issue import run_issue  # noqa: PLC0415

    return run_issue(options)
