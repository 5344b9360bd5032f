"""Kinds of evidence about care: samples, isolation, clinics, pharmacies, vaccination."""

from __future__ import annotations

import enum

import msgspec

from tianfu.clock import Instant
from tianfu.evidence.test_words import TestMethod


class IsolationStage(enum.Enum):
    """集中隔离, 居家隔离 and 居家健康监测."""

    CENTRAL = "central"
    HOME = "home"
    MONITORING = "monitoring"


class Sampling(msgspec.Struct, frozen=True, kw_only=True, tag="sampling"):
    """A sample was taken; its result is a `test`. `tube` as there."""

    sampled_at: Instant
    method: TestMethod
    laboratory: str
    pooled: bool = False
    tube: str | None = None


class Isolation(msgspec.Struct, frozen=True, kw_only=True, tag="isolation"):
    """A stage of isolation; `ended_at` is absent while it lasts. `site` is the institution's code."""

    stage: IsolationStage
    began_at: Instant
    ended_at: Instant | None = None
    site: str | None = None


class FeverVisit(msgspec.Struct, frozen=True, kw_only=True, tag="fever_visit"):
    """A visit to a fever clinic; `excluded_at` is when the clinic ruled the disease out."""

    visited_at: Instant
    institution: str
    excluded_at: Instant | None = None


class Medicine(msgspec.Struct, frozen=True, kw_only=True, tag="medicine"):
    """A purchase of a medicine that must be reported (fever, cough, antivirals, antibiotics)."""

    bought_at: Instant
    pharmacy: str


class Vaccination(msgspec.Struct, frozen=True, kw_only=True, tag="vaccination"):
    """One dose of a vaccine. `dose` counts from 1; `product` is the maker's code."""

    dose: int
    vaccinated_at: Instant
    product: str
