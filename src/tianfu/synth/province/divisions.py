"""Where the synthetic people live: Sichuan's prefectures and counties, with how many people each has. Pure.

Prefectures: resident population by the census of 2020 (第七次全国人口普查), published by the province's statistics
bureau; the 21 figures add up to the published total of 83,674,866. Counties: ours. A prefecture's people are shared
out by kind of division (a district of the city counts double, a county-level city one and a half times), since only
the proportions matter to a synthetic province.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tianfu.access import places

PREFECTURES_2020: Final[Mapping[str, int]] = {
    "5101": 20_937_757,
    "5103": 2_489_256,
    "5104": 1_212_203,
    "5105": 4_254_149,
    "5106": 3_456_161,
    "5107": 4_868_243,
    "5108": 2_305_657,
    "5109": 2_814_196,
    "5110": 3_140_678,
    "5111": 3_160_168,
    "5113": 5_607_565,
    "5114": 2_955_219,
    "5115": 4_588_804,
    "5116": 3_254_883,
    "5117": 5_385_422,
    "5118": 1_434_603,
    "5119": 2_712_894,
    "5120": 2_308_631,
    "5132": 822_587,
    "5133": 1_107_431,
    "5134": 4_858_359,
}
PROVINCE_2020: Final = 83_674_866
_DISTRICT_WEIGHT: Final = 2.0
_CITY_WEIGHT: Final = 1.5
_COUNTY_WEIGHT: Final = 1.0


class Counties(NamedTuple):
    """Counties in order of code: `codes` six digits, `names`, `share` float64 of the people, adding up to 1."""

    codes: tuple[str, ...]
    names: tuple[str, ...]
    share: NDArray[np.float64]


def counties(place: str) -> Counties:
    """The counties under `place`, a prefix of a division code: `51`, `5104` or `510117`.

    Raises `ValueError` when no county of Sichuan has it.
    """
    found = [division for division in places.sichuan() if places.is_county(division.code)]
    chosen = [division for division in found if division.code.startswith(place)]
    if not chosen:
        message = f"no county of Sichuan begins with {place}"
        raise ValueError(message)
    total = dict.fromkeys(PREFECTURES_2020, 0.0)
    for division in found:
        total[division.code[:4]] += _weight(division.name)
    people = np.array(
        [PREFECTURES_2020[division.code[:4]] * _weight(division.name) / total[division.code[:4]] for division in chosen]
    )
    return Counties(
        tuple(division.code for division in chosen), tuple(division.name for division in chosen), people / people.sum()
    )


def _weight(name: str) -> float:
    if name.endswith("区"):
        return _DISTRICT_WEIGHT
    return _CITY_WEIGHT if name.endswith("市") else _COUNTY_WEIGHT
