import io
import zipfile
from hashlib import sha256

from guard.evidence.writing import BundleWriter


def test_what_is_taken_piece_by_piece_is_a_zip_file() -> None:
    bundle, taken = BundleWriter(), b""
    bundle.add("one", b"1" * 1000)
    taken += bundle.take()
    with bundle.open("two") as file:
        for _ in range(3):
            file.write(b"x" * 100_000)
            taken += bundle.take()
    bundle.close()
    taken += bundle.take()
    with zipfile.ZipFile(io.BytesIO(taken)) as whole:
        assert whole.namelist() == ["one", "two"]
        assert whole.read("two") == b"x" * 300_000
        assert whole.testzip() is None
    assert bundle.files["one"] == sha256(b"1" * 1000).hexdigest()


def test_the_same_content_has_the_same_bytes() -> None:
    made = []
    for _ in range(2):
        bundle = BundleWriter()
        bundle.add("one", b"content")
        bundle.close()
        made.append(bundle.take())
    assert made[0] == made[1]
