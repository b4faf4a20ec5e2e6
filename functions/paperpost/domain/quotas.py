"""What SES lets an account send, and how much of it is kept for what cannot wait."""

from dataclasses import dataclass

# A reader who signs up waits for the confirmation; a letter may wait for tomorrow. A share of the
# day's limit, and never fewer than a sandbox (200 a day) would need.
_RESERVED_SHARE = 0.05
_RESERVED_AT_LEAST = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """
    What SES tells of the account.

    `used`, `limit`: mails in 24 hours, the limit negative for none. `rate`: mails a second.
    `enforcement`: HEALTHY, PROBATION (under review) or SHUTDOWN.
    Source: https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_GetAccount.html, 2026-11-26.
    """

    used: float
    limit: float
    rate: float
    is_sending: bool
    enforcement: str

    @property
    def share(self) -> float:
        """How much of the day's limit is used, 0 without one."""
        return self.used / self.limit if self.limit > 0 else 0.0

    @property
    def left(self) -> float:
        """How many mails may still go, infinite without a limit."""
        return max(self.limit - self.used, 0.0) if self.limit >= 0 else float("inf")

    @property
    def reserved(self) -> float:
        """How many of the day's mails are for confirmations alone."""
        return max(self.limit * _RESERVED_SHARE, _RESERVED_AT_LEAST)


def why_letters_wait(quota: Quota) -> str:
    """Why no letter may go now, or ''."""
    return why_nothing_goes(quota) or (
        f"daily quota: {quota.used:,.0f} of {quota.limit:,.0f} mails sent, the rest is kept for "
        "confirmations"
        if quota.left <= quota.reserved
        else ""
    )


def why_nothing_goes(quota: Quota) -> str:
    """Why SES would refuse any mail now, or ''."""
    if not quota.is_sending:
        return "account: SES has disabled sending"
    if quota.left < 1:
        return f"daily quota: {quota.used:,.0f} of {quota.limit:,.0f} mails sent"
    return ""
