import type { Document } from '../api/portal'
import { takeOver } from '../credentials/owner'
import { noteLost } from '../venue/kept-visits'
import { holderArrived, takePoster } from './holder'

/**
 * Notes that a session of the person with `document` has begun and says which page comes next: the venue whose poster
 * was scanned before there was a session, otherwise `usual`.
 */
export async function afterArrival(usual: string, document: Document): Promise<string> {
  noteLost(await takeOver(document))
  holderArrived()
  const poster = takePoster()
  const [address, signed] = poster?.split('#') ?? []
  return address && signed ? `${new URL(address).pathname}#${signed}` : usual
}
