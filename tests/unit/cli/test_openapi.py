"""The OpenAPI document in docs/ is the code's, and the template has its routes."""

import re

from paperpost_cli.cloud.stack import load_template
from paperpost_cli.laptop import ROOT
from paperpost_cli.openapi import DOCUMENT, document, routes, text


def test_the_document_in_docs_is_the_one_that_the_code_makes() -> None:
    """After a change: `python -m paperpost_cli.openapi`."""
    assert DOCUMENT.read_text(encoding="utf-8") == text(document())


def test_the_template_has_the_routes_that_the_code_answers() -> None:
    """No more and no fewer, all of them in the document."""
    resources = load_template(ROOT / "template.yaml")["Resources"].values()
    kinds = "AWS::ApiGatewayV2::Route"
    keys = {r["Properties"]["RouteKey"] for r in resources if r["Type"] == kinds}

    answered = {f"{method} {path}" for method, path, _ in routes()}

    # The route for all else answers 405 or 400, so that the CDN does not hide it.
    assert answered == keys - {"$default"}
    assert "$default" in keys
    described = {
        f"{method.upper()} {path}"
        for path, methods in document()["paths"].items()
        for method in methods
    }
    assert described == answered


def test_no_answer_is_one_that_the_cdn_would_replace() -> None:
    """Its error page stands for every 403 and 404."""
    answers = re.findall(r'"(\d{3})": \{', text(document()))

    assert "400" in answers
    assert not {"403", "404"} & {*answers}
