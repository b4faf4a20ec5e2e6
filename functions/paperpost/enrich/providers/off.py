"""Enrichment switched off by the operator."""

from paperpost.enrich.answers import Skip
from paperpost.enrich.prompt import Request


class Off:
    """Adds nothing to a paper, so that its announcement is not held back."""

    translates = False
    model = "off"

    def enrich(self, request: Request) -> Skip:  # noqa: ARG002  nothing to ask
        """Skip: there is no provider."""
        return Skip("off")
