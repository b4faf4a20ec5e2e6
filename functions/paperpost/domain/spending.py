"""What enrichment costs on one UTC day, and the caps that an operator sets."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_CEILING, Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """Tokens that a model read and wrote."""

    input: int = 0
    output: int = 0

    @property
    def total(self) -> int:
        """Both."""
        return self.input + self.output


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """
    Prices in USD for a million tokens, and caps for a UTC day; a cap of 0 is none.

    USD for a million tokens are micro-USD for one token.
    """

    input_price: Decimal = Decimal(0)
    output_price: Decimal = Decimal(0)
    most_tokens: int = 0
    most_usd: Decimal = Decimal(0)

    @property
    def most_micro_usd(self) -> int:
        """The money cap as an integer."""
        return int(self.most_usd * 1_000_000)

    def micro_usd(self, tokens: Tokens) -> int:
        """What *tokens* cost, rounded up."""
        cost = tokens.input * self.input_price + tokens.output * self.output_price
        return int(cost.to_integral_value(rounding=ROUND_CEILING))


@dataclass(frozen=True, slots=True, kw_only=True)
class Spend:
    """
    One UTC day: what calls really cost, and what counts for the caps.

    `held_tokens` and `held_micro_usd` hold the worst case of calls that are under way beside what
    the others cost. `capped_at`: when a call was last held back by a cap, None once one was not.
    """

    on: date
    calls: int = 0
    tokens: Tokens = Tokens()
    micro_usd: int = 0
    held_tokens: int = 0
    held_micro_usd: int = 0
    capped_at: datetime | None = None

    @property
    def usd(self) -> float:
        """The money for a reader."""
        return self.micro_usd / 1_000_000


def utc_day(now: datetime) -> date:
    """The day whose caps count at *now*."""
    return now.astimezone(UTC).date()


def resets_at(on: date) -> datetime:
    """When the caps of the day *on* no longer count."""
    return datetime.combine(on + timedelta(days=1), time(), UTC)


def spare_calls(spend: Spend, budget: Budget, worst: Tokens) -> int | None:
    """
    How many calls that cost *worst* fit into half of the day's caps; None without a cap.

    The other half is for what is announced later that day.
    """
    fits = []
    if budget.most_tokens:
        fits.append((budget.most_tokens // 2 - spend.held_tokens) // max(worst.total, 1))
    if budget.most_micro_usd:
        left = budget.most_micro_usd // 2 - spend.held_micro_usd
        fits.append(left // max(budget.micro_usd(worst), 1))
    return max(min(fits), 0) if fits else None
