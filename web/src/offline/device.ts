import { Belief, type Numbers, type Refusal } from './belief'
import { fromBase64url } from './bytes'
import { unverified } from './codes'
import { heldAt, judge, type Instant, type Judgement } from './judge'
import { trusted, type ListKind } from './lists'
import { POINT_BYTES, type TrustedKey } from './keys'
import { ScanQueue, type Keeping } from './scan-queue'
import type { DeviceStore } from './store'
import { TimeFloor } from './time-floor'
import { UsedCodes, type Use, type UsedCode } from './used-codes'

// A dynamic code's life with the slack of both clocks is 100 s, a phone's own 150 s; see the formats.
const ONE_TIME_SECONDS_MAX = 150
// A camera reads the same card again while it is still in the picture.
const SAME_CARD_SECONDS = 3

/** A list key as the gate tells it: kid in hex, x ‖ y in base64url. */
export interface RootKey {
  readonly kid: string
  readonly point: string
}

/** What this device says of a text, and what became of the scan; `untaken` when it is not one to be sent. */
export interface Finding {
  readonly judgement: Judgement
  readonly used: boolean
  readonly keeping: Keeping | 'untaken'
  readonly at: number
}

interface Kept {
  readonly roots: readonly RootKey[] | undefined
  readonly numbers: Numbers | undefined
  readonly trust: string | undefined
  readonly notGreen: string | undefined
  readonly floor: number | undefined
  readonly used: readonly UsedCode[] | undefined
}

async function rootsOf(keys: readonly RootKey[]): Promise<TrustedKey[]> {
  const found = keys.map(async ({ kid, point }) => {
    const bytes = point.length <= 2 * POINT_BYTES ? fromBase64url(point) : null
    return bytes && trusted({ purpose: 'list', kid, point: bytes, from: 0, until: 0 })
  })
  return (await Promise.all(found)).filter((key) => key !== null)
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

/**
 * A guard's device without network: what it believes, its sense of time, the codes it has seen, and the scans it keeps.
 * Whatever changes is written down before the next question, so that a reload knows it.
 */
export class Device {
  private lastCard = { number: '', at: 0 }
  private lastKeeping: Keeping = 'kept'

  private constructor(
    private readonly store: DeviceStore,
    readonly queue: ScanQueue,
    private belief: Belief,
    readonly floor: TimeFloor,
    private readonly used: UsedCodes,
  ) {}

  /** Rejects when the store does. */
  static async open(store: DeviceStore): Promise<Device> {
    const read = async <Name extends keyof Kept>(name: Name) => (await store.read(name)) as Kept[Name]
    const belief = new Belief(await rootsOf((await read('roots')) ?? []), await read('numbers'))
    const [trust, notGreen] = [await read('trust'), await read('notGreen')]
    if (trust) await belief.take('trust', trust)
    if (notGreen) await belief.take('not-green', notGreen)
    const floor = new TimeFloor(await read('floor'))
    return new Device(store, await ScanQueue.open(store), belief, floor, new UsedCodes(await read('used')))
  }

  get beliefs(): Belief {
    return this.belief
  }

  get isPinned(): boolean {
    return this.belief.roots.length > 0
  }

  /** Pins the list keys that everything else follows from; only for a device that has none. Whether any was sound. */
  async pin(keys: readonly RootKey[]): Promise<boolean> {
    if (this.isPinned) return true
    this.belief = new Belief(await rootsOf(keys), this.belief.seen)
    if (this.isPinned) await this.keepRoots()
    return this.isPinned
  }

  /** Forgets keys, lists and their numbers; for a device that was away for longer than list keys live. */
  async unpin(): Promise<void> {
    this.belief = new Belief([])
    await this.remember({ roots: [], numbers: this.belief.seen, trust: '', notGreen: '' })
  }

  /** Takes over a signed list; why not, or null. */
  async take(kind: ListKind, text: string): Promise<Refusal | null> {
    const refusal = await this.belief.take(kind, text)
    if (refusal) return refusal
    const head = kind === 'trust' ? this.belief.trust : this.belief.notGreen
    if (head) this.floor.noteSigned(head.issuedAt)
    await this.remember({
      [kind === 'trust' ? 'trust' : 'notGreen']: text,
      numbers: this.belief.seen,
      floor: this.floor.floor,
    })
    if (kind === 'trust') await this.keepRoots()
    return null
  }

  async noteServerTime(seconds: number, at: Instant): Promise<void> {
    if (this.floor.noteServer(seconds, at.wall, at.steady)) await this.remember({ floor: this.floor.floor })
  }

  /** Remembers a code that the gate has just taken, so that it is known here should the network go. */
  async noteChecked(text: string, at: Instant): Promise<void> {
    const code = await unverified(text)
    if (code?.oneTime) await this.use(code.number, at)
  }

  /** Judges a text and keeps the scan for later where it is one of ours. Rejects never. */
  async check(text: string, venue: string, at: Instant): Promise<Finding> {
    const before = this.floor.floor
    const judgement = await judge(text, this.belief, this.floor, at)
    if (this.floor.floor > before) await this.remember({ floor: this.floor.floor })
    const finding = { judgement, used: false, keeping: 'untaken' as const, at: heldAt(at) * 1000 }
    const isGenuine = 'code' in judgement
    // What a list is missing for, the gate can say later. A time that is not known cannot be sent.
    const isForLater = judgement.verdict === 'doubt' && judgement.why !== 'clock_set_back'
    const code = isGenuine ? judgement.code : isForLater ? await unverified(text) : null
    if (!code) return finding
    const use = code.oneTime ? await this.use(code.number, at) : this.useCard(code.number, at)
    if (use !== 'same_scan') this.lastKeeping = await this.queue.add(text, Math.floor(finding.at), venue)
    return { ...finding, used: use === 'again', keeping: this.lastKeeping }
  }

  private async use(number: string, at: Instant): Promise<Use> {
    const use = this.used.use(number, at.wall + ONE_TIME_SECONDS_MAX, at.wall)
    if (use === 'first') await this.remember({ used: this.used.kept })
    return use
  }

  private useCard(number: string, at: Instant): Use {
    const { number: last, at: seen } = this.lastCard
    this.lastCard = { number, at: at.wall }
    return number === last && at.wall - seen <= SAME_CARD_SECONDS ? 'same_scan' : 'first'
  }

  private async keepRoots(): Promise<void> {
    const roots = this.belief.roots.map(({ kid, point }) => ({ kid, point: base64url(point) }))
    await this.remember({ roots })
  }

  // A browser that keeps nothing forgets these with the page; what the guard must know of it, the queue says.
  private async remember(facts: Readonly<Record<string, unknown>>): Promise<void> {
    await this.store.write(facts).catch(() => undefined)
  }
}
