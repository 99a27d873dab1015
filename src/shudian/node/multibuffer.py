"""Intel's multi-buffer cryptography (Apache-2.0, optional extra ``fast``): eight signatures in one pass of AVX-512 IFMA instructions.

The library comes as the wheel ipp-crypto, its run-time libraries as intel-cmplr-lib-rt; libcrypto.so.3 is the system's. The wheels put
them where the dynamic linker does not look, so they are loaded by path here, each before what needs it.
"""

import ctypes
import sys
from array import array
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path

from shudian.faults import file_words
from shudian.kernel.crypto import PUBLIC_KEY_BYTES, SIGNATURE_BYTES, BackEnd
from shudian.node.errors import NodeError

_LANES = 8
_HALF_BYTES = SIGNATURE_BYTES // 2
_POINTER_BYTES = ctypes.sizeof(ctypes.c_void_p)
_LENGTH_BYTES = ctypes.sizeof(ctypes.c_uint32)
_STATUS_BITS = 4
_LIBRARIES = ("libintlc.so.5", "libirng.so", "libimf.so", "libsvml.so", "libcrypto_mb.so.13")
_FLAGS_FILE = Path("/proc/cpuinfo")
_INSTRUCTIONS = "avx512ifma"


def load() -> BackEnd:
    """The back end, ready to use.

    Raises:
        NodeError: this computer lacks the instructions, or the libraries are not installed or cannot be loaded.
    """
    if not _has_instructions():
        raise NodeError("本机处理器没有 AVX-512 IFMA 指令", "this processor has no AVX-512 IFMA instructions")
    folder = Path(sys.prefix) / "lib"
    missing = [name for name in _LIBRARIES if not (folder / name).exists()]
    if missing:
        raise NodeError(
            f"未安装加速库（缺 {missing[0]}），安装用 make setup FAST=1",
            f"the fast libraries are not installed ({missing[0]} is missing), make setup FAST=1 installs them",
        )
    try:
        for name in _LIBRARIES:
            library = ctypes.CDLL(str(folder / name), mode=ctypes.RTLD_GLOBAL)
        run = library.mbx_ed25519_verify_mb8
    except (OSError, AttributeError) as error:
        raise NodeError(
            f"加速库无法装入：{file_words(error)[0]}", f"the fast libraries cannot be loaded: {file_words(error)[1]}"
        ) from None
    run.argtypes = [ctypes.c_void_p] * 5
    run.restype = ctypes.c_uint32

    def verify(public_keys: Sequence[bytes], signatures: Sequence[bytes], messages: Sequence[bytes]) -> list[bool]:
        """A verdict for each; the library does not test S < L, which the strict rule did."""
        count = len(signatures)
        lanes = -(-count // _LANES) * _LANES
        flat = b"".join((*public_keys, *signatures, *messages))
        start = ctypes.cast(ctypes.c_char_p(flat), ctypes.c_void_p).value or 0
        first = start + count * PUBLIC_KEY_BYTES
        last = first + count * SIGNATURE_BYTES
        lengths = [len(message) for message in messages]
        places = list(accumulate(lengths, initial=last))[:-1]
        spare = lanes - count  # the last pass is filled up with the first signature
        tables = (
            _table(range(first, last, SIGNATURE_BYTES), first, spare),
            _table(range(first + _HALF_BYTES, last, SIGNATURE_BYTES), first + _HALF_BYTES, spare),
            _table(places, last, spare),
            array("I", [*lengths, *lengths[:1] * spare]),
            _table(range(start, first, PUBLIC_KEY_BYTES), start, spare),
        )
        addresses = [table.buffer_info()[0] for table in tables]
        steps = (_POINTER_BYTES, _POINTER_BYTES, _POINTER_BYTES, _LENGTH_BYTES, _POINTER_BYTES)
        verdicts: list[bool] = []
        for lane in range(0, lanes, _LANES):
            status = run(*(address + lane * step for address, step in zip(addresses, steps, strict=True)))
            verdicts.extend(not status >> shift & 0xF for shift in range(0, _LANES * _STATUS_BITS, _STATUS_BITS))
        return verdicts[:count]

    return verify


def _table(places: Sequence[int], first: int, spare: int) -> "array[int]":
    return array("Q", [*places, *[first] * spare])


def _has_instructions() -> bool:
    try:
        text = _FLAGS_FILE.read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    return any(_INSTRUCTIONS in line.split() for line in text.splitlines() if line.startswith("flags"))
