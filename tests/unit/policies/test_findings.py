from policies.findings import Finding


def test_a_finding_reads_as_editors_follow_it() -> None:
    finding = Finding("a.cedar", 3, "reason-missing", "policy `x` has no `@reason`: say why")

    assert str(finding) == "a.cedar:3: policy `x` has no `@reason`: say why (reason-missing)"


def test_findings_stand_in_the_order_of_file_and_line() -> None:
    first, second = Finding("a", 2, "z", "m"), Finding("a", 10, "b", "m")

    assert sorted([second, first, Finding("b", 1, "a", "m")])[:2] == [first, second]
