"""What happened to guarantees and exposure lines. The deed of a guarantee is ``guarantee:ID``, of a line its member's."""

from typing import ClassVar

from shudian.contracts.guarantees.messages import Guarantee, Line, State
from shudian.kernel.messages import Event


class GuaranteeRegistered(Event):
    """A guarantee waits for its bank."""

    step: ClassVar[str] = "registered"
    zh: ClassVar[str] = "保函已登记"
    en: ClassVar[str] = "guarantee registered"

    guarantee_id: int
    guarantee: Guarantee


class GuaranteeAnswered(Event):
    """The bank confirmed it, or not."""

    step: ClassVar[str] = "answered"
    zh: ClassVar[str] = "保函已由银行答复"
    en: ClassVar[str] = "guarantee answered by its bank"

    guarantee_id: int
    state: State
    reason: str


class GuaranteeDrawn(Event):
    """The bank paid on it. open_fen: what can still be drawn."""

    step: ClassVar[str] = "drawn"
    zh: ClassVar[str] = "保函已索赔"
    en: ClassVar[str] = "guarantee drawn"

    guarantee_id: int
    member_id: int
    bank_id: int
    creditor_id: int
    amount_fen: int
    open_fen: int
    claim_deed: str
    evidence: bytes


class GuaranteeEnded(Event):
    """It was released, or its term is over."""

    step: ClassVar[str] = "ended"
    zh: ClassVar[str] = "保函已终止"
    en: ClassVar[str] = "guarantee ended"

    guarantee_id: int
    state: State


class RequirementSet(Event):
    """What a member must provide, with all that it follows from."""

    step: ClassVar[str] = "required"
    zh: ClassVar[str] = "应缴保函额已核定"
    en: ClassVar[str] = "required guarantee set"

    member_id: int
    year_kwh: int
    wholesale_kwh: int
    retail_kwh: int
    grade: str
    factor_ppm: int
    required_fen: int


class LineMoved(Event):
    """A member's exposure line as it stands now."""

    step: ClassVar[str] = "line moved"
    zh: ClassVar[str] = "保函额度变动"
    en: ClassVar[str] = "exposure line moved"

    member_id: int
    line: Line


class ExposureWarned(Event):
    """The exposure reached the warning share of what is available. Told once, until it falls below."""

    step: ClassVar[str] = "warned"
    zh: ClassVar[str] = "额度占用预警"
    en: ClassVar[str] = "exposure warning"

    member_id: int
    exposure_fen: int
    available_fen: int


EVENTS: tuple[type[Event], ...] = (
    GuaranteeRegistered,
    GuaranteeAnswered,
    GuaranteeDrawn,
    GuaranteeEnded,
    RequirementSet,
    LineMoved,
    ExposureWarned,
)
