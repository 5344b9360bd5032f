import { BarChart, GraphChart, LineChart, ScatterChart } from 'echarts/charts'
import { AriaComponent, DataZoomComponent, GridComponent, LegendComponent, TooltipComponent } from 'echarts/components'
import { init, use } from 'echarts/core'
import { LabelLayout } from 'echarts/features'
import { SVGRenderer } from 'echarts/renderers'
import { charts } from './charts'
import type { Report } from './data'

use([
  BarChart,
  GraphChart,
  LineChart,
  ScatterChart,
  AriaComponent,
  DataZoomComponent,
  GridComponent,
  LegendComponent,
  TooltipComponent,
  LabelLayout,
  SVGRenderer,
])

const content = document.getElementById('report-data')?.textContent
if (content) {
  for (const { id, height, option } of charts(JSON.parse(content) as Report)) {
    const place = document.getElementById(id)
    if (place === null) continue
    place.style.height = `${height}px`
    const chart = init(place, null, { renderer: 'svg' })
    chart.setOption({ aria: { enabled: true }, ...option })
    addEventListener('resize', () => chart.resize())
    addEventListener('beforeprint', () => chart.resize())
  }
}
