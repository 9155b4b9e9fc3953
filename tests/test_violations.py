"""A violation in words: what is wrong, and what a finding says about it."""

from shared_code.model import Severity
from shared_code.violations import LONGEST_EVIDENCE, Breach, Violation


def violation(value: str, **more: str | None) -> Violation:
    said = {"tag": "env", "key": "Env", "value": value, "expected": "one of 'dev'", **more}
    return Violation(rule="r", kind=Breach.VALUE, severity=Severity.LOW, **said)  # type: ignore[arg-type]


def test_evidence_names_what_is_known() -> None:
    found = violation("Dev", nearest="dev")

    assert list(found.evidence.items()) == [
        ("tag", "Env"),
        ("value", "Dev"),
        ("expected", "one of 'dev'"),
        ("nearest", "dev"),
    ]


def test_what_is_not_there_is_no_evidence() -> None:
    found = Violation(rule="r", kind=Breach.MISSING, severity=Severity.LOW, tag="env", expected="a value")

    assert found.evidence == {"tag": "env", "expected": "a value"}


def test_foreign_text_is_one_line_and_not_too_long() -> None:
    assert violation("a\nb").evidence["value"] == "a b"
    assert len(violation("x" * 1000).evidence["value"]) == LONGEST_EVIDENCE


def test_is_put_in_words_once() -> None:
    """There may be millions of findings about it."""
    found = violation("Dev")

    assert found.detail is found.detail
    assert found.evidence is found.evidence


def test_equal_ones_are_equal_whether_put_in_words_or_not() -> None:
    found = violation("Dev")

    assert found.detail
    assert found == violation("Dev")
    assert hash(found) == hash(violation("Dev"))
