"""What is said and told: messages with their authority, events, and the settings that a contract declares."""

from dataclasses import dataclass
from typing import ClassVar

from shudian.kernel.codec import Record

PUBLIC = "public"
MEMBERS = "members"
PARTIES = "parties"


@dataclass(frozen=True)
class Authority:
    """Who may say a message: declared on the message, asked for by the machine through the roles port.

    kinds: kinds of member that may send; empty means applicants without a membership. role: what every signer must hold.
    signers: how many persons must sign. second_signer_setting: a governance setting in fen; from that :meth:`Message.band_fen` on,
    one signer more is needed (four eyes). sees: who may read it (public, members, parties). when_zh, when_en: the precondition.
    active_only: whether the member must be in good standing; if not, suspended members and applicants may say it too, frozen ones never.
    """

    kinds: tuple[str, ...]
    role: str
    when_zh: str
    when_en: str
    signers: int = 1
    second_signer_setting: str = ""
    sees: str = PARTIES
    active_only: bool = True


class Message(Record, tag=True):
    """Base of what may be said; the class name is the tag, unique over all contracts."""

    authority: ClassVar[Authority]

    def check(self) -> None:
        """Refuse what is wrong whatever the state; no state is known here."""

    def band_fen(self) -> int:
        """The amount that four-eyes bands look at; 0 where the message moves no money."""
        return 0


class Event(Record, tag=True, kw_only=True):
    """Base of what happened: past tense, versioned, with all that a reader needs.

    deed: the root id of the story it belongs to, ``noun:id``. parties: members concerned. also: further deeds on whose
    timeline it stands too. leads_to: the deed in which this one goes on, so that its timeline does too; empty for none.
    """

    step: ClassVar[str] = ""
    zh: ClassVar[str] = ""
    en: ClassVar[str] = ""
    version: ClassVar[int] = 1

    deed: str
    parties: tuple[int, ...]
    also: tuple[str, ...] = ()
    leads_to: str = ""


@dataclass(frozen=True)
class Setting:
    """A dated number or list of numbers kept by governance: every limit, price and rule of the market.

    name: ``contract.what_unit``. count: how many numbers (0: any up to 400). low, high: bounds of each. scoped: whether it has a
    scope (product, tariff class, ...). source: the rule it comes from.
    """

    name: str
    low: int
    high: int
    zh: str
    en: str
    count: int = 1
    scoped: bool = False
    source: str = ""
