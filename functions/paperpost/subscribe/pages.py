"""Every answer of the sign-up API: pages in the reader's language, JSON, and problems."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, NamedTuple

from aws_lambda_powertools.event_handler import Response

from paperpost.rendering import render

# Pages behind a token are nobody else's: no cache keeps them, no Referer carries the token away,
# nothing foreign loads, no other site frames the button.
HEADERS: Mapping[str, str | list[str]] = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
}
_HTML = "text/html; charset=utf-8"
_JSON = "application/json; charset=utf-8"
_PROBLEM = "application/problem+json; charset=utf-8"


class Problem(NamedTuple):
    """What the sender is told. Never 403 or 404: the CDN replaces their pages by the site's own."""

    status: HTTPStatus
    zh: str
    en: str


PROBLEMS: Mapping[str, Problem] = {
    "address": Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "这个邮箱地址无法使用：请检查拼写；@ 之前只能用英文字母、数字和常用符号。",
        "This address cannot be used: please check its spelling; "
        "only plain letters, digits and common marks may stand before the @.",
    ),
    "categories": Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "请至少选择一个本站提供的分类。",
        "Please choose at least one of the categories that this site offers.",
    ),
    "no-category": Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "arXiv 没有这个分类：",
        "arXiv has no such category:",
    ),
    "not-carried": Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "本站不收录这个 arXiv 分类：",
        "This site does not carry this category of arXiv:",
    ),
    "zone": Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "没有这个时区；请填写 Asia/Shanghai 这样的名称。",
        "There is no such time zone; please give a name such as Asia/Shanghai.",
    ),
    "pause": Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "最多可以暂停一年。",
        "A pause can last a year at most.",
    ),
    "rule-field": Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "规则里冒号之前只能写 title、abstract、author（标题、摘要、作者）；不认识的词：",
        "Before a rule's colon only title, abstract or author can stand; not known:",
    ),
    "rule-empty": Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "这条规则里没有可查找的字词：",
        "There is no word to look for in this rule:",
    ),
    "rule-long": Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "一条规则最多 100 个字符；过长的一条开头是：",
        "A rule has 100 characters at most; the one that is too long begins with:",
    ),
    "rule-quote": Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "这条规则的引号不成对：",
        "The quotation mark of this rule is not closed:",
    ),
    "rule-many": Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "最多 50 条规则；从这一条起放不下了：",
        "There is room for 50 rules; the first without a place is:",
    ),
    "field": Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "有一项填写有误。",
        "One of the fields has a value that cannot be used.",
    ),
    "encoding": Problem(
        HTTPStatus.BAD_REQUEST,
        "提交的内容无法读取。",
        "What was sent cannot be read.",
    ),
    "content-type": Problem(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "请用网页表单或 JSON 提交。",
        "Please send a web form or JSON.",
    ),
    "too-long": Problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "提交的内容过长。",
        "What was sent is too long.",
    ),
    "too-many": Problem(
        HTTPStatus.TOO_MANY_REQUESTS,
        "近一小时内订阅请求过多，请稍后再试。",
        "There were too many sign-ups within the hour. Please try again later.",
    ),
    "link": Problem(
        HTTPStatus.BAD_REQUEST,
        "链接不完整或无效，请从邮件里重新打开。",
        "The link is incomplete or not valid. Please open it from the mail again.",
    ),
    "expired": Problem(
        HTTPStatus.GONE,
        "确认链接已过期（48 小时内有效），请重新订阅。",
        "The confirmation link has expired (it lasts 48 hours). Please subscribe again.",
    ),
    "used": Problem(
        HTTPStatus.GONE,
        "这个确认链接已经用过。想改偏好，请点任何一封来信末尾的“偏好”；想再订阅，请重新填写表单。",
        "This confirmation link has been used. Every mail ends with a link to your preferences; "
        "to subscribe again, please fill in the form.",
    ),
    "gone": Problem(
        HTTPStatus.GONE,
        "这个订阅已不存在。",
        "This subscription no longer exists.",
    ),
    "method": Problem(
        HTTPStatus.METHOD_NOT_ALLOWED,
        "这个地址不接受此类请求。",
        "This address does not take requests of this kind.",
    ),
    "path": Problem(
        HTTPStatus.BAD_REQUEST,
        "没有这个地址。",
        "There is no such address.",
    ),
    "busy": Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "服务繁忙，请稍后再试。",
        "The service is busy. Please try again in a moment.",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """How to answer whoever asks."""

    chinese: bool
    wants_json: bool

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> "Reader":
        """The reader that a request's headers (names in lower case) tell of."""
        accept = headers.get("accept", "")
        return cls(
            # The site's first language is Chinese; a browser set to another one reads English.
            chinese=headers.get("accept-language", "zh").strip().lower().startswith(("zh", "*")),
            wants_json="text/html" not in accept
            and ("json" in accept or "json" in headers.get("content-type", "")),
        )


def show(
    reader: Reader,
    page: str,
    *,
    site: Mapping[str, str],
    status: HTTPStatus = HTTPStatus.OK,
    **values: Any,  # noqa: ANN401  what a page needs differs
) -> Response[str]:
    """The page `forms/<page>.html`, or `{"status": <page>}` for a program."""
    if reader.wants_json:
        return _respond(status, _JSON, json.dumps({"status": page}))
    return _respond(status, _HTML, _page(reader, page, site=site, **values))


def problem(
    reader: Reader,
    name: str,
    *,
    site: Mapping[str, str],
    field: str = "",
    word: str = "",
    allow: str = "",
) -> Response[str]:
    """The problem *name* of PROBLEMS as a page, or as JSON (RFC 9457) for a program."""
    status, zh, en = PROBLEMS[name]
    extra = {"Allow": allow} if allow else {}
    if not reader.wants_json:
        text = zh if reader.chinese else en
        page = _page(reader, "problem", site=site, text=text, field=word or field)
        return _respond(status, _HTML, page, extra)
    body = {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": en}
    if field:
        body["field"] = field
    if word:
        body["word"] = word
    return _respond(status, _PROBLEM, json.dumps(body), extra)


def download(value: Mapping[str, Any], *, name: str) -> Response[str]:
    """*value* as a JSON file to save."""
    body = json.dumps(value, ensure_ascii=False, indent=2) + "\n"
    extra = {"Content-Disposition": f'attachment; filename="{name}"'}
    return _respond(HTTPStatus.OK, _JSON, body, extra)


# A template takes whatever values it names.
def _page(reader: Reader, page: str, *, site: Mapping[str, str], **values: Any) -> str:  # noqa: ANN401
    def say(zh: str, en: str) -> str:
        return zh if reader.chinese else en

    return render(f"forms/{page}.html", chinese=reader.chinese, say=say, site=site, **values)


def _respond(
    status: HTTPStatus, content_type: str, body: str, extra: Mapping[str, str] | None = None
) -> Response[str]:
    return Response(
        status_code=status.value,
        content_type=content_type,
        body=body,
        headers={**HEADERS, **(extra or {})},
    )
