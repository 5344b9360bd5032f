import { describe, expect, it } from 'vitest'
import { isAnswer, isAway } from '../src/guard/ask'
import { sendNext, UNREADABLE } from '../src/guard/send-next'
import { ApiError } from '../src/api/problem'
import { Device } from '../src/offline/device'
import { ScanQueue, SCANS_MAX } from '../src/offline/scan-queue'
import { MemoryStore, type DeviceStore, type SealedScan } from '../src/offline/store'
import made from './vectors/offline.json'

const at = { wall: made.at, steady: 0 }
const textOf = (what: string): string => made.cases.find((one) => one.what === what)!.text

async function ready(store: DeviceStore = new MemoryStore()): Promise<Device> {
  const device = await Device.open(store)
  await device.pin(made.lists.root.keys)
  await device.take('trust', made.lists.trust)
  await device.take('not-green', made.lists.not_green)
  return device
}

async function waiting(device: Device): Promise<number> {
  return [...(await device.queue.counts()).values()].reduce((sum, count) => sum + count, 0)
}

describe('a device', () => {
  it('believes after a reload what it believed before', async () => {
    const store = new MemoryStore()
    await ready(store)
    const again = await Device.open(store)
    expect((await again.check(textOf('a card on no list'), '12', at)).judgement.verdict).toBe('clear')
    expect(again.floor.floor).toBe(made.at - 60)
  })

  it('pins once: other keys offered later are not taken', async () => {
    const device = await ready()
    await device.pin([{ kid: '00000000', point: 'AAAA' }])
    expect(await device.take('trust', made.lists.trust_stranger)).toBe('unsigned')
    expect(await device.take('trust', made.lists.trust_introducing)).toBeNull()
  })

  it('pins nothing that is no key of that name', async () => {
    const device = await Device.open(new MemoryStore())
    const [key] = made.lists.root.keys
    expect(await device.pin([{ ...key!, kid: '00000000' }])).toBe(false)
    expect(device.isPinned).toBe(false)
  })

  it('refuses after a reload a list with a lower number than it has seen', async () => {
    const store = new MemoryStore()
    const device = await ready(store)
    await device.take('not-green', made.lists.not_green_empty)
    await store.write({ notGreen: made.lists.not_green })
    const again = await Device.open(store)
    expect((await again.check(textOf('a card on the list'), '12', at)).judgement).toMatchObject({
      verdict: 'doubt',
      why: 'list_rolled_back',
    })
  })

  it('keeps genuine scans with their time, and none that is forged or foreign', async () => {
    const device = await ready()
    const kept = await device.check(textOf('a green code'), '12', at)
    const forged = await device.check(textOf('a key nobody trusts'), '12', at)
    const foreign = await device.check('https://example.com/', '12', at)
    expect([kept.keeping, forged.keeping, foreign.keeping]).toEqual(['kept', 'untaken', 'untaken'])
    const { scans } = await device.queue.nextOf('12')
    expect(scans).toMatchObject([{ code: textOf('a green code'), scannedAt: made.at * 1000 }])
  })

  it('keeps for the gate what its own lists are too old for, but nothing at a time that is not known', async () => {
    const device = await ready()
    const late = { wall: made.at + 5 * 3600, steady: 5 * 3600 }
    expect(await device.check(textOf('a card on no list'), '12', late)).toMatchObject({ keeping: 'kept' })
    expect(await device.check(textOf('a card on no list'), '12', { wall: made.at - 3600, steady: 0 })).toMatchObject({
      judgement: { why: 'clock_set_back' },
      keeping: 'untaken',
    })
    expect(await waiting(device)).toBe(1)
  })

  it('warns of a code that the gate has taken just before the network went', async () => {
    const device = await ready()
    await device.noteChecked(textOf('a green code'), at)
    const later = { wall: made.at + 10, steady: 10 }
    expect((await device.check(textOf('a mirrored signature is the same code'), '12', later)).used).toBe(true)
  })

  it('judges a code by when it was held up, within minutes, and its clock by now', async () => {
    const device = await ready()
    const code = textOf('a green code')
    const at_ = (seconds: number, held: number) => ({ wall: made.at + seconds, steady: seconds, held: made.at + held })
    expect((await device.check(code, '12', at_(110, 60))).judgement.verdict).toBe('dynamic')
    expect((await device.check(code, '12', at_(600, 60))).judgement.verdict).toBe('expired')
    const { scans } = await device.queue.nextOf('12')
    expect(scans).toMatchObject([{ scannedAt: (made.at + 60) * 1000 }])
  })

  it('takes a card as often as it is shown', async () => {
    const device = await ready()
    const card = textOf('a card on no list')
    const uses = [0, 2, 60].map((seconds) => ({ wall: made.at + seconds, steady: seconds }))
    for (const use of uses) expect((await device.check(card, '12', use)).used).toBe(false)
    expect(await waiting(device)).toBe(2)
  })

  it('says when a browser keeps nothing, and still judges', async () => {
    const store = new MemoryStore()
    const device = await ready(store)
    store.append = () => Promise.reject(new Error('refused'))
    store.write = () => Promise.reject(new Error('refused'))
    expect(await device.check(textOf('a green code'), '12', at)).toMatchObject({
      judgement: { verdict: 'dynamic' },
      keeping: 'failed',
    })
  })
})

describe('the queue of scans', () => {
  async function filled(count: number, code = 'HK1:X'): Promise<{ queue: ScanQueue; store: MemoryStore }> {
    const store = new MemoryStore()
    const queue = await ScanQueue.open(store)
    for (let scan = 0; scan < count; scan += 1) await queue.add(`${code}${scan}`, scan, '12')
    return { queue, store }
  }

  it('says when it is full and drops nothing', async () => {
    const { queue, store } = await filled(SCANS_MAX)
    expect(await queue.add('HK1:LATE', 1, '12')).toBe('full')
    expect((await store.counts()).get('12')).toBe(SCANS_MAX)
    expect((await queue.nextOf('12')).scans[0]?.code).toBe('HK1:X0')
  }, 30_000)

  it('holds nothing readable, and a key that cannot be taken out', async () => {
    const { store } = await filled(1)
    const [sealed] = await store.oldest('12', 1)
    expect(String.fromCharCode(...sealed!.sealed)).not.toContain('HK1')
    expect(((await store.read('scan-key')) as CryptoKey).extractable).toBe(false)
  })

  it('makes requests that a gate takes: at most 100 items and 64 KiB', async () => {
    const { queue } = await filled(130)
    expect((await queue.nextOf('12')).scans).toHaveLength(100)
    const long = await filled(130, 'HK3:'.padEnd(900, 'A'))
    const { scans } = await long.queue.nextOf('12')
    expect(JSON.stringify(scans).length).toBeLessThan(65_536)
    expect(scans.length).toBeGreaterThan(50)
  })

  it('drops what was answered and keeps the rest, in order', async () => {
    const { queue } = await filled(3)
    const result = await sendNext(queue, '12', async (items) => [
      { id: items[0]!.id, ok: true },
      { id: items[1]!.id, ok: false, code: 'code_killed', detail: 'lost' },
    ])
    expect(result).toEqual({ sent: 1, refused: [{ code: 'code_killed', sentence: 'lost', scannedAt: 1 }] })
    expect((await queue.nextOf('12')).scans.map((scan) => scan.code)).toEqual(['HK1:X2'])
  })

  it('keeps everything when nothing was answered, and sends the same items again', async () => {
    const { queue } = await filled(2)
    const seen: string[][] = []
    const failing = sendNext(queue, '12', async (items) => {
      seen.push(items.map((item) => item.id))
      throw new Error('gone')
    })
    await expect(failing).rejects.toThrow('gone')
    await sendNext(queue, '12', async (items) => {
      seen.push(items.map((item) => item.id))
      return items.map(({ id }) => ({ id, ok: true }))
    })
    expect(seen[0]).toEqual(seen[1])
    expect(await sendNext(queue, '12', async () => [])).toBeNull()
  })

  it('does not spin on an answer about other scans', async () => {
    const { queue } = await filled(1)
    await expect(sendNext(queue, '12', async () => [{ id: 'ffff', ok: true }])).rejects.toThrow()
    expect((await queue.nextOf('12')).scans).toHaveLength(1)
  })

  it('sends nothing of one venue for another', async () => {
    const { queue } = await filled(2)
    expect(await sendNext(queue, '13', async () => [])).toBeNull()
  })

  it('tells of a scan that was changed or moved on the device', async () => {
    const { queue, store } = await filled(1)
    const [sealed] = await store.oldest('12', 1)
    await store.drop([sealed!.id])
    await store.append({ ...sealed!, venue: '13' } satisfies SealedScan, 10)
    expect((await sendNext(queue, '13', async () => []))?.refused).toMatchObject([{ code: UNREADABLE }])
  })
})

describe('what counts as the word of the gate', () => {
  it.each([
    [{ verdict: 'valid', colour: 'green' }, true],
    [{ verdict: 'foreign', colour: 'red' }, true],
    [{ verdict: 'valid', colour: 'blue' }, false],
    [{ colour: 'green' }, false],
    ['<h1>green</h1>', false],
    [null, false],
    [undefined, false],
  ])('%j: %s', (answer, expected) => {
    expect(isAnswer(answer)).toBe(expected)
  })

  it.each([
    ['offline', '', true],
    ['timeout', '', true],
    ['busy', 'busy', true],
    ['broken', 'http_502', true],
    ['busy', 'foreign_unavailable', false],
    ['refused', 'code_killed', false],
    ['signed_out', 'session_expired', false],
  ] as const)('%s %s means that it is away: %s', (kind, code, expected) => {
    expect(isAway(new ApiError(kind, '', { code }))).toBe(expected)
  })
})
