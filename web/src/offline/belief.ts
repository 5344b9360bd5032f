import type { TrustedKey } from './keys'
import { readNotGreen, readTrust, type ListHead, type ListKind, type NotGreenList, type TrustList } from './lists'

/** Why a list was not taken over: no trusted key signed it, or a later one has been seen. */
export type Refusal = 'unsigned' | 'older'
/** Why nothing may be said now. */
export type Doubt = 'no_root' | 'no_list' | 'list_too_old' | 'list_rolled_back' | 'clock_set_back'

/** The highest number seen of each list, kept apart from the lists: it never falls. */
export type Numbers = Readonly<Record<ListKind, number>>

/**
 * What this device believes: list keys pinned once, the latest trust list that one of them signed, whose list keys take
 * their place, and the latest list of what is not green.
 */
export class Belief {
  private trustList: TrustList | null = null
  private notGreenList: NotGreenList | null = null

  constructor(
    private rootKeys: readonly TrustedKey[],
    private numbers: Numbers = { trust: 0, 'not-green': 0 },
  ) {}

  get roots(): readonly TrustedKey[] {
    return this.rootKeys
  }

  get seen(): Numbers {
    return this.numbers
  }

  get trust(): TrustList | null {
    return this.trustList
  }

  get notGreen(): NotGreenList | null {
    return this.notGreenList
  }

  /** Takes over a list; what kept it from being taken over, or null. Taking the same one again is harmless. */
  async take(kind: ListKind, text: string): Promise<Refusal | null> {
    return kind === 'trust' ? this.takeTrust(text) : this.takeNotGreen(text)
  }

  /** Why nothing can be said at `now` by this list; null when it can be relied on. */
  doubt(kind: ListKind, now: number, skewSeconds: number): Doubt | null {
    const list: ListHead | null = kind === 'trust' ? this.trustList : this.notGreenList
    if (this.rootKeys.length === 0) return 'no_root'
    if (!list) return this.numbers[kind] > 0 ? 'list_rolled_back' : 'no_list'
    if (list.number < this.numbers[kind]) return 'list_rolled_back'
    if (now >= list.expiresAt) return 'list_too_old'
    return now < list.issuedAt - skewSeconds ? 'clock_set_back' : null
  }

  /** The keys in force at `now`. */
  keysAt(now: number, skewSeconds: number): readonly TrustedKey[] {
    return (this.trustList?.keys ?? []).filter(
      (key) => key.from <= now + skewSeconds && (key.until === 0 || now < key.until),
    )
  }

  private async takeTrust(text: string): Promise<Refusal | null> {
    const found = await readTrust(text, this.rootKeys)
    const roots = found?.keys.filter((key) => key.purpose === 'list') ?? []
    if (!found || roots.length === 0) return 'unsigned'
    if (found.number < this.numbers.trust) return 'older'
    this.trustList = found
    this.rootKeys = roots
    this.numbers = { ...this.numbers, trust: found.number }
    return null
  }

  private async takeNotGreen(text: string): Promise<Refusal | null> {
    const found = await readNotGreen(text, this.rootKeys)
    if (!found) return 'unsigned'
    if (found.number < this.numbers['not-green']) return 'older'
    this.notGreenList = found
    this.numbers = { ...this.numbers, 'not-green': found.number }
    return null
  }
}
