"""docs/cleanup-rules.md is what its generator prints, and what that adds to the rules is so."""

from pathlib import Path

from devkit.cleanup_page import ITS_OWN, page
from shared_code import expiry, stale_groups
from shared_code.cleanup_rules import RULES

PAGE = Path(__file__).parent.parent / "docs" / "cleanup-rules.md"


def test_the_page_is_up_to_date() -> None:
    """`python -m devkit.cleanup_page > docs/cleanup-rules.md` mends this."""
    assert PAGE.read_text() == page()


def test_every_rule_is_there() -> None:
    """With its sentence, word for word."""
    text = page()

    for rule in RULES.values():
        assert f"\n## {rule.name}\n\n{rule.sentence}\n" in text


def test_what_holds_where_a_setting_is_left_out() -> None:
    """The defaults that are not in the settings are those of the rules."""
    assert {
        "grace_period": str(expiry._GRACE),
        "longest_renewal": str(expiry._HORIZON),
        "unused_for": str(stale_groups._UNUSED_FOR),
    } == ITS_OWN
