import pytest
from pydantic import ValidationError

from api.schemas.policies import MAX_FILES, PolicyBody


def test_files_are_taken_by_their_names() -> None:
    files = {"admit.cedar": "permit", "schema.cedarschema": "", "fields.toml": "x = 1"}
    assert PolicyBody.model_validate({"files": files, "because": "x"}).files == files


@pytest.mark.parametrize(
    "files",
    [
        None,
        [],
        {},
        {"a/b.cedar": ""},
        {"a.py": ""},
        {".cedar": ""},
        {"a.cedar\n": ""},
        {"a.cedar": None},
        {"a.cedar": "\ud800"},
        {f"{n}.cedar": "" for n in range(MAX_FILES + 1)},
    ],
)
def test_a_fault_in_the_files_is_placed_at_the_files(files: object) -> None:
    with pytest.raises(ValidationError) as caught:
        PolicyBody.model_validate({"files": files, "because": "x"})
    assert [error["loc"] for error in caught.value.errors()] == [("files",)]
