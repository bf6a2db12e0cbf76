import pytest

from policies.hints import hint, line_of


@pytest.mark.parametrize(
    ("message", "advice"),
    [
        ("attribute `lnk` in context for x not found", "did you mean `link`? facts are role, desk"),
        ("attribute `xyzzy` in context for x not found", "facts are role, desk"),
        ("attribute `desk` on entity type `Role` not found", "write `context.desk`"),
        (
            'entity `Tier::"vipp"` is of an enumerated entity type',
            "did you mean `vip`? the values of `Tier` are standard, vip, internal",
        ),
        (
            'entity `FieldClass::"contct"` is of an enumerated entity type',
            "the values of `FieldClass` are declared in the schema: use one of them",
        ),
        ("unrecognized entity type `Tiers`", "did you mean `Tier`? types are Role, Desk"),
        ('unrecognized action `Action::"Look"`', 'write `action == Action::"Admit"`'),
        ("the types Bool and Long are not compatible", "a value of its own type"),
        ("unexpected type: expected Bool but saw Tier", "a value of its own type"),
    ],
)
def test_a_complaint_ends_in_what_to_write(message: str, advice: str) -> None:
    assert advice in hint(message)


def test_a_complaint_that_says_it_itself_gets_no_advice() -> None:
    assert hint("something else") == ""


def test_the_line_is_that_of_the_word_and_not_of_a_sentence_that_has_it() -> None:
    text = '@id("a")\n@reason("by lnk")\npermit (principal)\nwhen { context.lnk };'

    assert line_of(text, "attribute `lnk` not found") == 3
    assert line_of(text, "attribute `other` not found") == 0
    assert line_of('permit\nwhen { x == Tier::"vipp" }', 'entity `Tier::"vipp"` is of') == 1
