from hmac import digest

from guard.vault.blind_index import blind_index


def test_the_index_is_what_its_format_says() -> None:
    message = b"\x01" + b"".join(
        len(one).to_bytes(4, "big") + one for one in (b"subjects", b"key_blind", b"crm", b"12")
    )
    assert blind_index(b"k" * 32, "crm", "12") == digest(b"k" * 32, message, "sha256")


def test_names_and_keys_do_not_run_together() -> None:
    made = {
        blind_index(key, source, source_key)
        for key in (b"k" * 32, b"l" * 32)
        for source, source_key in (
            ("crm", "12"),
            ("crm1", "2"),
            ("", "crm12"),
            ("crm12", ""),
            ("crm", "\uff11\uff12"),
        )
    }
    assert len(made) == 10
