from policies.errors import BundleError


def test_a_bundle_error_reads_as_a_place_that_editors_follow() -> None:
    error = BundleError("admit.cedar", 7, "no `@id`: add one")

    assert str(error) == "admit.cedar:7: no `@id`: add one"
    assert (error.file, error.line, error.message) == ("admit.cedar", 7, "no `@id`: add one")
