"""The words for tests that several kinds of evidence share."""

from __future__ import annotations

import enum


class TestResult(enum.Enum):
    """What the laboratory found."""

    POSITIVE = "positive"
    NEGATIVE = "negative"
    INDETERMINATE = "indeterminate"


class TestMethod(enum.Enum):
    """How it was found."""

    NUCLEIC_ACID = "nucleic_acid"
    ANTIGEN = "antigen"
    ANTIBODY = "antibody"
