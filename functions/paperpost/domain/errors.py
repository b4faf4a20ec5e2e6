"""What can go wrong, one class for each condition that somebody handles."""


class PaperpostError(Exception):
    """Base of all errors that Paperpost raises itself; its text is one line for a person."""


class FeedError(PaperpostError):
    """A feed cannot be believed; nothing of it was stored, so a later poll may retry."""

    def __init__(self, source: str, problem: str, *, status: int | None = None) -> None:
        self.source, self.problem, self.status = source, problem, status
        answer = f" (HTTP {status})" if status is not None else ""
        super().__init__(f"{source}: {problem}{answer}")


class InvalidInputError(PaperpostError):
    """A value from outside does not have the form that is documented for it."""


class RecordError(PaperpostError):
    """A line of a records file is not a record; the text names file and line."""


class ConflictError(PaperpostError):
    """Another writer changed the item in between; reading it anew and trying again may help."""


class RefusedError(PaperpostError):
    """A candidate would empty, shrink or set back what readers see; the old file stays."""

    def __init__(self, path: str, reason: str) -> None:
        self.path, self.reason = path, reason
        super().__init__(f"{path} not published: {reason}")
