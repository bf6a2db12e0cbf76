from api.schemas.samples import SampleBody, SampleOut
from guard.purposes.samples import Sample, SamplePut


def test_a_body_becomes_the_services_words() -> None:
    body = SampleBody.model_validate(
        {
            "team": "t",
            "since": "1970-01-01T00:00:00Z",
            "until": "1970-01-01T00:00:01Z",
            "size": 3,
            "reviewers": ["q"],
        }
    )
    assert body.put() == SamplePut(team="t", since=0, until=1_000_000, size=3, reviewers=("q",))


def test_a_sample_is_described_with_what_it_takes_to_draw_it_again() -> None:
    drawn = Sample(seed="ab", drawn_from=7, ends_at=0, drawn=(("k1", "q1"),))
    assert SampleOut.of(drawn).model_dump() == {
        "seed": "ab",
        "drawn_from": 7,
        "ends_at": "1970-01-01T00:00:00.000000Z",
        "drawn": [{"case": "k1", "reviewer": "q1"}],
    }
