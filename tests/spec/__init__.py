"""Specifications: small tables of rows in, feature values out. A test's name is the rule that it holds."""

import pytest

pytest.register_assert_rewrite("tests.spec.tables")
