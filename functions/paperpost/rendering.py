"""The one Jinja environment: page, mail and feed share its escaping and filters."""

from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from paperpost.domain.mathml import with_formulas
from paperpost.domain.plainmath import plain, sources_marked
from paperpost.domain.text import clean

TEMPLATES = Path(__file__).parent.parent / "templates"

_WEEKDAYS_ZH = "一二三四五六日"
_WEEKDAYS_EN = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS_EN = (
    "Jan",
    "Feb",
    "Mar",
    "Apr",
    "May",
    "Jun",
    "Jul",
    "Aug",
    "Sep",
    "Oct",
    "Nov",
    "Dec",
)


@lru_cache
def environment() -> Environment:
    """
    Return the environment for every template; it has no clock, whoever renders passes dates in.

    A missing variable is an error. Everything is escaped but in `.txt` and `.md` templates.
    """
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(
            enabled_extensions=("html", "xml", "opml"),
            disabled_extensions=("txt", "md"),
            default_for_string=True,
            default=True,
        ),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters.update(
        clean=clean,
        formulas=formulas,
        plain_formulas=plain_formulas,
        date_zh=date_zh,
        date_en=date_en,
        weekday_zh=weekday_zh,
        weekday_en=weekday_en,
        full_date_zh=full_date_zh,
        full_date_en=full_date_en,
        time_hm=time_hm,
        thousands=thousands,
    )
    return made


def render(template: str, **values: Any) -> str:  # noqa: ANN401  what a template needs differs
    """The text of *template* (a path below `templates/`) with *values*."""
    return environment().get_template(template).render(values)


def formulas(text: str) -> Markup:
    """*text* as HTML with its formulas set; everything else in it is escaped."""
    return Markup(with_formulas(text))  # noqa: S704  with_formulas escapes


def plain_formulas(text: str) -> Markup:
    """*text* as HTML, its formulas in Unicode or as source; everything else in it is escaped."""
    return Markup(sources_marked(plain(text)))  # noqa: S704  made of escaped text and <code> alone


def date_zh(on: date) -> str:
    """`3月26日`."""
    return f"{on.month}月{on.day}日"


def date_en(on: date) -> str:
    """`26 Mar`; in English whatever the locale of the process."""
    return f"{on.day} {_MONTHS_EN[on.month - 1]}"


def weekday_zh(on: date) -> str:
    """`星期二`."""
    return f"星期{_WEEKDAYS_ZH[on.weekday()]}"


def weekday_en(on: date) -> str:
    """`Tue`."""
    return _WEEKDAYS_EN[on.weekday()]


def full_date_zh(on: date) -> str:
    """`2024年3月26日 星期二`."""
    return f"{on.year}年{date_zh(on)} {weekday_zh(on)}"


def full_date_en(on: date) -> str:
    """`Tue 26 Mar 2024`."""
    return f"{weekday_en(on)} {date_en(on)} {on.year}"


def time_hm(at: datetime) -> str:
    """`12:20`, in the time zone that *at* carries."""
    return f"{at.hour:02}:{at.minute:02}"


def thousands(count: int) -> str:
    """`1,234`."""
    return f"{count:,}"
