from guard.masking.narrowing import narrowed, sensitive_fields
from guard.masking.prose import redact
from guard.rows import RawRecord
from policies.catalogue import parse_catalogue

CATALOGUE = parse_catalogue(
    b"""[fields]
name = { class = "c", mask = "redact", sensitive = true }
plan = { class = "c", mask = "redact" }
notes = { class = "c", mask = "free_text@1", sensitive = true }
"document.kind" = { class = "c", mask = "redact" }
"document.number" = { class = "c", mask = "redact", sensitive = true }
"cards[].number" = { class = "c", mask = "redact", sensitive = true }
""",
    "fields.toml",
)
RAW = RawRecord(
    {
        "name": "Maria Gonzalez",
        "plan": "gold",
        "notes": "asked to call back",
        "document": {"kind": "identity card", "number": "AAB-55"},
        "cards": [{"number": 4111}, {"number": None}],
    }
)


def test_only_sensitive_values_that_are_no_prose_are_fetched_and_kept() -> None:
    assert sensitive_fields(CATALOGUE) == {"name", "document", "cards"}
    assert narrowed(RAW, CATALOGUE).values == {
        "name": ("Maria Gonzalez",),
        "document.number": ("AAB-55",),
        "cards[].number": ("4111",),
    }


def test_a_message_keeps_the_words_that_anybody_uses() -> None:
    text = "gonzalez, gold plan: my identity card is aab 55, asked to call back about 4111"
    assert redact(text, narrowed(RAW, CATALOGUE)) == (
        "[hidden], gold plan: my identity card is [hidden], asked to call back about [hidden]"
    )
