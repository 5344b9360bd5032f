import type { EChartsCoreOption } from 'echarts/core'
import type { CaseNode, Report } from './data'

// Colours that stay apart for readers with the common colour deficiencies (Okabe and Ito), cases first.
const COLOURS = ['#d55e00', '#0072b2', '#e69f00', '#009e73', '#cc79a7']
const TEXT = { fontFamily: 'system-ui, sans-serif' }
const LABELLED_CASES_MAX = 60
const DAY = 86_400_000
// The province, in degrees.
const EAST = { min: 97, max: 109 }
const NORTH = { min: 26, max: 34.5 }

export interface Chart {
  id: string
  height: number
  option: EChartsCoreOption
}

/** The charts of a report, those without anything to show left out. */
export function charts(report: Report): Chart[] {
  return [chain(report), timeline(report), map(report), funnel(report)].filter((chart) => chart !== null)
}

/** Cases by day from left to right, an arrow from each case to those who were its contacts before. */
function chain(report: Report): Chart | null {
  if (report.cases.length === 0) return null
  const rows = laidOut(report.cases)
  const known = new Set(report.cases.map((item) => item.reference))
  const labelled = report.cases.length <= LABELLED_CASES_MAX
  const most = Math.max(...report.cases.map((item) => item.traced), 1)
  return {
    id: 'chain',
    height: Math.min(900, 160 + 34 * Math.max(...rows.values())),
    option: {
      textStyle: TEXT,
      animation: false,
      grid: { left: 24, right: 140, top: 10, bottom: 70 },
      xAxis: { type: 'time', axisLine: { onZero: false }, position: 'bottom', minInterval: DAY, axisLabel: { formatter: '{MM}-{dd}' } },
      yAxis: { type: 'value', show: false, inverse: true, min: 0, max: Math.max(...rows.values()) + 1 },
      dataZoom: [{ type: 'slider', xAxisIndex: 0, height: 18, bottom: 12 }, { type: 'inside' }],
      tooltip: { formatter: (mark: { dataType?: string; name: string }) => (mark.dataType === 'edge' ? '' : told(report, mark.name)) },
      series: [
        {
          type: 'graph',
          coordinateSystem: 'cartesian2d',
          symbolSize: 14,
          edgeSymbol: ['none', 'arrow'],
          edgeSymbolSize: 7,
          itemStyle: { color: COLOURS[0] },
          lineStyle: { color: '#666', curveness: 0.1 },
          label: { show: labelled, position: 'right', formatter: '{b}' },
          data: report.cases.map((item) => ({
            name: item.reference,
            value: [item.at, rows.get(item.reference)],
            symbolSize: 10 + (14 * item.traced) / most,
          })),
          links: report.cases
            .filter((item) => item.through !== null && known.has(item.through))
            .map((item) => ({ source: item.through, target: item.reference })),
        },
      ],
    },
  }
}

/** A row for each case: below the one it came from, roots in order of time, so that lines seldom cross. */
function laidOut(cases: CaseNode[]): Map<string, number> {
  const after = new Map<string | null, CaseNode[]>()
  const known = new Set(cases.map((item) => item.reference))
  for (const item of [...cases].sort((one, other) => one.at.localeCompare(other.at))) {
    const parent = item.through !== null && known.has(item.through) ? item.through : null
    after.set(parent, [...(after.get(parent) ?? []), item])
  }
  const rows = new Map<string, number>()
  const open = [...(after.get(null) ?? [])].reverse()
  for (let item = open.pop(); item !== undefined; item = open.pop()) {
    if (rows.has(item.reference)) continue
    rows.set(item.reference, rows.size + 1)
    open.push(...[...(after.get(item.reference) ?? [])].reverse())
  }
  // Two cases that name each other have no root.
  for (const item of cases) if (!rows.has(item.reference)) rows.set(item.reference, rows.size + 1)
  return rows
}

function told(report: Report, reference: string): string {
  const item = report.cases.find((one) => one.reference === reference)
  if (item === undefined) return ''
  const lines = [item.reference, item.county, item.at.replace('T', ' ').slice(0, 16)]
  if (item.through !== null) lines.push(`${report.words['through']} ${item.through} (${item.tier ?? ''}, ${item.setting ?? ''})`)
  lines.push(`${report.words['traced']} ${item.traced.toLocaleString('en')}`)
  return lines.map(escaped).join('<br>')
}

/** Cases and first exposures by day. */
function timeline(report: Report): Chart | null {
  if (report.days.length === 0) return null
  const days = report.days.map((day) => day.day)
  const exposed = report.tiers.map((tier, position) => ({
    name: report.words[tier] ?? tier,
    type: 'bar',
    stack: 'exposed',
    yAxisIndex: 1,
    itemStyle: { color: COLOURS[position + 1] },
    data: report.days.map((day) => day.exposed[tier] ?? 0),
  }))
  return {
    id: 'timeline',
    height: 340,
    option: {
      textStyle: TEXT,
      animation: false,
      legend: { top: 0 },
      grid: { left: 60, right: 70, top: 50, bottom: 60 },
      tooltip: { trigger: 'axis' },
      dataZoom: [{ type: 'slider', height: 18, bottom: 8 }],
      xAxis: { type: 'category', data: days },
      yAxis: [
        { type: 'value', name: report.words['cases'], minInterval: 1 },
        { type: 'value', name: report.words['exposed'], minInterval: 1, splitLine: { show: false } },
      ],
      series: [
        ...exposed,
        {
          name: report.words['cases'],
          type: 'line',
          symbolSize: 8,
          itemStyle: { color: COLOURS[0] },
          data: report.days.map((day) => day.cases),
        },
      ],
    },
  }
}

/** A point for each county at its seat, as large as its list is long. */
function map(report: Report): Chart | null {
  if (report.counties.length === 0) return null
  const most = Math.max(...report.counties.map((county) => county.listed), 1)
  const size = (listed: number): number => 8 + 42 * Math.sqrt(listed / most)
  const point = (county: Report['counties'][number]) => ({
    name: county.name,
    value: [county.longitude, county.latitude, county.listed, county.cases],
    symbolSize: size(county.listed),
    itemStyle: { color: county.cases > 0 ? COLOURS[0] : COLOURS[1], opacity: 0.7 },
  })
  return {
    id: 'map',
    height: 520,
    option: {
      textStyle: TEXT,
      animation: false,
      grid: { left: 50, right: 30, top: 20, bottom: 60 },
      tooltip: {
        formatter: (mark: { name: string; value: number[] }) =>
          `${escaped(mark.name)}<br>${report.words['listed']} ${mark.value[2]?.toLocaleString('en')}<br>${report.words['cases']} ${mark.value[3]}`,
      },
      xAxis: { type: 'value', ...EAST, axisLabel: { formatter: '{value}° E' }, splitLine: { lineStyle: { color: '#eee' } } },
      yAxis: { type: 'value', ...NORTH, axisLabel: { formatter: '{value}° N' }, splitLine: { lineStyle: { color: '#eee' } } },
      dataZoom: [{ type: 'inside', xAxisIndex: 0 }, { type: 'inside', yAxisIndex: 0 }],
      series: [
        {
          type: 'scatter',
          data: report.counties.map(point),
          label: { show: report.counties.length <= LABELLED_CASES_MAX, formatter: '{b}', position: 'right' },
          labelLayout: { hideOverlap: true },
        },
      ],
    },
  }
}

/** What was left after each step. */
function funnel(report: Report): Chart | null {
  if (report.funnel.length === 0) return null
  const steps = [...report.funnel].reverse()
  return {
    id: 'funnel',
    height: 80 + 44 * steps.length,
    option: {
      textStyle: TEXT,
      animation: false,
      grid: { left: 200, right: 90, top: 10, bottom: 30 },
      tooltip: {},
      xAxis: { type: 'value', minInterval: 1 },
      yAxis: { type: 'category', data: steps.map((step) => step.name), axisLabel: { width: 180, overflow: 'truncate' } },
      series: [
        {
          type: 'bar',
          itemStyle: { color: COLOURS[1] },
          data: steps.map((step) => step.after),
          label: { show: true, position: 'right', formatter: (mark: { value: number }) => mark.value.toLocaleString('en') },
        },
      ],
    },
  }
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
