from pathlib import Path

import pytest

from guard.errors import ConfigurationError
from guard.vault.erasures_file import Erased, ErasuresFile

ONE = Erased(key_id="1" * 32, entry_id="a" * 32)
TWO = Erased(key_id="2" * 32, entry_id="b" * 32)


def test_it_grows_and_keeps_each_line_once(tmp_path: Path) -> None:
    file = ErasuresFile(tmp_path / "new" / "erasures")
    assert file.read() == frozenset()
    file.add([])
    assert not (tmp_path / "new" / "erasures").exists()
    file.add([TWO])
    file.add([ONE, TWO])
    assert file.read() == {ONE, TWO}
    assert (tmp_path / "new" / "erasures").read_text() == (
        f"recordguard-erasures-v1\n{ONE.key_id} {ONE.entry_id}\n{TWO.key_id} {TWO.entry_id}\n"
    )


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"something else\n",
        b"recordguard-erasures-v1",
        b"recordguard-erasures-v1\n12 34\n",
        b"recordguard-erasures-v1\n" + b"1" * 32 + b" " + b"a" * 32,
        b"recordguard-erasures-v1\n\xff\n",
    ],
)
def test_what_is_no_such_file_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "erasures"
    path.write_bytes(content)
    for act in (lambda: ErasuresFile(path).read(), lambda: ErasuresFile(path).add([ONE])):
        with pytest.raises(ConfigurationError):
            act()
    assert path.read_bytes() == content


def test_one_process_at_a_time_has_it_alone(tmp_path: Path) -> None:
    path = tmp_path / "erasures"
    with ErasuresFile(path).alone() as first, ErasuresFile(path).alone() as second:
        assert (first, second) == (True, False)
    with ErasuresFile(path).alone() as again:
        assert again
