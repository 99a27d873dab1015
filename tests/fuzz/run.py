"""``python -m tests.fuzz.run TARGET FOLDER [libFuzzer options]``: fuzz a target; FOLDER takes its corpus and what broke it.

With a file instead of options that one input is run again.
"""

import sys
from pathlib import Path


def main() -> None:
    # Not at the top: whoever only imports this file needs no atheris and shall not run instrumented code.
    import atheris  # noqa: PLC0415 - as said above

    with atheris.instrument_imports(include=["shudian.kernel", "shudian.proofs", "shudian.contracts"]):
        from tests.fuzz.targets import TARGETS  # noqa: PLC0415 - the branches of what it imports guide the mutations

    name, folder, *options = sys.argv[1:]
    target, corpus = TARGETS[name], Path(folder) / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    seeds = list(target.seeds)
    for place, seed in enumerate(seeds):
        target.run(seed)
        (corpus / f"seed-{place}").write_bytes(seed)
    replays = any(not option.startswith("-") for option in options)
    where = [] if replays else [str(corpus)]
    atheris.Setup([sys.argv[0], f"-artifact_prefix={folder}/", *options, *where], target.run)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
