from guard.masking.checksums import IBAN_LENGTHS, base58check_holds, iban_length, luhn_holds


def test_known_card_numbers_hold_and_a_changed_digit_does_not() -> None:
    for number in ("4111111111111111", "5555555555554444", "378282246310005", "79927398713"):
        assert luhn_holds(number)
        for place in range(len(number)):
            changed = str((int(number[place]) + 1) % 10)
            assert not luhn_holds(number[:place] + changed + number[place + 1 :])


def test_known_ibans_hold_and_a_changed_character_does_not() -> None:
    for iban in ("DE89370400440532013000", "GB82WEST12345698765432", "NO9386011117947"):
        assert iban_length(iban) == len(iban)
        assert iban_length(iban + "PLEASECALL"[:3]) == len(iban)
        assert iban_length(iban[:-1] + str((int(iban[-1]) + 1) % 10)) == 0


def test_an_iban_of_no_country_or_cut_short_does_not_hold() -> None:
    assert iban_length("ZZ89370400440532013000") == 0
    assert iban_length("DE8937040044053201300") == 0
    assert iban_length("") == 0
    assert min(IBAN_LENGTHS.values()) == 15
    assert max(IBAN_LENGTHS.values()) == 33


def test_known_wallets_hold_and_a_changed_character_does_not() -> None:
    for wallet in ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy"):
        assert base58check_holds(wallet)
        assert not base58check_holds(wallet[:-1] + ("b" if wallet[-1] == "a" else "a"))
        assert not base58check_holds(wallet[:-1] + "0")
    assert not base58check_holds("z" * 40)
