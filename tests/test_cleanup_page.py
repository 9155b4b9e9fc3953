"""docs/cleanup-rules.md is what its generator prints, and what that adds to the rules is so."""

from pathlib import Path

from devkit.cleanup_page import page
from shared_code import expiry, stale_groups
from shared_code.cleanup_rules import RULES
from shared_code.cleanup_settings import ExpiredSettings, StaleSettings
from shared_code.meaning import meanings_of

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
    """What is said of keys whose default is not in the settings is what the rules do."""
    said = meanings_of(ExpiredSettings) | meanings_of(StaleSettings)

    assert {key: said[key].without for key in ("grace_period", "longest_renewal", "unused_for")} == {
        "grace_period": f'`"{expiry._GRACE}"`',
        "longest_renewal": f'`"{expiry._HORIZON}"`',
        "unused_for": f'`"{stale_groups._UNUSED_FOR}"`',
    }
