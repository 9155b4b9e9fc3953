"""Any text as a schedule, for some minutes: `python -m bench.fuzz_schedules --minutes 3 --seed 1`.

Each goes through what `steward schedule` does: both verdicts, words, warnings, next runs, JSON and the terminal. Prints
how many of each kind there were, the slowest answer, and every exception; there must be none but ours.
"""

import argparse
import contextlib
import io
import json
import random
import re
import sys
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from shared_code import terminal
from shared_code.errors import StewardError
from shared_code.schedule_preview import preview
from shared_code.schedules import LONGEST

VECTORS = Path(__file__).resolve().parent.parent / "tests" / "data" / "ncrontab-vectors.jsonl"
START = datetime(2026, 1, 1, tzinfo=UTC)
LIMIT_MS = 50.0
SETTINGS = {"A": "0" * 50, "WHEN": "0 0 6 * * *", "KEY": "AccountKey=c2VjcmV0c2VjcmV0"}
PIECES: tuple[str, ...] = (
    *"0123456789*/,-:.%?LWH#@+ \t\n\0",
    "MON", "fri", "T", "J", "SAT-SUN", "FRI-MON", "*/", "0 ", " * ", "%A%", "%WHEN%", "%KEY%", "24:00:00", "31",
    "2147483647", "99999999999", "\u202e", "\x1b[31m", "\ud800", "\u0130", "\u0661", "\u2028", "\u017f",
    "@daily", "00000",
)  # fmt: skip
UNSAFE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")


def makers(known: Sequence[str]) -> list[Callable[[random.Random], str]]:
    """Return the ways to make a text, from noise to almost a schedule."""

    def noise(dice: random.Random) -> str:
        return "".join(chr(dice.randrange(0x110000)) for _ in range(dice.choice((1, 20, 200, 3000))))

    def pieces(dice: random.Random) -> str:
        return "".join(dice.choice(PIECES) for _ in range(dice.choice((1, 5, 20, 100, 4000))))

    def changed(dice: random.Random) -> str:
        text = list(dice.choice(known))
        for _ in range(dice.randrange(1, 4)):
            text[dice.randrange(len(text) + 1) : dice.randrange(len(text) + 1)] = dice.choice(PIECES)
        return "".join(text)

    def as_known(dice: random.Random) -> str:
        return dice.choice(known)

    def fields(dice: random.Random) -> str:
        return " ".join(_field(dice, *span) for span in ((0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 6)))

    def long_list(dice: random.Random) -> str:
        parts = ["*"] * 6
        values = ("{}", "{}/7", "0{}", "{}-30", "{}/0", "*/{}")
        place = dice.randrange(6)
        low, high = ((0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 6))[place]
        parts[place] = ",".join(dice.choice(values).format(dice.randint(low, high)) for _ in range(2000))
        return " ".join(parts)

    def repeated(dice: random.Random) -> str:
        return dice.choice(PIECES) * dice.randint(1, LONGEST) + dice.choice(("", " * * * * *", "0 0 6 * * *"))

    return [
        noise,
        pieces,
        changed,
        changed,
        fields,
        fields,
        fields,
        long_list,
        repeated,
        as_known,
    ]


def _field(dice: random.Random, low: int, high: int) -> str:
    def value() -> str:
        return str(dice.randint(low, high))

    shapes = (
        lambda: "*",
        value,
        lambda: f"{value()}-{value()}",
        lambda: f"*/{dice.randint(-1, 90)}",
        lambda: f"{value()}/{dice.randint(0, 40)}",
        lambda: f"{value()}-{value()}/{dice.randint(1, 20)}",
        lambda: ",".join(value() for _ in range(dice.randint(2, 8))),
    )
    shape: Callable[[], str] = dice.choice(shapes)
    return shape()


def answer(text: str) -> str:
    """Do what `steward schedule` does; return the kind of answer."""
    found = preview(text, SETTINGS, START, 5)
    msgspec.json.encode(found)
    with contextlib.redirect_stdout(io.StringIO()) as screen:
        terminal.show_schedule(found)
    shown = screen.getvalue()
    if UNSAFE.search(shown) or "c2VjcmV0" in shown:
        raise AssertionError(f"shown: {shown!r}")
    if found.steward.accepted:
        return "accepted, with warnings" if found.warnings else "accepted"
    return "refused by Steward" if found.azure.accepted else "rejected by Azure"


def main() -> int:
    """Return 1 if anything else than an answer came, or one came too late."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    dice = random.Random(options.seed)  # noqa: S311  # no secret
    makes = makers([json.loads(line)["expression"] for line in VECTORS.read_text("utf-8").splitlines()])
    counts: Counter[str] = Counter()
    exceptions: Counter[str] = Counter()
    slowest, slowest_text, late = 0.0, "", 0
    answer("0 0 6 1 * MON")  # imports, once
    end = time.monotonic() + 60 * options.minutes
    while time.monotonic() < end:
        text = dice.choice(makes)(dice)[:LONGEST]
        began = time.process_time()
        try:
            counts[answer(text)] += 1
        except StewardError:
            counts["an error of ours"] += 1
        except Exception as error:  # noqa: BLE001  # what the fuzzer looks for
            exceptions[f"{type(error).__name__}: {error}"[:300]] += 1
        took = 1000 * (time.process_time() - began)
        late += took > LIMIT_MS
        if took > slowest:
            slowest, slowest_text = took, text
    shown = unicodedata.normalize("NFC", ascii(slowest_text))[:200]
    figures: dict[str, float] = {"texts": sum(counts.values()) + sum(exceptions.values()), **dict(counts.most_common())}
    print(
        json.dumps(
            figures | {"exceptions": sum(exceptions.values()), "slowest_cpu_ms": round(slowest, 1), "late": late}
        )
    )
    print(f"slowest: {shown}")
    for each, number in exceptions.most_common(20):
        print(f"{number} times {each!r}")
    return int(bool(exceptions) or late > 0)


if __name__ == "__main__":
    sys.exit(main())
