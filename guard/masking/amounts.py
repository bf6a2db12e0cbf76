"""Numbers as sources give them, exact: integers, floats and decimal text to `Decimal`."""

from decimal import Decimal, InvalidOperation

from guard.masking.scalars import Scalar, UnmaskableError

# A longer number is no amount, and would cost without limit.
MAX_LENGTH = 40
MAX_DIGITS = 24


def decimal_of(value: Scalar) -> Decimal:
    """The number that a leaf holds.

    Raises:
        UnmaskableError: It holds none, or one of more than 24 digits before or after the point.
    """
    text = "" if isinstance(value, bool) else str(value)
    try:
        number = Decimal(text if len(text) <= MAX_LENGTH else "")
    except InvalidOperation:
        raise UnmaskableError("not a number") from None
    # A number of 28 digits and no more keeps every step of the arithmetic exact.
    is_small = number.is_finite() and -MAX_DIGITS < number.adjusted() < MAX_DIGITS
    if not is_small or len(number.as_tuple().digits) > MAX_DIGITS:
        raise UnmaskableError("not a number")
    return number
