"""Enrichment switched off by the operator."""

from paperpost.domain.papers import Paper
from paperpost.enrich.answers import Skip


class Off:
    """Adds nothing to a paper, so that its announcement is not held back."""

    translates = False
    model = "off"

    def enrich(self, paper: Paper, language: str) -> Skip:  # noqa: ARG002  nothing to ask
        """Skip: there is no provider."""
        return Skip("off")
