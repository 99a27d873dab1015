"""Repeats: which envelopes have had their answer, and which answer it was.

The rows of ``kernel.answers`` say it, one for each block; beside them a dictionary says the same by sender and id, so that an envelope costs a look-up and its
answer is hashed and stored together with those of its block. An answer is kept until the last one of its block has expired; until then its id stands for its act.
"""

from shudian.kernel import check
from shudian.kernel.answers import ANSWERS, Answer, Answers
from shudian.kernel.crypto import sha256
from shudian.kernel.envelope import UNREGISTERED, Envelope
from shudian.kernel.ids import ID_BYTES
from shudian.kernel.messages import Message
from shudian.kernel.opened import Opened
from shudian.kernel.tables import Store

AnswerKey = tuple[int, bytes]
"""Sender and id, see :func:`answer_key`."""


def answer_key(act: Envelope | Opened[Message]) -> AnswerKey:
    """Where the answer is kept: (sender, id); an applicant has no sender number yet, so its key enters the id."""
    if act.sender_id != UNREGISTERED:
        return (act.sender_id, act.id)
    return (UNREGISTERED, sha256(b"".join(act.signers) + act.id)[:ID_BYTES])


class FirstAnswers:
    """The first answers of a store's envelopes, by sender and id. Only the machine writes them."""

    def __init__(self, store: Store) -> None:
        """Of a store without answers; otherwise call :meth:`load`."""
        self._store = store
        self._by_key: dict[AnswerKey, Answer] = {}
        self._of_block: list[Answer] = []

    def of(self, key: AnswerKey) -> Answer | None:
        """The first answer to the envelope of a key, also one of the block that is being made; None if it had none."""
        return self._by_key.get(key)

    def keep(self, key: AnswerKey, answer: Answer) -> None:
        """Take in the first answer to the envelope of a key."""
        self._by_key[key] = answer
        self._of_block.append(answer)

    def end_block(self, height: int, end_ms: int) -> None:
        """Write the answers of the block of a height as its row, and remove those rows whose last answer has expired at ``end_ms``."""
        if self._of_block:
            answers, self._of_block = tuple(self._of_block), []
            ANSWERS.put(self._store, (height,), Answers(max(answer.expires_ms for answer in answers), answers))
        for key, row in ANSWERS.due(self._store, "by_expiry", end_ms):
            ANSWERS.delete(self._store, *key)
            for answer in row.answers:
                del self._by_key[(answer.sender_id, answer.id)]

    def load(self) -> None:
        """Learn the answers from the rows.

        Raises:
            CheckFailed: two rows answer one id.
        """
        self._of_block = []
        self._by_key = {}
        count = 0
        for _, row in ANSWERS.range(self._store):
            for answer in row.answers:
                self._by_key[(answer.sender_id, answer.id)] = answer
            count += len(row.answers)
        check.that(count == len(self._by_key), "an envelope has one first answer")
        self.check()

    def check(self) -> None:
        """Between blocks: what is held is what the rows say, no more and no less, in their order.

        Raises:
            CheckFailed: if it is not.
        """
        held = iter(self._by_key.items())
        for key, row in ANSWERS.range(self._store):
            for answer in row.answers:
                pair = next(held, None)
                if (
                    pair is None
                    or pair[0] != (answer.sender_id, answer.id)
                    or (pair[1] is not answer and pair[1] != answer)
                ):
                    message = f"the answers held are those of row {key}"
                    raise check.CheckFailed(message)
            check.that(
                row.expires_ms == max((answer.expires_ms for answer in row.answers), default=0),
                "answers leave together",
            )
        check.that(next(held, None) is None, "every answer held has its row")
