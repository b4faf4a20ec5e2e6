"""Mail addresses: which ones can be written to, and when two name the same mailbox."""

import re
import unicodedata
from email.utils import parseaddr

from paperpost.domain.errors import InvalidInputError

# RFC 5321, section 4.5.3.1: 64 octets before the @, 254 in all (errata 1690); read 2026-11-23.
_LONGEST = 254
_LONGEST_LOCAL = 64
# RFC 5322 dot-atom; quoted local parts exist on paper only, and hide spaces and control characters.
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_GMAIL = ("gmail.com", "googlemail.com")
# IDNA 2003, which the standard library knows, makes ss and σ of them. In IDNA 2008 that is another
# domain, whose owner would get the mail.
# Source: https://www.npmjs.com/package/idna-uts46 on the deviations of UTS #46, read 2026-11-26.
_ANOTHER_DOMAIN = re.compile("[ßẞς]")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def mailable(text: str) -> str:
    """
    Return the address in *text* as it is mailed: typed local part, domain in lower-case A-labels.

    Raises: InvalidInputError: Saying what is wrong, without repeating the address.
    """
    address = text.strip()
    if any(unicodedata.category(c)[0] in "CZ" for c in address):
        raise InvalidInputError("the address holds a space or a control character")
    local, at, domain = address.rpartition("@")
    if not at or "@" in local:
        raise InvalidInputError("an address has exactly one @")
    if not local.isascii():
        raise InvalidInputError("the part before the @ must be plain ASCII")
    # What looks like an encoded word may be shown as something else (RFC 2047).
    if not _LOCAL.fullmatch(local) or "=?" in local:
        raise InvalidInputError("the part before the @ is not one that mail servers accept")
    written = f"{local}@{_a_labels(domain)}"
    if len(local) > _LONGEST_LOCAL or len(written) > _LONGEST:
        raise InvalidInputError("the address is too long")
    return written


def _a_labels(domain: str) -> str:
    """*domain* as mail servers look it up, for example xn--… for a Chinese name."""
    if _ANOTHER_DOMAIN.search(domain):
        raise InvalidInputError("a domain with ß or ς must be written as xn--…")
    try:
        labels = domain.encode("idna").decode("ascii").lower().split(".")
    except UnicodeError as exc:
        raise InvalidInputError("the part behind the @ is not a domain") from exc
    top_is_name = not labels[-1].isdigit()
    if len(labels) == 1 or not top_is_name or not all(map(_LABEL.fullmatch, labels)):
        raise InvalidInputError("the part behind the @ is not a domain")
    return ".".join(labels)


def with_lower_domain(address: str) -> str:
    """*address* with a lower-case domain; before the @ servers may tell upper from lower case."""
    local, at, domain = address.rpartition("@")
    return f"{local}{at}{domain.lower()}"


def mailbox_of(address: str) -> str:
    """
    The mailbox that *address* most likely ends in; for limits alone, never mailed and never shown.

    Small letters, no `+tag`; Gmail also drops full stops, and has two names.
    Source: https://support.google.com/mail/answer/7436150 (full stops), read 2026-11-26.
    """
    local, _, domain = address.lower().rpartition("@")
    local = local.partition("+")[0] or local
    if domain in _GMAIL:
        return f"{local.replace('.', '')}@{_GMAIL[0]}"
    return f"{local}@{domain}"


def same_mailbox(one: str, other: str) -> bool:
    """Whether two addresses, either in the form `Name <address>` perhaps, name the same mailbox."""
    first, second = (with_lower_domain(bare(address)) for address in (one, other))
    return bool(first) and first == second


def bare(address: str) -> str:
    """The address alone of `Name <address>`, or '' if there is none."""
    return parseaddr(address)[1]
