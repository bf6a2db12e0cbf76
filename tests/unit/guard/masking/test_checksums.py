from guard.masking.checksums import iban_length, luhn_holds


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
