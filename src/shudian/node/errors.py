"""What can be wrong with a node's folder, in words for the person who runs it."""

from shudian.kernel.outcomes import Language


class NodeError(Exception):
    """The node cannot do what was asked; one clear sentence in each language."""

    def __init__(self, zh: str, en: str) -> None:
        """Keep both sentences."""
        super().__init__(en)
        self.zh = zh
        self.en = en

    def sentence(self, language: Language) -> str:
        """The sentence in the reader's language."""
        return self.zh if language == "zh" else self.en


class NodeStoppedError(NodeError):
    """The node met a broken promise of its own and no longer accepts anything."""
