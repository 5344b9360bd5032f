import { language } from './language'

// A health code is read where it is valid: always in Beijing time, whatever the phone is set to.
const ZONE = 'Asia/Shanghai'

function locale(): string {
  return language.value === 'en' ? 'en-GB' : 'zh-CN'
}

/** 2022年11月4日 星期五 or Friday, 4 November 2022. */
export function dateText(milliseconds: number): string {
  const options = { timeZone: ZONE, year: 'numeric', month: 'long', day: 'numeric', weekday: 'long' } as const
  return new Intl.DateTimeFormat(locale(), options).format(milliseconds)
}

/** The parts of a ticking clock: hours and minutes, and the seconds by themselves. */
export function clockParts(milliseconds: number): { minutes: string; seconds: string } {
  const options = { timeZone: ZONE, hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' } as const
  const [hour = '', minute = '', second = ''] = new Intl.DateTimeFormat('en-GB', options).format(milliseconds).split(':')
  return { minutes: `${hour}:${minute}`, seconds: second }
}

/** Date and time to the minute; to the second with `exact`. Takes an ISO text or milliseconds. */
export function instantText(instant: string | number, exact = false): string {
  const at = typeof instant === 'number' ? instant : Date.parse(instant)
  if (Number.isNaN(at)) return ''
  const options = {
    timeZone: ZONE,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    ...(exact ? { second: '2-digit' as const } : {}),
    hourCycle: 'h23',
  } as const
  return new Intl.DateTimeFormat(locale(), options).format(at)
}
