"""The report as one HTML page that opens without network: numbers, charts, and each chart as a table beneath. Pure.

The script is allowed by its hash and nothing else is: the page loads nothing, sends nothing, and text in its data
cannot become part of it.
"""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

import msgspec

from tianfu.access.places import divisions
from tianfu.clock import SHANGHAI
from tianfu.tracing.report.data import Report

# The charts set the styles of what they draw.
_POLICY_REST: Final = "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

_STYLE: Final = """
body{font:16px/1.6 system-ui,"Noto Sans SC","WenQuanYi Micro Hei",sans-serif;color:#1b1b1b;
max-width:1080px;margin:0 auto;padding:16px 24px 48px;background:#fff}
h1{font-size:1.7rem;margin:.4em 0}h2{font-size:1.25rem;margin:2em 0 .3em;border-bottom:2px solid #0072b2}
.note,.internal{color:#444}.internal{border-left:4px solid #d55e00;padding:.3em .8em;background:#fdf3ec}
dl.about{display:grid;grid-template-columns:max-content 1fr;gap:.1em 1em}dl.about dd{margin:0}
ul.numbers{display:grid;grid-template-columns:repeat(auto-fill,minmax(190px,1fr));gap:12px;list-style:none;padding:0}
ul.numbers li{border:1px solid #ccd;border-radius:8px;padding:.6em .8em}ul.numbers b{display:block;font-size:1.6rem}
table{border-collapse:collapse;margin:.6em 0;font-size:.92rem}
th,td{border:1px solid #ccc;padding:.2em .6em;text-align:left}
td.n{text-align:right;font-variant-numeric:tabular-nums}summary{cursor:pointer}.chart{width:100%}
.scroll{overflow:auto;max-height:32em}@media print{details{break-inside:avoid}summary{display:none}}
"""


def page(report: Report, script: str) -> str:
    """The whole page. `script` is the built chart code, which finds its data in `#report-data`."""
    words = report.words
    # Closing tags in either would end the element early.
    script = script.replace("</script", "<\\/script")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; script-src 'sha256-{digest}'; {_POLICY_REST}"
    shown = {
        "language": report.language,
        "words": words,
        "cases": report.cases,
        "days": report.days,
        "tiers": report.tiers,
        "counties": report.counties,
        "funnel": report.funnel,
    }
    data = msgspec.json.encode(shown).decode().replace("<", "\\u003c")
    title = f"{words['title']} {report.incident.number}"
    parts = [
        "<!doctype html>",
        f'<html lang="{"zh-CN" if report.language == "zh" else "en"}"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="robots" content="noindex">',
        f"<title>{_e(title)}</title><style>{_STYLE}</style></head><body>",
        f'<h1>{_e(title)}</h1><p class="internal">{_e(words["internal"])}</p>',
        *_about(report),
        *_numbers(report),
        *_section(report, "chain", bool(report.cases), _cases_table(report)),
        *_section(report, "timeline", bool(report.days), _days_table(report)),
        *_section(report, "map", bool(report.counties), _counties_table(report)),
        *_section(report, "funnel", bool(report.funnel), _funnel_table(report)),
        f'<script type="application/json" id="report-data">{data}</script>',
        f"<script>{script}</script></body></html>\n",
    ]
    return "\n".join(parts)


def _about(report: Report) -> Iterable[str]:
    words, incident, run = report.words, report.incident, report.run
    place = f"{incident.place} {divisions().get(incident.place, '')}".rstrip()
    rows = [("place", place), ("opened", _local(incident.opened_at))]
    if incident.closed_at is not None:
        rows.append(("closed", _local(incident.closed_at)))
    rows.append(("as_of", words["never"] if run is None else _local(run.as_of)))
    if run is not None:
        rows.append(("rules", run.rules))
    rows.append(("made", _local(report.made_at)))
    yield '<dl class="about">'
    yield from (f"<dt>{_e(words[name])}</dt><dd>{_e(text)}</dd>" for name, text in rows)
    yield "</dl>"


def _numbers(report: Report) -> Iterable[str]:
    words, totals = report.words, report.totals
    shown = [("cases", totals.cases), ("known_before", totals.known_before), ("listed", totals.listed)]
    shown += [(tier, totals.tiers[tier]) for tier in report.tiers]
    shown += [(state, totals.states.get(state, 0)) for state in ("proposed", "confirmed", "dropped")]
    shown += [("announced", totals.announced), ("withheld", totals.withheld), ("scanned", totals.scanned)]
    yield '<ul class="numbers">'
    yield from (f"<li><b>{number:,}</b>{_e(words[name])}</li>" for name, number in shown)
    yield "</ul>"


def _section(report: Report, name: str, filled: object, table: str) -> Iterable[str]:
    words = report.words
    yield f"<section><h2>{_e(words[name])}</h2>"
    if not filled:
        yield f'<p class="note">{_e(words["nothing"])}</p></section>'
        return
    yield f'<p class="note">{_e(words[f"{name}_note"])}</p>'
    if name == "chain" and report.totals.cases > len(report.cases):
        yield f'<p class="note">{_e(words["cut"].format(count=f"{len(report.cases):,}"))}</p>'
    yield f'<div class="chart" id="{name}" role="img" aria-label="{_e(words[name])}"></div>'
    yield f'<details><summary>{_e(words["table"])}</summary><div class="scroll">{table}</div></details></section>'


def _cases_table(report: Report) -> str:
    words = report.words
    header = [words[name] for name in ("case", "place", "infectious_from", "through", "people_traced")]
    rows = [
        (
            case.reference,
            case.county,
            case.at.replace("T", " "),
            _from(case.through, case.tier, case.setting),
            case.traced,
        )
        for case in report.cases
    ]
    return _table(header, rows)


def _from(through: str | None, tier: str | None, setting: str | None) -> str:
    return "" if through is None else f"{through} ({tier}, {setting})"


def _days_table(report: Report) -> str:
    words = report.words
    header = [words["day"], words["cases"], *(words[tier] for tier in report.tiers)]
    rows: list[Sequence[str | int]] = [
        (day.day, day.cases, *(day.exposed.get(tier, 0) for tier in report.tiers)) for day in report.days
    ]
    return _table(header, rows)


def _counties_table(report: Report) -> str:
    words = report.words
    header = [words["place"], words["cases"], words["listed"], *(words[tier] for tier in report.tiers)]
    rows: list[Sequence[str | int]] = [
        (f"{county.code} {county.name}", county.cases, county.listed, *(county.tiers.get(t, 0) for t in report.tiers))
        for county in sorted(report.counties, key=lambda county: -county.listed)
    ]
    if report.totals.unplaced:
        rows.append((words["unknown"], "", report.totals.unplaced, *("" for _ in report.tiers)))
    return _table(header, rows)


def _funnel_table(report: Report) -> str:
    words = report.words
    header = [words[name] for name in ("step", "added", "removed", "left")]
    return _table(header, [(step.name, step.added, step.removed, step.after) for step in report.funnel])


def _table(header: Sequence[str], rows: Iterable[Sequence[str | int]]) -> str:
    head = "".join(f'<th scope="col">{_e(text)}</th>' for text in header)
    body = "".join(f"<tr>{''.join(_cell(value) for value in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: str | int) -> str:
    return f'<td class="n">{value:,}</td>' if isinstance(value, int) else f"<td>{_e(value)}</td>"


def _e(text: str) -> str:
    return html.escape(text)


def _local(at: datetime) -> str:
    return at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
